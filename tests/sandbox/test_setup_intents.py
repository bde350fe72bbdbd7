from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import confirm_setup, create_setup, event_types, told

TYPED = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2098, "cvc": "123"}


async def test_an_open_intent_can_be_changed_and_a_final_one_still_described(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_setup(sdk, description="one", metadata={"a": "1"})
    given = {
        "customer": customer.id,
        "payment_method": "pm_card_visa",
        "description": "two",
        "metadata": {"b": "2"},
    }
    changed = await sdk.v1.setup_intents.update_async(intent.id, given)
    assert (changed.status, changed.customer, changed.description) == (
        "requires_confirmation",
        customer.id,
        "two",
    )
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    assert (await sdk.v1.setup_intents.confirm_async(intent.id)).status == "succeeded"
    described = await sdk.v1.setup_intents.update_async(intent.id, {"metadata": {"note": "late"}})
    assert described.metadata.to_dict() == {"a": "1", "b": "2", "note": "late"}
    for given in ({"customer": customer.id}, {"payment_method_types": ["card"]}):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await sdk.v1.setup_intents.update_async(intent.id, given)
        assert told(refused).code == "setup_intent_unexpected_state"


async def test_an_update_can_let_in_the_method_that_it_brings(sdk: Any) -> None:
    intent = await create_setup(sdk)
    bank = {"payment_method": "pm_usBankAccount"}
    with pytest.raises(stripe.InvalidRequestError, match="not allowed for this SetupIntent"):
        await sdk.v1.setup_intents.update_async(intent.id, bank)
    types = ["card", "us_bank_account"]
    changed = await sdk.v1.setup_intents.update_async(intent.id, {**bank, "payment_method_types": types})
    assert (changed.status, changed.payment_method_types) == ("requires_confirmation", types)


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"customer": "cus_1"}, "resource_missing", "customer"),
        ({"payment_method": "pm_x"}, "resource_missing", "payment_method"),
        ({"usage": "sometimes"}, None, "usage"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"confirm": "perhaps"}, None, "confirm"),
        ({"expand": ["latest_charge"]}, None, "expand"),
        ({"payment_method": "pm_card_visa", "confirm": True}, None, "return_url"),
        ({"payment_method_types": ["card"], "payment_method": "pm_usBankAccount"},
         "setup_intent_incompatible_payment_method", "payment_method"),
        ({"payment_method_types": ["card"], "automatic_payment_methods": {"enabled": True}},
         "parameters_exclusive", None),
    ],
)  # fmt: skip
async def test_bad_parameters_are_named_and_nothing_happens(
    sdk: Any, given: dict[str, Any], code: str | None, param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sdk.v1.setup_intents.create_async(given)
    assert (told(refused).http_status, told(refused).code, told(refused).param) == (400, code, param)
    assert (await sdk.v1.setup_intents.list_async()).data == []
    assert await event_types(sdk) == []


async def test_an_intent_that_is_none_is_not_found(sdk: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such setupintent: 'seti_1'") as refused:
        await sdk.v1.setup_intents.retrieve_async("seti_1")
    assert (told(refused).http_status, told(refused).code) == (404, "resource_missing")


async def test_without_redirects_automatic_methods_need_no_return_url(sdk: Any) -> None:
    never = {"enabled": True, "allow_redirects": "never"}
    intent = await sdk.v1.setup_intents.create_async({"automatic_payment_methods": never})
    assert (await confirm_setup(sdk, intent)).status == "succeeded"


async def test_confirming_without_a_method_is_refused(sdk: Any) -> None:
    intent = await create_setup(sdk)
    with pytest.raises(stripe.InvalidRequestError, match="this SetupIntent because it's missing a payment"):
        await sdk.v1.setup_intents.confirm_async(intent.id)


async def test_another_customers_card_cannot_be_set_up(sdk: Any) -> None:
    owner, other = [await sdk.v1.customers.create_async({}) for _ in range(2)]
    method = await sdk.v1.payment_methods.attach_async("pm_card_visa", {"customer": owner.id})
    for given in ({"customer": other.id}, {}):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await create_setup(sdk, payment_method=method.id, **given)
        assert told(refused).param == "payment_method"
        intent = await create_setup(sdk, **given)
        with pytest.raises(stripe.InvalidRequestError):
            await confirm_setup(sdk, intent, method.id)


async def test_a_customers_own_card_can_be_set_up_again_and_is_attached_once(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    method = await sdk.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    done = await create_setup(sdk, customer=customer.id, payment_method=method.id, confirm=True)
    assert (done.status, done.payment_method) == ("succeeded", method.id)
    assert (await event_types(sdk)).count("payment_method.attached") == 1


async def test_intents_are_listed_by_customer_and_by_method(sdk: Any) -> None:
    customer = await sdk.v1.customers.create_async({})
    ours = await create_setup(sdk, customer=customer.id, payment_method="pm_card_visa", confirm=True)
    other = await create_setup(sdk)
    listed = await sdk.v1.setup_intents.list_async({"customer": customer.id, "expand": ["data.customer"]})
    assert [(found.id, found.customer.id) for found in listed.data] == [(ours.id, customer.id)]
    by_method = await sdk.v1.setup_intents.list_async({"payment_method": ours.payment_method})
    assert [found.id for found in by_method.data] == [ours.id]
    assert [found.id for found in (await sdk.v1.setup_intents.list_async()).data] == [other.id, ours.id]


async def test_a_buyer_sets_up_a_typed_card_with_the_client_secret_and_sees_no_more(
    sdk: Any, buyer: Any
) -> None:
    customer = await sdk.v1.customers.create_async({})
    intent = await create_setup(sdk, customer=customer.id, metadata={"secret": "ours"})
    for given in ({}, {"client_secret": f"{intent.id}_secret_guess"}):
        for call in (buyer.v1.setup_intents.retrieve_async, buyer.v1.setup_intents.confirm_async):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                await call(intent.id, given)
            assert told(refused).param == "client_secret"
    method = await buyer.v1.payment_methods.create_async({"type": "card", "card": TYPED})
    given = {"client_secret": intent.client_secret, "payment_method": method.id}
    done = await buyer.v1.setup_intents.confirm_async(intent.id, given)
    seen = await buyer.v1.setup_intents.retrieve_async(intent.id, {"client_secret": intent.client_secret})
    assert (done.status, seen.to_dict()) == ("succeeded", done.to_dict())
    assert {"metadata", "customer", "latest_attempt"}.isdisjoint(done.to_dict())


async def test_a_method_may_be_described_in_place(sdk: Any) -> None:
    intent = await create_setup(sdk, payment_method_types=["us_bank_account"])
    account = {"account_number": "000123456789", "routing_number": "110000000"}
    given = {"type": "us_bank_account", "us_bank_account": account, "billing_details": {"name": "Ada"}}
    done = await sdk.v1.setup_intents.confirm_async(
        intent.id, {"payment_method_data": given, "expand": ["payment_method"]}
    )
    assert (done.status, done.payment_method.billing_details.name) == ("processing", "Ada")


async def test_a_buyers_decline_tells_no_more_than_the_intent_does(sdk: Any, buyer: Any) -> None:
    intent = await create_setup(sdk, metadata={"secret": "ours"})
    with pytest.raises(stripe.CardError) as declined:
        await confirm_setup(buyer, intent, "pm_card_visa_chargeDeclined", client_secret=intent.client_secret)
    assert told(declined).error.setup_intent.id == intent.id
    assert "metadata" not in told(declined).error.setup_intent.to_dict()


async def test_a_buyer_neither_makes_nor_cancels_an_intent(sdk: Any, buyer: Any) -> None:
    intent = await create_setup(sdk)
    for attempt in (create_setup(buyer), buyer.v1.setup_intents.cancel_async(intent.id)):
        with pytest.raises(stripe.PermissionError):
            await attempt
