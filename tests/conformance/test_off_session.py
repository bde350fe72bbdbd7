"""docs.stripe.com/payments/save-and-reuse: a card is set up while the buyer is there, and charged later."""

from typing import Any

import pytest

from tests.conformance.api import Answer, Api, intent_for, setup_for
from tests.conformance.target import Target


async def kept_card(stripe: Api, target: Target, token: str, **more: Any) -> tuple[str, str]:
    """A customer, and the card that was set up for them. A buyer can be played in the sandbox alone."""
    customer = (await stripe.post("customers")).ok()["id"]
    intent = await setup_for(stripe, customer=customer, payment_method=token, confirm=True, **more)
    if intent["status"] == "requires_action":
        if target.sandbox is None:
            pytest.skip("nobody is there to authenticate")
        target.sandbox.authenticate(intent["id"])
    return customer, intent["payment_method"]


async def charge(stripe: Api, customer: str, method: str) -> Answer:
    return await stripe.post(
        "payment_intents",
        amount=1099,
        currency="usd",
        payment_method_types=["card"],
        customer=customer,
        payment_method=method,
        off_session=True,
        confirm=True,
    )


async def test_a_kept_card_is_charged_at_once(stripe: Api, target: Target) -> None:
    """docs.stripe.com/payments/save-and-reuse#charge-saved-payment-method: `off_session` and `confirm`"""
    paid = (await charge(stripe, *await kept_card(stripe, target, "pm_card_visa"))).ok()
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 1099)


async def test_a_card_set_up_for_nobody_is_attached_later_and_charged(stripe: Api) -> None:
    """docs.stripe.com/api/payment_methods/attach; docs.stripe.com/payments/save-and-reuse"""
    done = await setup_for(stripe, payment_method="pm_card_visa", confirm=True)
    customer = (await stripe.post("customers")).ok()["id"]
    path = f"payment_methods/{done['payment_method']}/attach"
    assert (await stripe.post(path, customer=customer)).ok()["customer"] == customer
    assert (await charge(stripe, customer, done["payment_method"])).ok()["status"] == "succeeded"


async def test_card_0341_is_kept_and_declines_when_charged(stripe: Api, target: Target) -> None:
    """docs.stripe.com/testing#declined-payments: decline after attaching."""
    declined = await charge(stripe, *await kept_card(stripe, target, "pm_card_chargeCustomerFail"))
    assert (declined.status, declined.error["code"]) == (402, "card_declined")
    left = declined.error["payment_intent"]
    assert left["status"] == "requires_payment_method"
    assert left["last_payment_error"]["code"] == "card_declined"


async def test_a_card_that_always_asks_declines_when_nobody_is_there(stripe: Api, target: Target) -> None:
    """docs.stripe.com/testing#authentication-and-setup: always authenticate; `authentication_required` in
    docs.stripe.com/declines/codes and docs.stripe.com/error-codes."""
    declined = await charge(stripe, *await kept_card(stripe, target, "pm_card_authenticationRequired"))
    error = declined.error
    assert (declined.status, error["type"]) == (402, "card_error")
    assert (error["code"], error["decline_code"]) == ("authentication_required",) * 2
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_method"]["object"] == "payment_method"


async def test_a_card_that_asks_unless_set_up_is_charged_once_it_was(stripe: Api, target: Target) -> None:
    """docs.stripe.com/testing#authentication-and-setup: authenticate unless set up."""
    token = "pm_card_authenticationRequiredOnSetup"
    paid = (await charge(stripe, *await kept_card(stripe, target, token))).ok()
    assert paid["status"] == "succeeded"


async def test_a_card_that_asks_unless_set_up_declines_without(stripe: Api) -> None:
    """docs.stripe.com/testing#authentication-and-setup; docs.stripe.com/api/payment_methods/attach: attaching
    alone does not make later payments possible."""
    customer = (await stripe.post("customers")).ok()["id"]
    path = "payment_methods/pm_card_authenticationRequiredOnSetup/attach"
    method = (await stripe.post(path, customer=customer)).ok()["id"]
    declined = await charge(stripe, customer, method)
    assert (declined.status, declined.error["code"]) == (402, "authentication_required")


async def test_another_customers_card_is_not_charged(stripe: Api, target: Target) -> None:
    """`customer` in docs.stripe.com/api/payment_intents/create: payment methods attached to other customers
    cannot be used with this intent."""
    _, method = await kept_card(stripe, target, "pm_card_visa")
    other = (await stripe.post("customers")).ok()["id"]
    refused = await charge(stripe, other, method)
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")


async def test_nobody_is_away_before_confirmation(stripe: Api) -> None:
    """`off_session` in docs.stripe.com/api/payment_intents/create: only with `confirm`."""
    refused = await stripe.post("payment_intents", amount=1099, currency="usd", off_session=True)
    assert (refused.status, refused.error["param"]) == (400, "off_session")


async def test_a_payment_without_a_customer_can_keep_its_card_too(stripe: Api) -> None:
    """`setup_future_usage` in docs.stripe.com/api/payment_intents/create: without a customer, the
    payment method can still be attached to one after the payment."""
    paid = await intent_for(
        stripe, payment_method="pm_card_visa", setup_future_usage="off_session", confirm=True
    )
    customer = (await stripe.post("customers")).ok()["id"]
    path = f"payment_methods/{paid['payment_method']}/attach"
    assert (await stripe.post(path, customer=customer)).ok()["customer"] == customer
    assert (await charge(stripe, customer, paid["payment_method"])).ok()["status"] == "succeeded"


async def test_a_payment_can_keep_its_card_for_later(stripe: Api) -> None:
    """`setup_future_usage` in docs.stripe.com/api/payment_intents/create;
    docs.stripe.com/payments/save-during-payment"""
    customer = (await stripe.post("customers")).ok()["id"]
    paid = await stripe.post(
        "payment_intents",
        amount=1099,
        currency="usd",
        payment_method_types=["card"],
        customer=customer,
        payment_method="pm_card_visa",
        setup_future_usage="off_session",
        confirm=True,
    )
    listed = (await stripe.get(f"customers/{customer}/payment_methods")).ok()["data"]
    assert [method["id"] for method in listed] == [paid.ok()["payment_method"]]
    assert (await charge(stripe, customer, listed[0]["id"])).ok()["status"] == "succeeded"
