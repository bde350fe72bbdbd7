from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import told


def card(number: str, **more: Any) -> Any:
    return {
        "type": "card",
        "card": {"number": number, "exp_month": 12, "exp_year": 2098, "cvc": "123", **more},
    }


async def pay(sdk: Any, method: Any) -> Any:
    return await sdk.v1.payment_intents.create_async(
        {
            "amount": 500,
            "currency": "usd",
            "payment_method_types": ["card"],
            "payment_method": method.id,
            "confirm": True,
        }
    )


async def test_a_typed_card_shows_its_last_digits_only_and_pays(sdk: Any) -> None:
    method = await sdk.v1.payment_methods.create_async(
        {**card("4242 4242 4242 4242"), "billing_details": {"name": "Ada", "address": {"country": "GB"}}}
    )
    assert (method.card.last4, method.card.exp_year, method.billing_details.name) == ("4242", 2098, "Ada")
    assert "4242424242424242" not in str(method)
    assert (await pay(sdk, method)).status == "succeeded"


@pytest.mark.parametrize(
    ("number", "decline_code"),
    [("4000000000000002", "generic_decline"), ("4000000000009995", "insufficient_funds")],
)
async def test_a_declining_number_declines(sdk: Any, number: str, decline_code: str) -> None:
    method = await sdk.v1.payment_methods.create_async(card(number))
    with pytest.raises(stripe.CardError) as declined:
        await pay(sdk, method)
    assert told(declined).error.decline_code == decline_code


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4111111111111111", "card_declined", "test_mode_live_card"),
        ("4242424242424241", "incorrect_number", "incorrect_number"),
    ],
)
async def test_numbers_that_are_no_test_cards_are_refused(
    sdk: Any, number: str, code: str | None, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await sdk.v1.payment_methods.create_async(card(number))
    assert (told(refused).code, told(refused).error.decline_code) == (code, decline_code)


@pytest.mark.parametrize(
    ("given", "code"),
    [({"exp_month": 13}, "invalid_expiry_month"), ({"exp_year": 2020}, "invalid_expiry_year")],
)
async def test_a_card_past_its_date_is_refused(sdk: Any, given: dict[str, Any], code: str | None) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await sdk.v1.payment_methods.create_async(card("4242424242424242", **given))
    assert (told(refused).http_status, told(refused).code) == (402, code)


async def test_an_attached_card_is_listed_until_its_customer_is_deleted(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    method = await sdk.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    asked = {"customer": customer.id, "type": "card"}
    assert [kept.id for kept in (await sdk.v1.payment_methods.list_async(asked)).data] == [method.id]
    await sdk.v1.customers.delete_async(customer.id)
    assert (await sdk.v1.payment_methods.retrieve_async(method.id)).customer is None


async def test_a_detached_card_belongs_to_nobody(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    method = await sdk.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    assert (await sdk.v1.payment_methods.detach_async(method.id)).customer is None
    assert (await sdk.v1.customers.payment_methods.list_async(customer.id)).data == []
    [event] = (await sdk.v1.events.list_async({"type": "payment_method.detached"})).data
    assert event.data.previous_attributes.to_dict() == {"customer": customer.id}
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        await sdk.v1.payment_methods.detach_async(method.id)
    for use in (pay(sdk, method), sdk.v1.payment_methods.attach_async(method.id, {"customer": customer.id})):
        with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
            await use
    assert (await sdk.v1.payment_intents.list_async()).data == []


async def test_a_declining_card_is_refused_when_attached(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    with pytest.raises(stripe.CardError):
        await sdk.v1.payment_methods.attach_async("pm_card_visa_chargeDeclined", {"customer": customer.id})


async def test_card_0341_attaches_and_declines_only_when_charged(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    method = await sdk.v1.payment_methods.create_async(card("4000000000000341"))
    await sdk.v1.payment_methods.attach_async(method.id, {"customer": customer.id})
    intent = {"amount": 500, "currency": "usd", "customer": customer.id, "payment_method_types": ["card"]}
    made = await sdk.v1.payment_intents.create_async(intent)
    with pytest.raises(stripe.CardError):
        await sdk.v1.payment_intents.confirm_async(made.id, {"payment_method": method.id})


async def test_another_customers_card_cannot_pay(sdk: Any) -> None:
    owner = await sdk.v1.customers.create_async({})
    method = await sdk.v1.payment_methods.attach_async("pm_card_visa", {"customer": owner.id})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        await pay(sdk, method)
