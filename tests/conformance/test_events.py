"""docs.stripe.com/api/events, and what each flow of docs.stripe.com/api/events/types tells"""

from typing import Any

import pytest

from tests.conformance.api import Api, Json, intent_for, unique
from tests.stripe_contract.contract import stripe_contract


async def events_about(stripe: Api, id: str, *types: str) -> list[Json]:
    """The events of these types about one object, once all of them are listed."""
    about: list[Json] = []

    def all_there(listed: Json) -> bool:
        about[:] = [event for event in listed["data"] if event["data"]["object"]["id"] == id]
        return {event["type"] for event in about} == set(types)

    await stripe.eventually("events", all_there, types=list(types), limit=100)
    return about


async def test_an_event_is_a_snapshot_of_what_it_is_about(stripe: Api) -> None:
    """docs.stripe.com/api/events/object; `request` names the request and its idempotency key."""
    key = unique()
    reply = await stripe.post("customers", key, name="Ada")
    customer = reply.ok()
    (event,) = await events_about(stripe, customer["id"], "customer.created")
    assert (event["object"], event["livemode"]) == ("event", False)
    assert event["id"].startswith("evt_")
    assert event["data"]["object"] == customer
    assert event["request"] == {"id": reply.headers["Request-Id"], "idempotency_key": key}
    assert isinstance(event["api_version"], str)
    assert isinstance(event["created"], int)
    assert (await stripe.get(f"events/{event['id']}")).ok()["data"] == event["data"]
    stripe_contract().check_object(event)


async def test_an_update_says_what_was_before(stripe: Api) -> None:
    """`data.previous_attributes` in docs.stripe.com/api/events/object"""
    customer = (await stripe.post("customers", name="Ada")).ok()
    await stripe.post(f"customers/{customer['id']}", name="Bob")
    (event,) = await events_about(stripe, customer["id"], "customer.updated")
    assert event["data"]["object"]["name"] == "Bob"
    assert event["data"]["previous_attributes"] == {"name": "Ada"}


async def test_deleting_tells_what_was_deleted(stripe: Api) -> None:
    """docs.stripe.com/api/events/types#event_types-customer.deleted"""
    customer = (await stripe.post("customers", name="Ada")).ok()
    await stripe.delete(f"customers/{customer['id']}")
    (event,) = await events_about(stripe, customer["id"], "customer.deleted")
    assert event["data"]["object"]["name"] == "Ada"


@pytest.mark.parametrize(
    ("token", "then", "told"),
    [
        ("pm_card_visa", None, ["payment_intent.created", "payment_intent.succeeded"]),
        ("pm_card_visa_chargeDeclined", None, ["payment_intent.created", "payment_intent.payment_failed"]),
        (None, "cancel", ["payment_intent.created", "payment_intent.canceled"]),
    ],
)
async def test_each_step_of_a_payment_is_told(
    stripe: Api, token: str | None, then: str | None, told: list[str]
) -> None:
    """docs.stripe.com/api/events/types: `payment_intent.*`"""
    intent = await intent_for(stripe)
    path = f"payment_intents/{intent['id']}"
    if token is not None:
        await stripe.post(f"{path}/confirm", payment_method=token)
    if then is not None:
        await stripe.post(f"{path}/{then}")
    events = {event["type"]: event for event in await events_about(stripe, intent["id"], *told)}
    assert set(events) == set(told)
    left = (await stripe.get(path)).ok()
    assert events[told[-1]]["data"]["object"]["status"] == left["status"]
    assert events[told[0]]["data"]["object"]["status"] == "requires_payment_method"


@pytest.mark.parametrize(
    "asked", [{"type": "customer.created"}, {"type": "customer.*"}, {"types": ["customer.created"]}]
)
async def test_events_are_listed_by_type(stripe: Api, asked: dict[str, Any]) -> None:
    """`type` (which may contain `*`) and `types` in docs.stripe.com/api/events/list"""
    customer = (await stripe.post("customers")).ok()["id"]
    listed = await stripe.eventually(
        "events",
        lambda told: any(event["data"]["object"]["id"] == customer for event in told["data"]),
        limit=100,
        **asked,
    )
    assert {event["type"].partition(".")[0] for event in listed["data"]} == {"customer"}
