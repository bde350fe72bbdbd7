"""GET /v1/events."""

import asyncio
from urllib.parse import quote

import pytest

from tests.entrypoints.http.conftest import Service, assert_problem


async def test_events_as_they_are_published(service: Service) -> None:
    await service.with_catalog()
    reply = await service.client.post("/v1/customers", json={"external_id": "ada"})
    customer = reply.json()
    await service.store.sequence(1000)
    found = await service.client.get(f"/v1/events?subject={customer['id']}")
    (event,) = found.json()["data"]
    customer.pop("subscriptions")
    assert event == {
        "id": event["id"],
        "type": "customer.created",
        "sequence": event["sequence"],
        "occurred_at": "2026-01-01T12:00:00Z",
        "livemode": False,
        "subject": {"type": "customer", "id": customer["id"]},
        "data": {"object": customer, "previous": None},
        "actor": {
            "type": "user",
            "user_id": service.made.user_id,
            "api_key_id": event["actor"]["api_key_id"],
        },
        "request_id": reply.headers["x-request-id"],
        "correlation_id": reply.headers["x-request-id"],
        "causation_id": None,
        "hash": event["hash"],
    }
    names = "id type sequence occurred_at livemode subject data actor request_id correlation_id causation_id"
    assert list(event) == [*names.split(), "hash"]


async def test_pages_follow_each_other_without_gaps(service: Service) -> None:
    await service.with_catalog()
    assert (await service.client.get("/v1/events")).json() == {"data": [], "next_cursor": None}
    await service.store.sequence(1000)
    whole = (await service.client.get("/v1/events?limit=100")).json()
    assert [event["sequence"] for event in whole["data"]] == list(range(1, len(whole["data"]) + 1))
    assert whole["next_cursor"] is None
    paged = []
    after: int | None = 0
    while after is not None:
        page = (await service.client.get(f"/v1/events?limit=2&after={after}")).json()
        paged += page["data"]
        after = page["next_cursor"]
    assert paged == whole["data"]
    of_type = (await service.client.get("/v1/events?type=product.created")).json()["data"]
    assert of_type == [event for event in whole["data"] if event["type"] == "product.created"] != []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("limit", "0", "invalid_value"),
        ("limit", "101", "invalid_value"),
        ("limit", "many", "wrong_type"),
        ("after", "-1", "invalid_value"),
        ("after", str(2**63), "invalid_value"),
        ("after", "9" * 5000, "invalid_value"),
        ("type", "customer.eaten", "invalid_value"),
        ("type", "\x00", "invalid_value"),
        ("subject", "\x00", "invalid_id"),
        ("subject", "cus_" + "x" * 5000, "invalid_id"),
        ("subject", "ä", "invalid_id"),
        ("limits", "1", "unknown_field"),
        ("type", "null", "invalid_value"),
        ("subject", "NULL", "invalid_value"),
    ],
)
async def test_what_cannot_be_asked_for(service: Service, name: str, value: str, code: str) -> None:
    reply = await service.client.get(f"/v1/events?{name}={quote(value)}")
    assert_problem(reply, 422, code, name)


@pytest.mark.parametrize(
    ("wait", "said"), [("16", "wait must be a number <= 15"), ("-1", "wait must be a number >= 0")]
)
async def test_how_long_one_may_wait_is_said(service: Service, wait: str, said: str) -> None:
    reply = await service.client.get(f"/v1/events?wait={wait}")
    assert assert_problem(reply, 422, "invalid_value", "wait")["detail"] == said


async def test_a_parameter_is_given_once(service: Service) -> None:
    reply = await service.client.get("/v1/events?limit=1&limit=2")
    assert_problem(reply, 422, "invalid_value", "limit")


async def test_whoever_waits_is_answered_as_soon_as_there_is_more(service: Service) -> None:
    await service.with_catalog()
    await service.store.sequence(1000)
    known = (await service.client.get("/v1/events?limit=100")).json()["data"]
    after = known[-1]["sequence"]
    waiting = asyncio.create_task(service.client.get(f"/v1/events?after={after}&wait=15"))
    await service.client.post("/v1/customers", json={"external_id": "ada"})
    assert not waiting.done()
    await service.store.sequence(1000)
    async with asyncio.timeout(10):
        told = (await waiting).json()["data"]
    assert told[0]["type"] == "customer.created"


async def test_nobody_waits_for_what_does_not_come(service: Service) -> None:
    reply = await service.client.get("/v1/events?wait=0.01")
    assert reply.json() == {"data": [], "next_cursor": None}
    assert_problem(await service.client.get("/v1/events?wait=16"), 422, "invalid_value", "wait")


async def test_the_audit_log_says_who_did_what_with_which_key_by_which_request(service: Service) -> None:
    await service.with_catalog()
    made = await service.client.post("/v1/customers", json={"external_id": "ada"})
    await service.store.sequence(1000)
    found = (await service.client.get("/v1/audit?type=customer.created")).json()
    (entry,) = found["data"]
    assert entry["subject"] == {"type": "customer", "id": made.json()["id"]}
    assert entry["request_id"] == entry["correlation_id"] == made.headers["x-request-id"]
    assert entry["actor"]["api_key_id"].startswith("key_")
    key, request = entry["actor"]["api_key_id"], entry["request_id"]
    asked = (await service.client.get(f"/v1/audit?api_key_id={key}&correlation_id={request}")).json()["data"]
    assert {each["request_id"] for each in asked} == {request}
    assert "customer.created" in {each["type"] for each in asked}
    page = (await service.client.get("/v1/audit?limit=1")).json()
    assert page["next_cursor"] == page["data"][0]["sequence"]
    assert_problem(await service.client.get("/v1/audit?actor=nobody"), 422, "invalid_value", "actor")
