"""Charging a kept card while the buyer is away: what setting up is for."""

from pathlib import Path
from typing import Any

import pytest
import stripe

from adapters.sandbox import Sandbox
from tests.sandbox.conftest import (
    charge,
    client,
    close,
    confirm_intent,
    confirm_setup,
    create_intent,
    create_setup,
    event_types,
    told,
)

ASKS_ONCE = "pm_card_authenticationRequiredOnSetup"
ASKS_NEVER = "pm_card_visa"
ASKS_ALWAYS = "pm_card_authenticationRequired"


async def set_up(sdk: Any, sandbox: Sandbox, token: str, **more: Any) -> tuple[str, str]:
    """A customer, and the method that was set up for them."""
    customer = await sdk.v1.customers.create_async({})
    intent = await confirm_setup(sdk, await create_setup(sdk, customer=customer.id, **more), token)
    if intent.status == "requires_action":
        sandbox.authenticate(intent.id)
    if intent.status == "processing":
        sandbox.settle(intent.id)
    return customer.id, intent.payment_method


async def test_a_card_that_was_set_up_is_charged_at_once(sdk: Any, sandbox: Sandbox) -> None:
    customer, method = await set_up(sdk, sandbox, "pm_card_visa")
    before = len(await event_types(sdk))
    paid = await charge(sdk, customer, method, amount=700, metadata={"invoice": "1"})
    assert (paid.status, paid.amount_received, paid.payment_method) == ("succeeded", 700, method)
    assert (await event_types(sdk))[before:] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


async def test_an_intent_made_before_is_confirmed_while_the_buyer_is_away(sdk: Any, sandbox: Sandbox) -> None:
    customer, method = await set_up(sdk, sandbox, "pm_card_visa")
    intent = await create_intent(sdk, customer=customer)
    assert (await confirm_intent(sdk, intent, method, off_session=True)).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await confirm_intent(sdk, intent, method, off_session=True)
    assert told(refused).code == "payment_intent_unexpected_state"
    assert len((await sdk.v1.charges.list_async()).data) == 1


async def test_a_card_set_up_for_nobody_and_attached_later_is_charged(sdk: Any) -> None:
    done = await confirm_setup(sdk, await create_setup(sdk))
    customer = await sdk.v1.customers.create_async({})
    for _ in range(2):  # attaching it again to the same customer changes nothing
        method = await sdk.v1.payment_methods.attach_async(done.payment_method, {"customer": customer.id})
        assert method.customer == customer.id
    other = await sdk.v1.customers.create_async({})
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        await sdk.v1.payment_methods.attach_async(done.payment_method, {"customer": other.id})
    assert (await charge(sdk, customer.id, method.id)).status == "succeeded"
    assert (await event_types(sdk)).count("payment_method.attached") == 1


