"""`Idempotency-Key`: a request that is sent again is done once, and answered the same."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.checkout import CheckoutSession
from domain.customer import Customer
from entrypoints.http.server import serving
from entrypoints.worker import Worker
from tests.databases import Database
from tests.entrypoints.http.conftest import CATALOG, Service, assert_problem, organization
from tests.entrypoints.http.test_on_postgres import on

ADA = {"external_id": "ada", "email": "ada@example.com"}
BOOK = {"type": "product", "price": "book", "anonymous": True}


async def post(
    client: httpx.AsyncClient, path: str, body: Mapping[str, Any] | None = None, key: str = "k-1"
) -> httpx.Response:
    return await client.post(path, json=body, headers={"Idempotency-Key": key})


def assert_replayed(first: httpx.Response, again: httpx.Response) -> None:
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def states(service: Service, kind: type) -> list[Any]:
    return [state for state in service.store.states if isinstance(state, kind)]


async def test_a_customer_is_created_once_and_answered_the_same(service: Service) -> None:
    await service.with_catalog()
    first = await post(service.client, "/v1/customers", ADA)
    assert first.status_code == 201
    assert_replayed(first, await post(service.client, "/v1/customers", ADA))
    assert len(states(service, Customer)) == 1
    known = await post(service.client, "/v1/customers", ADA, key="k-2")
    assert (known.status_code, known.json()) == (200, first.json())
    assert_replayed(known, await post(service.client, "/v1/customers", ADA, key="k-2"))


async def test_another_request_with_the_same_key_is_refused_and_does_nothing(service: Service) -> None:
    await service.with_catalog()
    await post(service.client, "/v1/customers", ADA)
    for other in ({"external_id": "bob"}, {**ADA, "name": "Ada"}):
        refused = await post(service.client, "/v1/customers", other)
        assert_problem(refused, 422, "idempotency_key_reused", field="Idempotency-Key")
    assert len(states(service, Customer)) == 1


async def test_a_key_is_one_routes_and_one_modes(
    service: Service,
) -> None:
    await service.with_catalog()
    assert (await post(service.client, "/v1/customers", ADA)).status_code == 201
    assert (await post(service.client, "/v1/checkout-sessions", BOOK)).status_code == 201
    service.client.headers["authorization"] = f"Bearer {service.made.live_key}"
    await service.with_catalog()
    live = await post(service.client, "/v1/customers", ADA)
    assert (live.status_code, live.json()["livemode"]) == (201, True)


async def test_a_refusal_that_changed_nothing_is_not_kept(service: Service) -> None:
    refused = await post(service.client, "/v1/customers", ADA)
    assert_problem(refused, 422, "no_default_pricing_model")
    await service.with_catalog()
    assert (await post(service.client, "/v1/customers", ADA)).status_code == 201


async def test_what_was_done_is_answered_also_when_it_would_be_refused_by_now(service: Service) -> None:
    await service.with_catalog()
    first = await post(service.client, "/v1/checkout-sessions", BOOK)
    await service.client.put("/v1/catalog", json={"pricing_models": []})
    assert_replayed(first, await post(service.client, "/v1/checkout-sessions", BOOK))
    new = await post(service.client, "/v1/checkout-sessions", BOOK, "k-2")
    assert_problem(new, 422, "price_not_found", field="price")


async def test_a_checkout_has_one_session_and_one_intent(service: Service) -> None:
    await service.with_catalog()
    first = await post(service.client, "/v1/checkout-sessions", BOOK)
    assert first.status_code == 201
    assert_replayed(first, await post(service.client, "/v1/checkout-sessions", BOOK))
    (session,) = states(service, CheckoutSession)
    assert session.payment_intent_id == first.json()["payment_intent_id"]
    ended = await post(service.client, f"/v1/checkout-sessions/{session.id}/expire")
    assert (ended.status_code, ended.json()["status"]) == (200, "expired")
    assert_replayed(ended, await post(service.client, f"/v1/checkout-sessions/{session.id}/expire"))


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_checkout_that_stripe_did_not_answer_is_resumed(service: Service, moment: Any) -> None:
    await service.with_catalog()
    service.gateway.fail_next(moment)
    lost = await post(service.client, "/v1/checkout-sessions", BOOK)
    assert_problem(lost, 503, "payment_provider_unavailable")
    other = await post(service.client, "/v1/checkout-sessions", {**BOOK, "quantity": 2})
    assert_problem(other, 422, "idempotency_key_reused", field="Idempotency-Key")
    resumed = await post(service.client, "/v1/checkout-sessions", BOOK)
    assert resumed.status_code == 201
    (session,) = states(service, CheckoutSession)
    assert resumed.json()["id"] == session.id
    assert resumed.json()["client_secret"]
    replayed = await post(service.client, "/v1/checkout-sessions", BOOK)
    assert (replayed.content, replayed.headers["idempotent-replayed"]) == (resumed.content, "true")


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "x" * 256])
async def test_a_key_must_be_one(service: Service, key: str) -> None:
    await service.with_catalog()
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    refused = await service.client.post("/v1/customers", json=ADA, headers=headers)
    assert_problem(refused, 422, "invalid_value", field="Idempotency-Key")
    assert states(service, Customer) == []


async def test_a_key_is_forgotten_after_a_day(service: Service) -> None:
    await service.with_catalog()
    await post(service.client, "/v1/customers", ADA)
    store = service.store
    container = service.container
    retries, deliveries = container.inbox_retries(), container.deliveries()
    worker = Worker(store, store, store, container.effects(), retries, deliveries, service.clock)
    for hours, status in ((23, 201), (2, 200)):
        service.clock.advance(timedelta(hours=hours))
        stop = asyncio.Event()
        working = asyncio.create_task(worker.run(stop))
        await asyncio.sleep(0.05)
        stop.set()
        await working
        assert (await post(service.client, "/v1/customers", ADA)).status_code == status


async def test_twenty_at_once_are_one_also_on_postgresql(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        assert (await client.put("/v1/catalog", json=CATALOG)).status_code == 200
        for path, body in (("/v1/customers", ADA), ("/v1/checkout-sessions", BOOK)):
            replies = await asyncio.gather(*(post(client, path, body) for _ in range(20)))
            while any(reply.status_code == 409 for reply in replies):  # being done: told to try again
                assert {r.json()["code"] for r in replies if r.status_code == 409} == {
                    "idempotency_key_in_use"
                }
                replies = await asyncio.gather(*(post(client, path, body) for _ in range(20)))
            assert {reply.status_code for reply in replies} == {201}
            assert len({reply.content for reply in replies}) == 1
        assert served.sandbox is not None
        await container.worker_store().sequence(1000)
        events = (await client.get("/v1/events?limit=100")).json()["data"]
        for once in ("customer.created", "checkout_session.created"):
            assert [event["type"] for event in events].count(once) == 1
