"""docs.stripe.com/payments/paymentintents/lifecycle and docs.stripe.com/api/payment_intents"""

from typing import Any

import pytest

from tests.conformance.api import Api, intent_for


async def test_an_intent_waits_for_a_method_then_for_confirmation_then_is_paid(stripe: Api) -> None:
    """docs.stripe.com/payments/paymentintents/lifecycle: `requires_payment_method`, `requires_confirmation`,
    `succeeded`"""
    intent = await intent_for(stripe, 1099)
    assert (intent["status"], intent["amount_received"]) == ("requires_payment_method", 0)
    path = f"payment_intents/{intent['id']}"
    ready = (await stripe.post(path, payment_method="pm_card_visa")).ok()
    assert ready["status"] == "requires_confirmation"
    paid = (await stripe.post(f"{path}/confirm")).ok()
    assert (paid["status"], paid["amount_received"], paid["last_payment_error"]) == ("succeeded", 1099, None)
    assert (await stripe.get(path)).ok() == paid


async def test_an_intent_may_be_confirmed_as_it_is_created(stripe: Api) -> None:
    """`confirm` in docs.stripe.com/api/payment_intents/create"""
    assert (await intent_for(stripe, payment_method="pm_card_visa", confirm=True))["status"] == "succeeded"


async def test_each_attempt_is_a_charge_and_the_intent_names_the_newest(stripe: Api) -> None:
    """`latest_charge` in docs.stripe.com/api/payment_intents/object; docs.stripe.com/api/charges/list"""
    intent = await intent_for(stripe, metadata={"session": "1"})
    confirm = f"payment_intents/{intent['id']}/confirm"
    assert (await stripe.post(confirm, payment_method="pm_card_visa_chargeDeclined")).status == 402
    paid = (await stripe.post(confirm, payment_method="pm_card_visa")).ok()
    charges = (await stripe.get("charges", payment_intent=intent["id"])).ok()["data"]
    assert {charge["status"] for charge in charges} == {"failed", "succeeded"}
    (succeeded,) = [charge for charge in charges if charge["status"] == "succeeded"]
    assert succeeded["id"] == paid["latest_charge"]
    assert (succeeded["paid"], succeeded["captured"], succeeded["amount_captured"]) == (True, True, 1099)
    assert succeeded["metadata"] == {"session": "1"}


async def test_an_open_intent_may_be_changed(stripe: Api) -> None:
    """docs.stripe.com/api/payment_intents/update"""
    intent = await intent_for(stripe)
    path = f"payment_intents/{intent['id']}"
    changed = (await stripe.post(path, amount=2099, description="two", metadata={"a": "1"})).ok()
    assert (changed["amount"], changed["description"], changed["metadata"]) == (2099, "two", {"a": "1"})
    assert changed["client_secret"] == intent["client_secret"]


async def test_an_intent_may_get_its_customer_later(stripe: Api) -> None:
    """`customer` in docs.stripe.com/api/payment_intents/update"""
    customer = (await stripe.post("customers")).ok()["id"]
    intent = await intent_for(stripe)
    changed = await stripe.post(f"payment_intents/{intent['id']}", customer=customer)
    assert changed.ok()["customer"] == customer


@pytest.mark.parametrize("reason", ["duplicate", "fraudulent", "requested_by_customer", "abandoned"])
async def test_an_intent_is_canceled_for_a_reason(stripe: Api, reason: str) -> None:
    """`cancellation_reason` in docs.stripe.com/api/payment_intents/cancel"""
    intent = await intent_for(stripe)
    canceled = (await stripe.post(f"payment_intents/{intent['id']}/cancel", cancellation_reason=reason)).ok()
    assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", reason)
    assert canceled["canceled_at"] >= intent["created"]


@pytest.mark.parametrize("end", ["succeeded", "canceled"])
@pytest.mark.parametrize("attempt", ["confirm", "cancel"])
async def test_succeeded_and_canceled_are_final(stripe: Api, end: str, attempt: str) -> None:
    """docs.stripe.com/payments/paymentintents/lifecycle; docs.stripe.com/api/payment_intents/cancel: which
    statuses may be canceled; docs.stripe.com/error-codes#payment-intent-unexpected-state"""
    intent = await intent_for(stripe, payment_method="pm_card_visa")
    path = f"payment_intents/{intent['id']}"
    over = (await stripe.post(f"{path}/{'confirm' if end == 'succeeded' else 'cancel'}")).ok()
    given: dict[str, Any] = {"payment_method": "pm_card_visa"} if attempt == "confirm" else {}
    refused = await stripe.post(f"{path}/{attempt}", **given)
    assert (refused.status, refused.error["code"]) == (400, "payment_intent_unexpected_state")
    assert refused.error["payment_intent"]["status"] == end
    assert (await stripe.get(path)).ok() == over


async def test_the_amount_of_a_paid_intent_is_fixed_and_its_description_is_not(stripe: Api) -> None:
    """docs.stripe.com/api/payment_intents/update; /error-codes#payment-intent-unexpected-state"""
    intent = await intent_for(stripe, payment_method="pm_card_visa", confirm=True)
    path = f"payment_intents/{intent['id']}"
    assert (await stripe.post(path, amount=2099)).error["code"] == "payment_intent_unexpected_state"
    assert (await stripe.post(path, description="late")).ok()["description"] == "late"


async def test_intents_are_listed_by_customer(stripe: Api) -> None:
    """`customer` in docs.stripe.com/api/payment_intents/list"""
    customer = (await stripe.post("customers")).ok()["id"]
    made = await intent_for(stripe, customer=customer)
    listed = (await stripe.get("payment_intents", customer=customer)).ok()["data"]
    assert [intent["id"] for intent in listed] == [made["id"]]


async def test_a_bank_debit_is_processing(stripe: Api) -> None:
    """docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-integration:
    `pm_usBankAccount_processing` stays in processing. Takes an account in the United States."""
    made = await stripe.post(
        "payment_intents",
        amount=1099,
        currency="usd",
        payment_method_types=["us_bank_account"],
        payment_method="pm_usBankAccount_processing",
        mandate_data={"customer_acceptance": {"type": "offline"}},
        confirm=True,
    )
    if made.status == 400 and made.error.get("param") == "payment_method_types":
        pytest.skip("this account takes no US bank debits")
    assert (made.ok()["status"], made.ok()["amount_received"]) == ("processing", 0)


async def test_a_browser_sees_an_intent_by_its_client_secret_and_only_part_of_it(
    stripe: Api, browser: Api
) -> None:
    """docs.stripe.com/api/payment_intents/retrieve: with a publishable key, the client secret is required,
    and only a subset of properties is returned."""
    intent = await intent_for(stripe, metadata={"ours": "1"})
    path = f"payment_intents/{intent['id']}"
    assert (await browser.get(path)).status >= 400
    assert (await browser.get(path, client_secret=f"{intent['id']}_secret_guess")).status >= 400
    seen = (await browser.get(path, client_secret=intent["client_secret"])).ok()
    assert (seen["id"], seen["amount"], seen["status"]) == (intent["id"], 1099, "requires_payment_method")
    assert "metadata" not in seen
