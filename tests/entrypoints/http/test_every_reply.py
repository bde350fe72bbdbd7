"""What holds of every reply: its id, its form when it is an error, and what it does not say."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import structlog

from domain.errors import Conflict, StaleState
from entrypoints.logs import with_ids
from tests.entrypoints.http.conftest import Service, assert_problem

SECRET = "ada@example.com has the key cf_test_1"


async def test_every_reply_has_an_id_of_ours(service: Service) -> None:
    theirs = "req_00000000000000000000000001"
    seen = set()
    for method, path in (
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/nowhere"),
        ("DELETE", "/v1/catalog"),
        ("GET", "/v1/catalog"),
        ("POST", "/v1/customers"),
        ("POST", "/v1/users"),
        ("POST", "/v1/stripe/webhooks"),
        ("GET", "/checkout/cs_1/return"),
        ("GET", "/openapi.json"),
        ("OPTIONS", "/v1/customers"),
    ):
        reply = await service.client.request(method, path, headers={"x-request-id": theirs})
        assert reply.headers["x-request-id"].startswith("req_")
        assert len(reply.headers.get_list("x-request-id")) == 1
        seen.add(reply.headers["x-request-id"])
    assert len(seen) == 11
    assert theirs not in seen


async def test_an_address_that_is_not_there(service: Service) -> None:
    for path in (
        "/",
        "/nowhere",
        "/v1",
        "/v1/nowhere",
        "/schema",
        "/v1/customers/a/b",
        "/%00",
        "/%ff",
    ):
        assert_problem(await service.client.get(path), 404, "route_not_found")


async def test_a_method_that_is_not_there(service: Service) -> None:
    reply = await service.client.delete("/v1/catalog")
    assert_problem(reply, 405, "method_not_allowed")
    assert set(reply.headers["allow"].split(", ")) >= {"GET", "PUT"}


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/checkout-sessions", "/v1/stripe/webhooks"])
async def test_a_body_may_have_a_megabyte(service: Service, path: str) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100_000

    reply = await service.client.post(path, content=b" " * 1_000_001)
    assert_problem(reply, 413, "payload_too_large")
    reply = await service.client.post(path, content=in_pieces())
    assert_problem(reply, 413, "payload_too_large")
    reply = await service.client.post(path, content=b" " * 1_000_000)
    assert reply.status_code == 400


async def test_what_nobody_expected_is_logged_and_not_told(service: Service) -> None:
    async def breaks() -> None:
        raise RuntimeError(SECRET)

    service.store.first["creation_context"] = breaks
    with structlog.testing.capture_logs(processors=[with_ids]) as logged:
        reply = await service.client.post("/v1/customers", json={"external_id": "a"})
    problem = assert_problem(reply, 500, "internal_error")
    assert problem["detail"] == "Something went wrong on our side."
    for leaked in ("RuntimeError", "Traceback", "ada", "cf_test", "store"):
        assert leaked not in reply.text
    failed, request = logged
    assert isinstance(failed.pop("exc_info"), RuntimeError)
    assert failed == {
        "event": "request_failed",
        "log_level": "error",
        "request_id": problem["request_id"],
        "correlation_id": problem["request_id"],
        "organization_id": service.made.organization_id,
        "livemode": False,
    }
    assert (request["status"], request["code"]) == (500, "internal_error")


@pytest.mark.parametrize(
    "refusal", [Conflict("conflict", "taken: customers_pkey"), StaleState("stale_state", "customers cus_1")]
)
async def test_what_others_keep_changing_can_be_tried_again(service: Service, refusal: Conflict) -> None:
    async def taken() -> None:
        raise refusal

    await service.with_catalog()
    service.store.first["commit"] = taken
    reply = await service.client.post("/v1/customers", json={"external_id": "a"})
    problem = assert_problem(reply, 409, refusal.code)
    assert problem["detail"] == "Other requests were changing the same thing. Try again."
    assert reply.headers["retry-after"] == "1"


async def test_a_database_that_does_not_answer_is_not_ready(service: Service) -> None:
    async def breaks() -> None:
        raise ConnectionError(SECRET)

    assert (await service.client.get("/health/ready")).json() == {"status": "ok"}
    service.store.first["by_api_key"] = breaks
    reply = await service.client.get("/health/ready")
    assert_problem(reply, 503, "database_unavailable")
    assert SECRET not in reply.text
    assert (await service.client.get("/health/live")).json() == {"status": "ok"}


async def test_each_request_is_one_line_in_the_log_that_tells_nobodys_data(service: Service) -> None:
    await service.with_catalog()
    with structlog.testing.capture_logs(processors=[with_ids]) as logged:
        body = {"external_id": "ada", "email": "ada@example.com", "name": "Ada Lovelace"}
        await service.client.post("/v1/customers", json=body)
        await service.client.get("/v1/customers/ada?ada=ada@example.com")
        await service.client.get("/ada")
    created, read, missing = logged
    duration = created.pop("duration_ms")
    assert 0 < duration < 10_000
    assert created == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "route": "/v1/customers",
        "status": 201,
        "code": None,
        "request_id": created["request_id"],
        "correlation_id": created["request_id"],
        "organization_id": service.made.organization_id,
        "livemode": False,
    }
    assert (read["route"], read["status"]) == ("/v1/customers/{reference}", 422)
    assert (missing["route"], missing["status"], missing["code"]) == (None, 404, "route_not_found")
    text = json.dumps(logged).lower()
    for word in ("ada", "example.com", "lovelace", "cf_test", "authorization"):
        assert word not in text


async def test_a_reader_that_leaves_early_is_no_fault_of_ours(service: Service) -> None:
    sent = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/customers",
        "raw_path": b"/v1/customers",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {service.made.test_key}".encode())],
    }
    with structlog.testing.capture_logs() as logged:
        await service.app(scope, receive, send)  # type: ignore[arg-type]
    assert [(line["event"], line["code"]) for line in logged] == [("request", "client_disconnected")]


async def test_the_api_describes_itself(service: Service) -> None:
    described = await service.client.get("/openapi.json")
    assert described.headers["content-type"] == "application/json"
    description = described.json()
    assert {(path, method) for path, item in description["paths"].items() for method in item} == {
        ("/v1/customers", "post"),
        ("/v1/customers", "get"),
        ("/v1/customers/{reference}", "get"),
        ("/v1/customers/{reference}/billing", "get"),
        ("/v1/customers/{reference}/portal-link", "post"),
        ("/v1/customers/{reference}", "patch"),
        ("/v1/customers/{reference}", "delete"),
        ("/v1/customers/{reference}/entities", "get"),
        ("/v1/customers/{reference}/entities", "post"),
        ("/v1/customers/{reference}/entities/{entity}", "get"),
        ("/v1/customers/{reference}/entities/{entity}", "delete"),
        ("/v1/customers/{reference}/balances", "get"),
        ("/v1/customers/{reference}/usage", "get"),
        ("/v1/attach", "post"),
        ("/v1/check", "post"),
        ("/v1/track", "post"),
        ("/v1/track/batch", "post"),
        ("/v1/balances", "post"),
        ("/v1/balances/{id}/corrections", "post"),
        ("/v1/balances/{id}/entries", "get"),
        ("/v1/catalog", "get"),
        ("/v1/catalog", "put"),
        ("/v1/users", "get"),
        ("/v1/users", "post"),
        ("/v1/users/{reference}", "get"),
        ("/v1/users/{reference}", "patch"),
        ("/v1/checkout-sessions", "post"),
        ("/v1/checkout-sessions/{id}", "get"),
        ("/v1/checkout-sessions/{id}", "patch"),
        ("/v1/checkout-sessions/{id}/confirm", "post"),
        ("/v1/checkout-sessions/{id}/expire", "post"),
        ("/checkout/{id}", "get"),
        ("/checkout/{id}/confirm", "post"),
        ("/checkout/{id}/details", "post"),
        ("/checkout/{id}/return", "get"),
        ("/v1/payments", "get"),
        ("/v1/payments/{id}", "get"),
        ("/v1/payments/{id}/refunds", "post"),
        ("/v1/intake-payments", "get"),
        ("/v1/intake-payments", "post"),
        ("/v1/intake-payments/{id}", "get"),
        ("/v1/intake-payments/{id}/cancel", "post"),
        ("/pay/{id}", "get"),
        ("/pay/{id}/return", "get"),
        ("/v1/purchases", "get"),
        ("/v1/purchases", "post"),
        ("/v1/invoices", "get"),
        ("/v1/invoices/{id}", "get"),
        ("/invoices/{id}", "get"),
        ("/v1/purchases/{id}", "get"),
        ("/v1/invoices", "get"),
        ("/v1/invoices/{id}", "get"),
        ("/invoices/{id}", "get"),
        ("/v1/subscriptions", "get"),
        ("/v1/subscriptions/{id}", "get"),
        ("/v1/subscriptions/{id}", "patch"),
        ("/v1/subscriptions/{id}/cancel", "post"),
        ("/v1/subscriptions/{id}/resume", "post"),
        ("/v1/stripe/inbox", "get"),
        ("/v1/stripe/webhooks", "post"),
        ("/v1/events", "get"),
        ("/v1/audit", "get"),
        ("/health/live", "get"),
        ("/health/ready", "get"),
        ("/metrics", "get"),
    }
    body = description["paths"]["/v1/customers"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/NewCustomer"}
    schema = description["components"]["schemas"]["NewCustomer"]
    assert {"external_id", "email", "name", "metadata"} <= set(schema["properties"])
    parameters = description["paths"]["/v1/events"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"after", "limit", "type", "subject", "wait"}


async def test_odd_requests_are_refused_cleanly(service: Service) -> None:
    for reply in (
        await service.client.get("/v1/events?limit=%ff"),
        await service.client.get("/v1/catalog", headers={"host": "a b"}),
        await service.client.post("/v1/customers", content=b"{}", headers=[(b"content-type", b";;=\xff")]),
        await service.client.get("/v1/catalog", headers=[(b"authorization", b"Bearer cf_test_\xff")]),
    ):
        assert 400 <= reply.status_code < 500
        assert reply.headers["content-type"] == "application/problem+json"
