from typing import Any

import pytest
import stripe

from adapters.sandbox import Sandbox
from tests.sandbox.conftest import confirm_intent, create_intent, event_types, told

BANK: Any = {
    "confirm": True,
    "payment_method": "pm_usBankAccount",
    "payment_method_types": ["us_bank_account"],
}
DECLINES = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedFraudulent": ("card_declined", "fraudulent"),
    "pm_card_chargeCustomerFail": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error"),
}


async def test_a_good_card_pays(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_intent(
        sdk, customer=customer.id, metadata={"session": "cs_1"}, receipt_email="a@b.c"
    )
    assert (intent.status, intent.latest_charge) == ("requires_payment_method", None)
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    paid = await confirm_intent(sdk, intent, expand=["latest_charge", "customer", "payment_method"])
    assert (paid.status, paid.amount_received) == ("succeeded", 500)
    charge = paid.latest_charge
    assert (charge.status, charge.paid, charge.amount_captured) == ("succeeded", True, 500)
    assert (charge.customer, charge.payment_intent) == (customer.id, intent.id)
    assert charge.metadata.to_dict() == {"session": "cs_1"}
    assert (paid.customer.id, paid.payment_method.card.last4) == (customer.id, "4242")
    assert paid.payment_method.id != "pm_card_visa"
    assert await event_types(sdk) == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


@pytest.mark.parametrize("token", DECLINES)
async def test_each_declining_card_answers_402_with_its_codes_and_leaves_a_failed_charge(
    sdk: Any, token: str
) -> None:
    intent = await create_intent(sdk)
    with pytest.raises(stripe.CardError) as declined:
        await confirm_intent(sdk, intent, token)
    error = told(declined).error
    assert (told(declined).http_status, error.code, error.decline_code) == (402, *DECLINES[token])
    left = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert error.payment_intent.to_dict() == left.to_dict()
    assert (left.status, left.payment_method, left.latest_charge) == (
        "requires_payment_method",
        None,
        error.charge,
    )
    last = left.last_payment_error
    assert (last.code, last.decline_code, last.charge, last.type) == (
        *DECLINES[token],
        error.charge,
        "card_error",
    )
    assert last.payment_method.id == error.payment_method.id
    charge = await sdk.v1.charges.retrieve_async(error.charge)
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, DECLINES[token][0])
    assert (await event_types(sdk))[-2:] == ["charge.failed", "payment_intent.payment_failed"]


async def test_after_a_decline_another_card_pays_the_same_intent_with_a_charge_of_its_own(sdk: Any) -> None:
    intent = await create_intent(sdk)
    with pytest.raises(stripe.CardError):
        await confirm_intent(sdk, intent, "pm_card_chargeDeclined")
    paid = await confirm_intent(sdk, intent)
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    charges = (await sdk.v1.charges.list_async({"payment_intent": intent.id})).data
    assert [(charge.status, charge.id == paid.latest_charge) for charge in charges] == [
        ("succeeded", True),
        ("failed", False),
    ]


async def test_creating_and_confirming_at_once_leaves_the_declined_intent_behind(sdk: Any) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await create_intent(sdk, confirm=True, payment_method="pm_card_chargeDeclined")
    left = await sdk.v1.payment_intents.retrieve_async(told(declined).error.payment_intent.id)
    assert left.status == "requires_payment_method"


async def test_three_d_secure_waits_for_the_buyer_and_then_succeeds(sdk: Any, sandbox: Sandbox) -> None:
    intent = await confirm_intent(
        sdk, await create_intent(sdk), "pm_card_authenticationRequired", return_url="https://shop/x"
    )
    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    assert intent.next_action.redirect_to_url.return_url == "https://shop/x"
    assert intent.next_action.redirect_to_url.url.startswith(sandbox.url)
    assert sandbox.authenticate(intent.id)["status"] == "succeeded"
    assert (await event_types(sdk))[1:] == [
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


async def test_failed_authentication_makes_no_charge_and_the_intent_starts_over(
    sdk: Any, sandbox: Sandbox
) -> None:
    intent = await confirm_intent(sdk, await create_intent(sdk), "pm_card_threeDSecure2Required")
    assert intent.next_action.type == "use_stripe_sdk"
    left = sandbox.authenticate(intent.id, "failed")
    assert (left["status"], left["latest_charge"], left["next_action"]) == (
        "requires_payment_method",
        None,
        None,
    )
    assert left["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert (await event_types(sdk))[-1] == "payment_intent.payment_failed"


async def test_off_session_nobody_can_authenticate(sdk: Any) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await confirm_intent(
            sdk, await create_intent(sdk), "pm_card_authenticationRequired", off_session=True
        )
    assert told(declined).code == "authentication_required"


async def test_a_bank_debit_is_processing_until_the_bank_answers(sdk: Any, sandbox: Sandbox) -> None:
    intent = await create_intent(sdk, currency="usd", **BANK)
    charge = await sdk.v1.charges.retrieve_async(intent.latest_charge)
    assert (intent.status, intent.amount_received, charge.status) == ("processing", 0, "pending")
    assert (await event_types(sdk))[1:] == ["charge.pending", "payment_intent.processing"]
    with pytest.raises(stripe.InvalidRequestError, match="cannot cancel"):
        await sdk.v1.payment_intents.cancel_async(intent.id)
    sandbox.settle(intent.id)
    paid = await sdk.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.latest_charge.id, paid.latest_charge.status) == (
        "succeeded",
        charge.id,
        "succeeded",
    )
    assert (await event_types(sdk))[3:] == ["charge.succeeded", "payment_intent.succeeded"]


async def test_a_bank_can_refuse_a_debit_days_later(sdk: Any, sandbox: Sandbox) -> None:
    intent = await create_intent(sdk, currency="usd", **BANK)
    sandbox.settle(intent.id, "failed")
    left = await sdk.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    assert (left.status, left.latest_charge.status) == ("requires_payment_method", "failed")
    assert left.last_payment_error.charge == intent.latest_charge
    assert (await event_types(sdk))[3:] == ["charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize("end", ["succeeded", "canceled"])
async def test_succeeded_and_canceled_are_final(sdk: Any, end: str) -> None:
    intent = await create_intent(sdk)
    if end == "succeeded":
        await confirm_intent(sdk, intent)
    else:
        canceled = await sdk.v1.payment_intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})
        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
        assert (await event_types(sdk))[-1] == "payment_intent.canceled"
    before = await event_types(sdk)
    for attempt in (
        confirm_intent(sdk, intent),
        sdk.v1.payment_intents.cancel_async(intent.id),
        sdk.v1.payment_intents.update_async(intent.id, {"amount": 700}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await attempt
        assert (told(refused).http_status, told(refused).code) == (400, "payment_intent_unexpected_state")
        assert told(refused).error.payment_intent.status == end
    assert await event_types(sdk) == before


async def test_setup_for_future_use_keeps_the_card_with_the_customer(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_intent(sdk, customer=customer.id, setup_future_usage="off_session")
    paid = await confirm_intent(sdk, intent)
    kept = await sdk.v1.customers.payment_methods.list_async(customer.id)
    assert [method.id for method in kept.data] == [paid.payment_method]
