"""/v1/subscriptions/{id}: canceled, resumed, and charged by another means of payment."""

from typing import Any

import pytest

from tests.entrypoints.http.conftest import Service, assert_problem
from tests.entrypoints.http.test_customer_billing import shop
from tests.entrypoints.http.test_lists import read
from tests.entrypoints.http.test_session_types import opened, returned

NO_SUBSCRIPTION, NO_METHOD = f"sub_{'0' * 26}", f"pmeth_{'0' * 26}"


@pytest.fixture
async def selling(service: Service) -> Service:
    """It sells plans, and knows Ada and Bob, who have the free one."""
    await shop(service)
    for who in ("ada", "bob"):
        await service.client.post("/v1/customers", json={"external_id": who})
    return service


async def left(service: Service, session: dict[str, Any]) -> None:
    service.gateway.succeed_setup(session["setup_intent_id"])
    await returned(service, session)


async def on_trial(service: Service) -> dict[str, Any]:
    """Ada has left a card for a plan that she may try first."""
    await left(service, await opened(service, type="product", price="pro-trial", customer="ada"))
    (plan, *_) = (await read(service, "/v1/subscriptions?customer=ada"))["data"]
    assert plan["status"] == "trialing"
    assert plan["cancel_at_period_end"] is False
    return dict(plan)


async def another_card(service: Service, customer: str = "ada") -> str:
    """The id of a card that nothing is charged to yet."""
    await left(service, await opened(service, type="add_payment_method", customer=customer))
    methods = (await read(service, f"/v1/customers/{customer}/billing"))["payment_methods"]
    newest: str = methods[0]["id"]
    return newest


async def free_plan(service: Service) -> str:
    """The address of Ada's free plan, which costs nothing and has no end."""
    (free,) = (await read(service, "/v1/subscriptions?customer=ada"))["data"]
    return f"/v1/subscriptions/{free['id']}"


async def test_it_ends_with_its_period_unless_it_is_resumed(selling: Service) -> None:
    plan = await on_trial(selling)
    address = f"/v1/subscriptions/{plan['id']}"
    canceled = await selling.client.post(f"{address}/cancel", json={})
    assert (canceled.status_code, canceled.json()) == (200, {**plan, "cancel_at_period_end": True})
    assert await read(selling, address) == canceled.json()
    again = await selling.client.post(f"{address}/cancel", json={"at": "period_end"})
    assert again.json() == canceled.json()
    resumed = await selling.client.post(f"{address}/resume")
    assert (resumed.status_code, resumed.json()) == (200, plan)
    assert (await selling.client.post(f"{address}/resume")).json() == plan
    await selling.store.sequence(1000)
    told = (await read(selling, f"/v1/events?subject={plan['id']}"))["data"]
    assert [event["type"] for event in told][-2:] == [
        "subscription.cancellation_scheduled",
        "subscription.cancellation_withdrawn",
    ]
    assert told[-2]["data"]["previous"] == {"cancel_at_period_end": False}


async def test_now_it_ends_at_once(selling: Service) -> None:
    plan = await on_trial(selling)
    address = f"/v1/subscriptions/{plan['id']}"
    ended = await selling.client.post(f"{address}/cancel", json={"at": "now"})
    assert (ended.status_code, ended.json()["status"]) == (200, "canceled")
    assert ended.json()["cancellation_reason"] == "requested"
    left = (await read(selling, "/v1/customers/ada"))["subscriptions"]
    assert [one["product_slug"] for one in left] == ["free"]


async def test_what_has_no_end_ends_at_once(selling: Service) -> None:
    reply = await selling.client.post(f"{await free_plan(selling)}/cancel", json={})
    assert (reply.status_code, reply.json()["status"]) == (200, "canceled")


async def test_what_has_ended_cannot_be_changed(selling: Service) -> None:
    address = await free_plan(selling)
    await selling.client.post(f"{address}/cancel", json={"at": "now"})
    for refused in (
        await selling.client.post(f"{address}/cancel", json={}),
        await selling.client.post(f"{address}/cancel", json={"at": "now"}),
        await selling.client.post(f"{address}/resume"),
        await selling.client.patch(address, json={"payment_method_id": NO_METHOD}),
    ):
        assert_problem(refused, 409, "subscription_canceled")


async def test_a_request_with_a_key_is_answered_the_same_again(selling: Service) -> None:
    address = await free_plan(selling)
    named = {"Idempotency-Key": "cancel-1"}
    first, second = [
        await selling.client.post(f"{address}/cancel", json={"at": "now"}, headers=named) for _ in range(2)
    ]
    assert (first.status_code, first.content) == (200, second.content)
    assert second.headers["idempotent-replayed"] == "true"


async def test_another_card_is_charged_from_now_on(selling: Service) -> None:
    plan = await on_trial(selling)
    address, card = f"/v1/subscriptions/{plan['id']}", await another_card(selling)
    assert card != plan["payment_method_id"]
    for _ in range(2):
        chosen = await selling.client.patch(address, json={"payment_method_id": card})
        assert (chosen.status_code, chosen.json()) == (200, {**plan, "payment_method_id": card})
    assert await read(selling, address) == chosen.json()


async def test_a_card_of_nobodys_or_somebody_elses_is_refused(selling: Service) -> None:
    address = await free_plan(selling)
    for card in (NO_METHOD, await another_card(selling, "bob")):
        refused = await selling.client.patch(address, json={"payment_method_id": card})
        assert_problem(refused, 422, "payment_method_not_found", "payment_method_id")


async def test_bad_input_is_named(selling: Service) -> None:
    address = await free_plan(selling)
    chosen: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({}, "missing_field", "payment_method_id"),
        ({"payment_method_id": None}, "wrong_type", "payment_method_id"),
        ({"payment_method_id": "pm_1"}, "invalid_id", "payment_method_id"),
        ({"payment_method_id": NO_METHOD, "status": "active"}, "unknown_field", "status"),
    )
    for body, code, field in chosen:
        assert_problem(await selling.client.patch(address, json=body), 422, code, field)
    asked: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"at": "noon"}, "invalid_value", "at"),
        ({"at": 1}, "wrong_type", "at"),
        ({"when": "now"}, "unknown_field", "when"),
    )
    for body, code, field in asked:
        assert_problem(await selling.client.post(f"{address}/cancel", json=body), 422, code, field)
    assert_problem(await selling.client.post(f"{address}/cancel"), 400, "malformed_json")
    nowhere = f"/v1/subscriptions/{NO_SUBSCRIPTION}"
    for missing in (
        await selling.client.post(f"{nowhere}/cancel", json={}),
        await selling.client.post(f"{nowhere}/resume"),
        await selling.client.patch(nowhere, json={"payment_method_id": NO_METHOD}),
    ):
        assert_problem(missing, 404, "subscription_not_found")
    assert_problem(await selling.client.post("/v1/subscriptions/sub_1/resume"), 422, "invalid_id", "id")


async def test_the_address_says_what_it_knows(selling: Service) -> None:
    reply = await selling.client.options(await free_plan(selling))
    assert (reply.status_code, reply.headers["allow"]) == (204, "GET, OPTIONS, PATCH")
