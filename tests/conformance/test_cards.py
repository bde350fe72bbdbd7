"""docs.stripe.com/testing and docs.stripe.com/declines/codes"""

from typing import Any

import pytest

from tests.conformance.api import Api, intent_for
from tests.conformance.target import Target

DECLINES = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
]


def card(number: str, **more: Any) -> dict[str, Any]:
    return {"number": number, "exp_month": 12, "exp_year": 2098, "cvc": "123", **more}


@pytest.fixture
def raw_cards(target: Target) -> None:
    """docs.stripe.com/testing#cards: tokens are for all; numbers take an account that may send them."""
    if not target.raw_cards:
        pytest.skip("STRIPE_CONFORMANCE_RAW_CARDS is not 1: the account may not send card numbers")


@pytest.mark.parametrize(
    ("token", "brand", "last4"),
    [
        ("pm_card_visa", "visa", "4242"),
        ("pm_card_visa_debit", "visa", "5556"),
        ("pm_card_mastercard", "mastercard", "4444"),
        ("pm_card_amex", "amex", "0005"),
    ],
)
async def test_a_good_card_pays(stripe: Api, token: str, brand: str, last4: str) -> None:
    """docs.stripe.com/testing#cards"""
    paid = await intent_for(stripe, payment_method=token, confirm=True, expand=["payment_method"])
    assert paid["status"] == "succeeded"
    shown = paid["payment_method"]["card"]
    assert (shown["brand"], shown["last4"]) == (brand, last4)
    assert paid["payment_method"]["id"] != token


@pytest.mark.parametrize(("token", "code", "decline_code"), DECLINES)
async def test_a_declined_card_is_402_and_the_intent_waits_for_another(
    stripe: Api, token: str, code: str, decline_code: str | None
) -> None:
    """docs.stripe.com/testing#declined-payments; docs.stripe.com/api/errors: 402, `card_error`, `code`,
    `decline_code`; docs.stripe.com/payments/paymentintents/lifecycle: back to `requires_payment_method`."""
    intent = await intent_for(stripe)
    path = f"payment_intents/{intent['id']}"
    declined = await stripe.post(f"{path}/confirm", payment_method=token)
    error = declined.error
    assert (declined.status, error["type"], error["code"]) == (402, "card_error", code)
    if decline_code is not None:
        assert error["decline_code"] == decline_code
    assert error["message"]
    left = (await stripe.get(path)).ok()
    assert (left["status"], left["amount_received"]) == ("requires_payment_method", 0)
    assert error["payment_intent"]["id"] == left["id"]
    assert left["last_payment_error"]["code"] == code
    assert left["last_payment_error"]["charge"] == left["latest_charge"] == error["charge"]
    charge = (await stripe.get(f"charges/{error['charge']}")).ok()
    assert (charge["status"], charge["paid"], charge["failure_code"]) == ("failed", False, code)


async def test_after_a_decline_another_card_pays(stripe: Api) -> None:
    """docs.stripe.com/payments/paymentintents/lifecycle: the payment can be tried again."""
    intent = await intent_for(stripe)
    path = f"payment_intents/{intent['id']}/confirm"
    assert (await stripe.post(path, payment_method="pm_card_visa_chargeDeclined")).status == 402
    paid = (await stripe.post(path, payment_method="pm_card_visa")).ok()
    assert (paid["status"], paid["last_payment_error"]) == ("succeeded", None)


async def test_a_card_is_kept_with_its_customer_until_it_is_detached(stripe: Api) -> None:
    """docs.stripe.com/api/payment_methods/attach, /customer_list, /detach: then it is of no more use."""
    customer = (await stripe.post("customers")).ok()["id"]
    kept = (await stripe.post("payment_methods/pm_card_visa/attach", customer=customer)).ok()
    assert kept["customer"] == customer
    listed = (await stripe.get(f"customers/{customer}/payment_methods")).ok()["data"]
    assert [method["id"] for method in listed] == [kept["id"]]
    detached = (await stripe.post(f"payment_methods/{kept['id']}/detach")).ok()
    assert detached["customer"] is None
    assert (await stripe.get(f"customers/{customer}/payment_methods")).ok()["data"] == []
    assert (await stripe.post(f"payment_methods/{kept['id']}/attach", customer=customer)).status == 400


async def test_a_card_that_declines_when_charged_can_be_attached(stripe: Api) -> None:
    """docs.stripe.com/testing#declined-payments: 4000000000000341, decline after attaching."""
    customer = (await stripe.post("customers")).ok()["id"]
    path = "payment_methods/pm_card_chargeCustomerFail/attach"
    kept = (await stripe.post(path, customer=customer)).ok()
    intent = await intent_for(stripe, customer=customer)
    declined = await stripe.post(f"payment_intents/{intent['id']}/confirm", payment_method=kept["id"])
    assert (declined.status, declined.error["code"]) == (402, "card_declined")


@pytest.mark.usefixtures("raw_cards")
async def test_a_typed_card_shows_its_last_digits_and_pays(stripe: Api) -> None:
    """docs.stripe.com/api/payment_methods/create; docs.stripe.com/testing#cards"""
    made = (await stripe.post("payment_methods", type="card", card=card("4242424242424242"))).ok()
    assert (made["card"]["last4"], made["card"]["exp_year"]) == ("4242", 2098)
    assert "4242424242424242" not in str(made)
    paid = await intent_for(stripe, payment_method=made["id"], confirm=True)
    assert paid["status"] == "succeeded"


@pytest.mark.usefixtures("raw_cards")
@pytest.mark.parametrize(
    ("number", "decline_code"),
    [("4000000000000002", "generic_decline"), ("4000000000009995", "insufficient_funds")],
)
async def test_a_typed_card_is_declined(stripe: Api, number: str, decline_code: str) -> None:
    """docs.stripe.com/testing#declined-payments"""
    made = (await stripe.post("payment_methods", type="card", card=card(number))).ok()
    intent = await intent_for(stripe)
    declined = await stripe.post(f"payment_intents/{intent['id']}/confirm", payment_method=made["id"])
    assert (declined.status, declined.error["decline_code"]) == (402, decline_code)


@pytest.mark.usefixtures("raw_cards")
@pytest.mark.parametrize(
    ("given", "code"),
    [
        (card("4242424242424241"), "incorrect_number"),
        (card("4242424242424242", exp_month=13), "invalid_expiry_month"),
        (card("4242424242424242", exp_year=2020), "invalid_expiry_year"),
    ],
)
async def test_a_mistyped_card_is_a_card_error(stripe: Api, given: dict[str, Any], code: str) -> None:
    """docs.stripe.com/testing#invalid-data; docs.stripe.com/error-codes#incorrect-number,
    #invalid-expiry-month, #invalid-expiry-year; docs.stripe.com/api/errors#errors-type: `card_error`"""
    refused = await stripe.post("payment_methods", type="card", card=given)
    assert (refused.status, refused.error["type"], refused.error["code"]) == (402, "card_error", code)
