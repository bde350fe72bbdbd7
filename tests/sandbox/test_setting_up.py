"""Trying to set up: what becomes of the intent, its attempts, its method and its customer; what is told."""

from typing import Any

import pytest
import stripe

from adapters.sandbox import Sandbox
from tests.sandbox.conftest import Receiver, confirm_setup, create_setup, event_types, told

ASKS = "pm_card_authenticationRequiredOnSetup"
BANK: Any = {"payment_method": "pm_usBankAccount", "payment_method_types": ["us_bank_account"]}
DECLINES = {
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error"),
}


async def kept(sdk: Any, customer: Any) -> list[str]:
    return [method.id for method in (await sdk.v1.customers.payment_methods.list_async(customer.id)).data]


async def test_a_good_card_is_set_up_and_kept_with_its_customer(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_setup(sdk, customer=customer.id, metadata={"session": "cs_1"})
    assert (intent.status, intent.usage, intent.latest_attempt) == (
        "requires_payment_method",
        "off_session",
        None,
    )
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    done = await confirm_setup(sdk, intent, expand=["payment_method", "customer", "latest_attempt"])
    assert (done.status, done.last_setup_error, done.next_action) == ("succeeded", None, None)
    assert (done.payment_method.customer, done.customer.id) == (customer.id, customer.id)
    assert (done.latest_attempt.status, done.latest_attempt.setup_intent) == ("succeeded", intent.id)
    assert done.metadata.to_dict() == {"session": "cs_1"}
    assert await kept(sdk, customer) == [done.payment_method.id]
    assert (await sdk.v1.charges.list_async()).data == []
    assert await event_types(sdk) == [
        "customer.created",
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]


async def test_each_step_is_told_to_webhooks_with_the_intent_as_it_was(
    sdk: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.register_webhook(receiver.url)
    intent = await confirm_setup(sdk, await create_setup(sdk), ASKS)
    sandbox.authenticate(intent.id)
    await sandbox.drain()
    assert sorted(receiver.types(sandbox.webhook_secret)) == [
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.succeeded",
    ]
    listed = (await sdk.v1.events.list_async({"type": "setup_intent.*"})).data
    assert [event.data.object.status for event in reversed(listed)] == [
        "requires_payment_method",
        "requires_action",
        "succeeded",
    ]


@pytest.mark.parametrize("token", DECLINES)
async def test_a_declining_card_answers_402_with_its_codes_and_is_kept_with_nobody(
    sdk: Any, token: str
) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_setup(sdk, customer=customer.id)
    with pytest.raises(stripe.CardError) as declined:
        await confirm_setup(sdk, intent, token)
    error = told(declined).error
    assert (told(declined).http_status, error.code, error.decline_code) == (402, *DECLINES[token])
    left = await sdk.v1.setup_intents.retrieve_async(intent.id, {"expand": ["latest_attempt"]})
    assert (left.status, left.payment_method) == ("requires_payment_method", None)
    last = left.last_setup_error
    assert (last.code, last.decline_code, last.type) == (*DECLINES[token], "card_error")
    assert last.message
    assert last.payment_method.id == error.payment_method.id
    assert error.setup_intent.last_setup_error.to_dict() == last.to_dict()
    assert (left.latest_attempt.status, left.latest_attempt.setup_error.code) == ("failed", last.code)
    assert await kept(sdk, customer) == []
    assert (await event_types(sdk))[2:] == ["setup_intent.setup_failed"]


async def test_after_a_decline_another_card_is_set_up_by_an_attempt_of_its_own(sdk: Any) -> None:
    intent = await create_setup(sdk)
    with pytest.raises(stripe.CardError):
        await confirm_setup(sdk, intent, "pm_card_visa_chargeDeclined")
    failed = (await sdk.v1.setup_intents.retrieve_async(intent.id)).latest_attempt
    done = await confirm_setup(sdk, intent)
    assert (done.status, done.last_setup_error) == ("succeeded", None)
    assert done.latest_attempt not in (None, failed)


async def test_creating_and_confirming_at_once_leaves_the_declined_intent_behind(sdk: Any) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await create_setup(sdk, confirm=True, payment_method="pm_card_visa_chargeDeclined")
    left = await sdk.v1.setup_intents.retrieve_async(told(declined).error.setup_intent.id)
    assert left.status == "requires_payment_method"


async def test_three_d_secure_waits_for_the_buyer_and_then_succeeds(sdk: Any, sandbox: Sandbox) -> None:
    customer = await sdk.v1.customers.create_async({})
    made = await create_setup(sdk, customer=customer.id)
    intent = await confirm_setup(sdk, made, ASKS, return_url="https://shop/x")
    assert intent.status == "requires_action"
    assert intent.next_action.redirect_to_url.return_url == "https://shop/x"
    assert intent.next_action.redirect_to_url.url.startswith(sandbox.url)
    assert await kept(sdk, customer) == []
    assert sandbox.authenticate(intent.id)["status"] == "succeeded"
    assert await kept(sdk, customer) == [intent.payment_method]
    assert (await event_types(sdk))[2:] == [
        "setup_intent.requires_action",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]


async def test_failed_authentication_keeps_nothing_and_the_intent_starts_over(
    sdk: Any, sandbox: Sandbox
) -> None:
    intent = await confirm_setup(sdk, await create_setup(sdk), ASKS)
    assert intent.next_action.type == "use_stripe_sdk"
    sandbox.authenticate(intent.id, "failed")
    left = await sdk.v1.setup_intents.retrieve_async(intent.id, {"expand": ["latest_attempt"]})
    assert (left.status, left.payment_method, left.next_action) == ("requires_payment_method", None, None)
    assert left.last_setup_error.code == "setup_intent_authentication_failure"
    assert left.latest_attempt.status == "failed"
    assert (await event_types(sdk))[-1] == "setup_intent.setup_failed"
    assert (await confirm_setup(sdk, intent)).status == "succeeded"


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
async def test_a_bank_account_is_processing_until_the_bank_answers(
    sdk: Any, sandbox: Sandbox, outcome: Any
) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_setup(sdk, customer=customer.id, confirm=True, **BANK)
    assert intent.status == "processing"
    with pytest.raises(stripe.InvalidRequestError, match="cannot cancel this SetupIntent"):
        await sdk.v1.setup_intents.cancel_async(intent.id)
    sandbox.settle(intent.id, outcome)
    left = await sdk.v1.setup_intents.retrieve_async(intent.id)
    if outcome == "succeeded":
        assert left.status == "succeeded"
        assert await kept(sdk, customer) == [intent.payment_method]
    else:
        assert (left.status, left.last_setup_error.code) == (
            "requires_payment_method",
            "setup_attempt_failed",
        )
        assert await kept(sdk, customer) == []


@pytest.mark.parametrize("end", ["succeeded", "canceled"])
async def test_succeeded_and_canceled_are_final(sdk: Any, end: str) -> None:
    intent = await create_setup(sdk)
    if end == "succeeded":
        await confirm_setup(sdk, intent)
    else:
        asked = {"cancellation_reason": "abandoned"}
        canceled = await sdk.v1.setup_intents.cancel_async(intent.id, asked)
        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
        assert (await event_types(sdk))[-1] == "setup_intent.canceled"
    before = await event_types(sdk)
    for attempt in (
        confirm_setup(sdk, intent),
        sdk.v1.setup_intents.cancel_async(intent.id),
        sdk.v1.setup_intents.update_async(intent.id, {"payment_method": "pm_card_visa"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await attempt
        assert (told(refused).http_status, told(refused).code) == (400, "setup_intent_unexpected_state")
        assert told(refused).error.setup_intent.status == end
    assert await event_types(sdk) == before


async def test_what_is_canceled_while_the_buyer_is_asked_is_never_kept(sdk: Any, sandbox: Sandbox) -> None:
    intent = await confirm_setup(sdk, await create_setup(sdk), ASKS)
    canceled = await sdk.v1.setup_intents.cancel_async(intent.id, {"expand": ["latest_attempt"]})
    assert (canceled.status, canceled.latest_attempt.status) == ("canceled", "abandoned")
    with pytest.raises(Exception, match="needs no action"):
        sandbox.authenticate(intent.id)


async def test_a_customer_deleted_meanwhile_is_given_nothing(sdk: Any, sandbox: Sandbox) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await confirm_setup(sdk, await create_setup(sdk, customer=customer.id), ASKS)
    await sdk.v1.customers.delete_async(customer.id)
    sandbox.authenticate(intent.id)
    method = await sdk.v1.payment_methods.retrieve_async(intent.payment_method)
    assert method.customer is None


async def test_the_same_key_sets_up_once(sdk: Any) -> None:
    intent = await create_setup(sdk)
    options = {"idempotency_key": "once"}
    asked = {"payment_method": "pm_card_visa"}
    first = await sdk.v1.setup_intents.confirm_async(intent.id, asked, options)
    again = await sdk.v1.setup_intents.confirm_async(intent.id, asked, options)
    assert again.to_dict() == first.to_dict()
    assert (await event_types(sdk)).count("setup_intent.succeeded") == 1
