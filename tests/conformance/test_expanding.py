"""docs.stripe.com/api/expanding_objects"""

from typing import Any

from tests.conformance.api import Api, Json, intent_for


async def paid(stripe: Api, **more: Any) -> Json:
    customer = (await stripe.post("customers", name="Ada")).ok()
    return await intent_for(
        stripe, customer=customer["id"], payment_method="pm_card_visa", confirm=True, **more
    )


async def test_an_id_is_replaced_by_what_it_names_when_asked(stripe: Api) -> None:
    """docs.stripe.com/api/expanding_objects: `expand` with a POST and with a GET."""
    made = await paid(stripe, expand=["latest_charge"])
    assert made["latest_charge"]["object"] == "charge"
    plain = (await stripe.get(f"payment_intents/{made['id']}")).ok()
    assert plain["latest_charge"] == made["latest_charge"]["id"]
    asked = ["customer", "payment_method"]
    found = (await stripe.get(f"payment_intents/{made['id']}", expand=asked)).ok()
    assert (found["customer"]["id"], found["customer"]["name"]) == (plain["customer"], "Ada")
    assert found["payment_method"]["id"] == plain["payment_method"]


async def test_what_is_expanded_can_be_expanded_further(stripe: Api) -> None:
    """docs.stripe.com/api/expanding_objects: recursively, with dots, up to four levels."""
    made = await paid(stripe)
    asked = "latest_charge.payment_intent.customer"
    found = (await stripe.get(f"payment_intents/{made['id']}", expand=[asked])).ok()
    assert found["latest_charge"]["payment_intent"]["customer"]["name"] == "Ada"


async def test_in_lists_expansion_starts_with_data(stripe: Api) -> None:
    """docs.stripe.com/api/expanding_objects: `data.` for lists."""
    made = await paid(stripe)
    listed = (await stripe.get("payment_intents", customer=made["customer"], expand=["data.customer"])).ok()
    assert [intent["customer"]["id"] for intent in listed["data"]] == [made["customer"]]


async def test_what_names_nothing_cannot_be_expanded(stripe: Api) -> None:
    """docs.stripe.com/api/expanding_objects: only properties marked as expandable."""
    made = await intent_for(stripe)
    refused = await stripe.get(f"payment_intents/{made['id']}", expand=["currency"])
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")


async def test_there_are_four_levels(stripe: Api) -> None:
    """docs.stripe.com/api/expanding_objects: a maximum depth of four levels."""
    made = await paid(stripe)
    path = "latest_charge.payment_intent.latest_charge.payment_intent"
    assert (await stripe.get(f"payment_intents/{made['id']}", expand=[path])).status == 200
    deeper = await stripe.get(f"payment_intents/{made['id']}", expand=[f"{path}.customer"])
    assert deeper.status == 400