async def test_card_0341_is_set_up_and_declines_when_charged(sdk: Any, sandbox: Sandbox) -> None:
    customer, method = await set_up(sdk, sandbox, "pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError) as declined:
        await charge(sdk, customer, method)
    error = told(declined).error
    assert (told(declined).http_status, error.code, error.decline_code) == (
        402,
        "card_declined",
        "generic_decline",
    )
    left = error.payment_intent
    assert (left.status, left.last_payment_error.code) == ("requires_payment_method", "card_declined")
    assert (await event_types(sdk))[-2:] == ["charge.failed", "payment_intent.payment_failed"]


async def test_a_card_that_asks_once_is_charged_after_it_was_set_up(sdk: Any, sandbox: Sandbox) -> None:
    customer, method = await set_up(sdk, sandbox, ASKS_ONCE)
    for _ in range(2):
        assert (await charge(sdk, customer, method)).status == "succeeded"
    present = await create_intent(sdk, customer=customer, payment_method=method, confirm=True)
    assert present.status == "requires_action"


async def test_a_payment_that_keeps_the_card_sets_it_up_too(sdk: Any, sandbox: Sandbox) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_intent(sdk, customer=customer.id, setup_future_usage="off_session")
    asked = await confirm_intent(sdk, intent, ASKS_ONCE)
    assert asked.status == "requires_action"
    sandbox.authenticate(intent.id)
    assert (await charge(sdk, customer.id, asked.payment_method)).status == "succeeded"


@pytest.mark.parametrize("usage", [None, "on_session"])
async def test_a_card_that_asks_once_declines_unless_it_was_set_up_for_this(
    sdk: Any, sandbox: Sandbox, usage: str | None
) -> None:
    if usage is None:
        customer = (await sdk.v1.customers.create_async({})).id
        method = (await sdk.v1.payment_methods.attach_async(ASKS_ONCE, {"customer": customer})).id
    else:
        customer, method = await set_up(sdk, sandbox, ASKS_ONCE, usage=usage)
    with pytest.raises(stripe.CardError) as declined:
        await charge(sdk, customer, method)
    assert told(declined).code == "authentication_required"


async def test_a_card_that_always_asks_declines_and_is_paid_once_the_buyer_is_back(
    sdk: Any, sandbox: Sandbox
) -> None:
    customer, method = await set_up(sdk, sandbox, ASKS_ALWAYS)
    with pytest.raises(stripe.CardError) as declined:
        await charge(sdk, customer, method)
    error = told(declined).error
    assert (told(declined).http_status, error.code, error.decline_code) == (
        402,
        "authentication_required",
        "authentication_required",
    )
    assert error.payment_method.id == method
    left = await sdk.v1.payment_intents.retrieve_async(error.payment_intent.id)
    assert (left.status, left.next_action) == ("requires_payment_method", None)
    assert left.last_payment_error.code == "authentication_required"
    back = await confirm_intent(sdk, left, method)
    assert back.status == "requires_action"
    assert sandbox.authenticate(left.id)["status"] == "succeeded"


async def test_a_bank_account_that_was_set_up_is_debited(sdk: Any, sandbox: Sandbox) -> None:
    types = ["us_bank_account"]
    customer, method = await set_up(sdk, sandbox, "pm_usBankAccount", payment_method_types=types)
    intent = await charge(sdk, customer, method, currency="usd", payment_method_types=types)
    assert intent.status == "processing"
    assert sandbox.settle(intent.id)["status"] == "succeeded"


@pytest.mark.parametrize("kept_with", ["another", "nobody"])
async def test_only_what_is_kept_with_the_customer_is_charged(sdk: Any, kept_with: str) -> None:
    customer, other = [(await sdk.v1.customers.create_async({})).id for _ in range(2)]
    method = await sdk.v1.payment_methods.retrieve_async("pm_card_visa")
    if kept_with == "another":
        await sdk.v1.payment_methods.attach_async(method.id, {"customer": other})
    intent = await create_intent(sdk, customer=customer)
    for attempt in (
        charge(sdk, customer, method.id),
        confirm_intent(sdk, intent, method.id, off_session=True),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="must be attached to the customer") as refused:
            await attempt
        assert (told(refused).http_status, told(refused).param) == (400, "payment_method")
    assert (await sdk.v1.charges.list_async()).data == []


async def test_a_declined_charge_is_not_tried_again_by_the_same_key(sdk: Any, sandbox: Sandbox) -> None:
    customer, method = await set_up(sdk, sandbox, "pm_card_chargeCustomerFail")
    asked: Any = {
        "amount": 500,
        "currency": "eur",
        "customer": customer,
        "payment_method": method,
        "payment_method_types": ["card"],
        "off_session": True,
        "confirm": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await sdk.v1.payment_intents.create_async(asked, {"idempotency_key": "once"})
    assert len((await sdk.v1.charges.list_async()).data) == 1


async def test_a_card_that_has_paid_without_being_kept_is_of_no_more_use(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    paid = await confirm_intent(sdk, await create_intent(sdk, customer=customer.id))
    for use in (
        sdk.v1.payment_methods.attach_async(paid.payment_method, {"customer": customer.id}),
        create_intent(sdk, payment_method=paid.payment_method, confirm=True),
        create_setup(sdk, payment_method=paid.payment_method),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
            await use
    assert len((await sdk.v1.charges.list_async()).data) == 1


async def test_a_card_that_was_to_be_kept_may_get_its_customer_after_it_has_paid(sdk: Any) -> None:
    intent = await create_intent(sdk, setup_future_usage="off_session")
    paid = await confirm_intent(sdk, intent, ASKS_NEVER)
    customer = await sdk.v1.customers.create_async({})
    await sdk.v1.payment_methods.attach_async(paid.payment_method, {"customer": customer.id})
    assert (await charge(sdk, customer.id, paid.payment_method)).status == "succeeded"


async def test_a_card_stays_set_up_when_the_sandbox_is_started_again(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    async with Sandbox(snapshot=path) as before:
        sdk = client(before)
        customer, method = await set_up(sdk, before, ASKS_ONCE)
        waiting = await confirm_setup(sdk, await create_setup(sdk), ASKS_ONCE)
        await close(sdk)
    async with Sandbox(snapshot=path) as after:
        sdk = client(after)
        assert (await charge(sdk, customer, method)).status == "succeeded"
        assert after.authenticate(waiting.id)["status"] == "succeeded"
        await close(sdk)
