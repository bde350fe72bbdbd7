from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import confirm_intent, create_intent, event_types, told


async def test_an_open_intent_can_be_changed_and_a_final_one_still_described(sdk: Any) -> None:
    intent = await create_intent(sdk)
    changed = await sdk.v1.payment_intents.update_async(
        intent.id, {"amount": 700, "payment_method": "pm_card_visa"}
    )
    assert (changed.amount, changed.status) == (700, "requires_confirmation")
    assert (await sdk.v1.payment_intents.confirm_async(intent.id)).amount_received == 700
    described = await sdk.v1.payment_intents.update_async(intent.id, {"metadata": {"note": "late"}})
    assert described.metadata.to_dict() == {"note": "late"}


async def test_a_paid_intent_can_be_described_after_its_card_went_to_a_customer(sdk: Any) -> None:
    paid = await confirm_intent(sdk, await create_intent(sdk, setup_future_usage="off_session"))
    customer = await sdk.v1.customers.create_async({})
    await sdk.v1.payment_methods.attach_async(paid.payment_method, {"customer": customer.id})
    described = await sdk.v1.payment_intents.update_async(paid.id, {"description": "late"})
    assert (described.description, described.status) == ("late", "succeeded")


@pytest.mark.parametrize("waits_for", ["a method", "confirmation", "the buyer"])
async def test_an_intent_can_be_changed_while_it_waits(sdk: Any, waits_for: str) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_intent(sdk, metadata={"a": "1"})
    if waits_for == "confirmation":
        await sdk.v1.payment_intents.update_async(intent.id, {"payment_method": "pm_card_visa"})
    elif waits_for == "the buyer":
        await confirm_intent(sdk, intent, "pm_card_authenticationRequired")
    given: Any = {"amount": 700, "customer": customer.id, "metadata": {"b": "2"}, "receipt_email": "a@b.c"}
    changed = await sdk.v1.payment_intents.update_async(intent.id, given)
    assert (changed.amount, changed.customer, changed.receipt_email) == (700, customer.id, "a@b.c")
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    assert (await confirm_intent(sdk, intent)).amount_received == 700


async def test_what_a_bank_is_processing_is_fixed(sdk: Any) -> None:
    bank: Any = {"payment_method": "pm_usBankAccount", "payment_method_types": ["us_bank_account"]}
    intent = await create_intent(sdk, currency="usd", confirm=True, **bank)
    customer = await sdk.v1.customers.create_async({})
    for field, value in {"amount": 700, "currency": "eur", "customer": customer.id}.items():
        with pytest.raises(stripe.InvalidRequestError, match=f"{field} could not be updated") as refused:
            await sdk.v1.payment_intents.update_async(intent.id, {field: value})
        assert told(refused).code == "payment_intent_unexpected_state"
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).to_dict() == intent.to_dict()


async def test_an_intent_stays_with_the_customer_it_has(sdk: Any) -> None:
    customer, other = [await sdk.v1.customers.create_async({}) for _ in range(2)]
    intent = await create_intent(sdk, customer=customer.id)
    await sdk.v1.payment_intents.update_async(intent.id, {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="once it already has been set") as refused:
        await sdk.v1.payment_intents.update_async(intent.id, {"customer": other.id})
    assert told(refused).param == "customer"


async def test_without_confirmation_nobody_is_away(sdk: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await create_intent(sdk, off_session=True)
    assert told(refused).param == "off_session"


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"amount": 49, "currency": "usd"}, "amount_too_small", "amount"),
        ({"amount": 49, "currency": "EUR"}, "amount_too_small", "amount"),
        ({"amount": 100_000_000, "currency": "usd"}, "amount_too_large", "amount"),
        ({"amount": 0, "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": "lots", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 5124, "currency": "kwd"}, None, "amount"),
        ({"amount": 550, "currency": "isk"}, "invalid_charge_amount_no_decimal_compatible", "amount"),
        ({"amount": 500}, "parameter_missing", "currency"),
        ({"amount": 500, "currency": "xxx"}, None, "currency"),
        ({"amount": 500, "currency": "usd", "colour": "red"}, "parameter_unknown", "colour"),
        ({"amount": 500, "currency": "usd", "customer": "cus_1"}, "resource_missing", "customer"),
        (
            {"amount": 500, "currency": "usd", "automatic_payment_methods": {"enable": True}},
            "parameter_unknown",
            "automatic_payment_methods[enable]",
        ),
        ({"amount": 500, "currency": "usd", "confirm": "perhaps"}, None, "confirm"),
        ({"amount": 500, "currency": "usd", "payment_method": "pm_x"}, "resource_missing", "payment_method"),
        ({"amount": 500, "currency": "usd", "expand": ["nonsense"]}, None, "expand"),
        (
            {"amount": 500, "currency": "eur", "payment_method": "pm_usBankAccount"},
            "payment_intent_incompatible_payment_method",
            "payment_method",
        ),
        (
            {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True},
            None,
            "return_url",
        ),
    ],
)
async def test_bad_parameters_are_named_and_nothing_happens(
    sdk: Any, given: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sdk.v1.payment_intents.create_async(given)
    assert (told(refused).http_status, told(refused).code, told(refused).param) == (400, code, param)
    assert (await sdk.v1.payment_intents.list_async()).data == []
    assert await event_types(sdk) == []


async def test_without_redirects_automatic_methods_need_no_return_url(sdk: Any) -> None:
    never = {"enabled": True, "allow_redirects": "never"}
    intent = await sdk.v1.payment_intents.create_async(
        {"amount": 500, "currency": "usd", "automatic_payment_methods": never}
    )
    assert (await confirm_intent(sdk, intent)).status == "succeeded"


async def test_confirming_without_a_method_is_refused(sdk: Any) -> None:
    intent = await create_intent(sdk)
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        await sdk.v1.payment_intents.confirm_async(intent.id)


async def test_intents_are_listed_by_customer_and_searched_by_metadata(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    ours = await create_intent(sdk, customer=customer.id, metadata={"session": "cs_1"})
    await create_intent(sdk, metadata={"session": "cs_2"})
    listed = await sdk.v1.payment_intents.list_async({"customer": customer.id, "expand": ["data.customer"]})
    assert [(found.id, found.customer.id) for found in listed.data] == [(ours.id, customer.id)]
    found = await sdk.v1.payment_intents.search_async({"query": "metadata['session']:'cs_1'"})
    assert [intent.id for intent in found.data] == [ours.id]
