"""/v1/webhook-endpoints: made, changed, tried, and told again."""

from typing import Any

import msgspec
import pytest

from application.event_views import EventView
from application.ports import Sent
from tests.builders import suffix
from tests.entrypoints.http.conftest import Service, assert_problem

HOOK = {"url": "https://example.com/hook?key=s3cr3t"}
ENDPOINTS = "/v1/webhook-endpoints"
NOBODYS = f"we_{suffix(9)}"


async def made(service: Service, **given: object) -> dict[str, Any]:
    """Told of what happens from now on: what has happened has its number."""
    await service.store.sequence(1000)
    reply = await service.client.post(ENDPOINTS, json={**HOOK, **given})
    assert reply.status_code == 201, reply.text
    endpoint: dict[str, Any] = reply.json()
    return endpoint


async def worked(service: Service) -> None:
    await service.store.sequence(1000)
    deliveries = service.container.deliveries()
    while await deliveries.begin_due():
        await deliveries.finish()


async def deliveries_of(service: Service, endpoint: dict[str, Any], **asked: str) -> list[dict[str, Any]]:
    reply = await service.client.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries", params=asked)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["data"]
    return found


async def test_an_endpoint_is_made_and_its_secret_shown_once(service: Service) -> None:
    endpoint = await made(service, event_types=["payment.*", "payment.*"], description="Ours")
    assert endpoint == {
        "id": endpoint["id"],
        "url": HOOK["url"],
        "event_types": ["payment.*"],
        "description": "Ours",
        "enabled": True,
        "disabled_at": None,
        "disabled_reason": None,
        "previous_secret_expires_at": None,
        "livemode": False,
        "created_at": "2026-01-01T12:00:00Z",
        "deleted_at": None,
        "secret": endpoint["secret"],
    }
    secret = endpoint.pop("secret")
    assert secret.startswith("whsec_")
    known = {**endpoint, "failing_since": None}
    assert (await service.client.get(f"{ENDPOINTS}/{endpoint['id']}")).json() == known
    assert (await service.client.get(ENDPOINTS)).json() == {"data": [known], "next_cursor": None}
    await worked(service)
    events = await service.client.get("/v1/events", params={"subject": endpoint["id"]})
    (event,) = events.json()["data"]
    assert (event["type"], event["data"]["object"]) == ("webhook_endpoint.created", endpoint)
    assert secret not in events.text


async def test_a_named_request_makes_one_and_is_told_its_secret_again(service: Service) -> None:
    named = {"idempotency-key": "k-1"}
    first = await service.client.post(ENDPOINTS, json=HOOK, headers=named)
    again = await service.client.post(ENDPOINTS, json=HOOK, headers=named)
    assert (again.status_code, again.content) == (201, first.content)
    assert len((await service.client.get(ENDPOINTS)).json()["data"]) == 1


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"url": "http://example.com"}, "invalid_webhook_url", "url"),
        ({"url": "https://127.0.0.1/x"}, "invalid_webhook_url", "url"),
        ({"url": "https://[::1]/x"}, "invalid_webhook_url", "url"),
        ({"url": "https://localhost"}, "invalid_webhook_url", "url"),
        ({"url": "https://ada:pw@example.com"}, "invalid_webhook_url", "url"),
        ({"url": "https://example.com:99999"}, "invalid_webhook_url", "url"),
        ({"url": "ftp://example.com"}, "invalid_value", "url"),
        ({"url": None}, "wrong_type", "url"),
        ({"event_types": []}, "invalid_value", "event_types"),
        ({"event_types": ["payment.lost"]}, "unknown_event_type", "event_types"),
        ({"event_types": ["lost.*"]}, "unknown_event_type", "event_types"),
        ({"event_types": ["Payment"]}, "invalid_value", "event_types[0]"),
        ({"description": "x" * 501}, "invalid_value", "description"),
        ({"enabled": "yes"}, "wrong_type", "enabled"),
        ({"secret": "whsec_1"}, "unknown_field", "secret"),
    ],
)
async def test_what_cannot_be_is_named(
    service: Service, given: dict[str, object], code: str, field: str
) -> None:
    assert_problem(await service.client.post(ENDPOINTS, json={**HOOK, **given}), 422, code, field)
    endpoint = await made(service)
    reply = await service.client.patch(f"{ENDPOINTS}/{endpoint['id']}", json=given)
    assert_problem(reply, 422, code, field)


async def test_an_address_is_missed(service: Service) -> None:
    assert_problem(await service.client.post(ENDPOINTS, json={}), 422, "missing_field", "url")


async def test_there_may_be_twenty_in_each_mode(service: Service) -> None:
    endpoints = [await made(service) for _ in range(20)]
    refused = await service.client.post(ENDPOINTS, json=HOOK)
    assert_problem(refused, 422, "too_many_webhook_endpoints")
    await service.client.delete(f"{ENDPOINTS}/{endpoints[7]['id']}")
    await made(service)
    service.client.headers["authorization"] = f"Bearer {service.made.live_key}"
    await made(service)


async def test_what_is_given_changes(service: Service) -> None:
    endpoint = await made(service)
    address = f"{ENDPOINTS}/{endpoint['id']}"
    changes = {"url": "https://example.org", "event_types": ["*", "user.created"], "description": None}
    changed = (await service.client.patch(address, json=changes)).json()
    assert {name: changed[name] for name in changes} == changes
    disabled = (await service.client.patch(address, json={"enabled": False})).json()
    assert (disabled["enabled"], disabled["disabled_reason"]) == (False, "by_request")
    assert disabled["disabled_at"] == "2026-01-01T12:00:00Z"
    assert (await service.client.patch(address, json={"enabled": False})).json() == disabled
    assert (await service.client.patch(address, json={"enabled": True})).json() == changed
    await worked(service)
    events = (await service.client.get("/v1/events", params={"subject": endpoint["id"]})).json()["data"]
    assert [event["type"].partition(".")[2] for event in events] == [
        "created",
        "updated",
        "disabled",
        "updated",
    ]


async def test_what_is_deleted_is_not_there_any_more(service: Service) -> None:
    endpoint = await made(service)
    await worked(service)
    (sent,) = await deliveries_of(service, endpoint)
    reply = await service.client.delete(f"{ENDPOINTS}/{endpoint['id']}")
    assert (reply.status_code, reply.json()["deleted_at"]) == (200, "2026-01-01T12:00:00Z")
    assert_problem(await service.client.get(f"/v1/deliveries/{sent['id']}"), 404, "delivery_not_found")
    assert (await service.client.get(ENDPOINTS)).json()["data"] == []
    for unknown in (endpoint["id"], NOBODYS):
        for method, more, body in (
            ("GET", "", None),
            ("PATCH", "", {}),
            ("DELETE", "", None),
            ("POST", "/rotate-secret", {}),
            ("POST", "/test", None),
            ("POST", "/redeliver", {"failed": True}),
            ("GET", "/deliveries", None),
        ):
            reply = await service.client.request(method, f"{ENDPOINTS}/{unknown}{more}", json=body)
            assert_problem(reply, 404, "webhook_endpoint_not_found")
    assert_problem(await service.client.get(f"{ENDPOINTS}/cus_1"), 422, "invalid_id", "id")


async def test_a_new_secret_overlaps_with_the_one_so_far(service: Service) -> None:
    endpoint = await made(service)
    address = f"{ENDPOINTS}/{endpoint['id']}/rotate-secret"
    rotated = (await service.client.post(address, json={})).json()
    assert rotated["secret"] != endpoint["secret"]
    assert rotated["previous_secret_expires_at"] == "2026-01-02T12:00:00Z"
    at_once = (await service.client.post(address, json={"overlap_hours": 0})).json()
    assert at_once["previous_secret_expires_at"] is None
    for hours in (-1, 169):
        refused = await service.client.post(address, json={"overlap_hours": hours})
        assert_problem(refused, 422, "invalid_value", "overlap_hours")


async def test_a_test_event_arrives_and_every_attempt_is_told(service: Service) -> None:
    endpoint = await made(service, event_types=["payment.*"])
    await made(service)
    answers = iter([Sent(None, "timed_out", 10_000, None), Sent(200, None, 12, "thanks")])
    service.sender.answers = lambda to, _: (
        next(answers) if to.id == endpoint["id"] else Sent(200, None, 1, "")
    )
    reply = await service.client.post(f"{ENDPOINTS}/{endpoint['id']}/test")
    assert reply.status_code == 202
    await worked(service)
    failing = (await service.client.get(f"{ENDPOINTS}/{endpoint['id']}")).json()
    assert failing["failing_since"] == "2026-01-01T12:00:00Z"
    (waiting,) = await deliveries_of(service, endpoint, status="pending")
    assert (waiting["event_type"], waiting["attempts"]) == ("webhook_endpoint.test", 1)
    service.clock.set(msgspec.convert(waiting["next_try_at"], type=type(service.clock.now())))
    await worked(service)
    sent = (await service.client.get(f"/v1/deliveries/{waiting['id']}")).json()
    tried = sent.pop("tried")
    assert sent["status"] == "succeeded"
    assert [sent] == await deliveries_of(service, endpoint)
    assert [(one["number"], one["status"], one["error"], one["reply"]) for one in tried] == [
        (1, None, "timed_out", None),
        (2, 200, None, "thanks"),
    ]


async def test_what_is_sent_is_what_the_feed_shows(service: Service) -> None:
    await made(service)
    await worked(service)
    shown = await service.client.get("/v1/events", params={"type": "webhook_endpoint.created"})
    ((_, event),) = service.sender.sent
    body = msgspec.json.encode(EventView.of(event))
    assert body in shown.content


async def test_events_are_delivered_again(service: Service) -> None:
    await service.client.post("/v1/users", json={"email": "a@example.com"})
    await worked(service)
    endpoint = await made(service)
    await worked(service)
    (first,) = await deliveries_of(service, endpoint)
    address = f"{ENDPOINTS}/{endpoint['id']}/redeliver"
    (known,) = (await service.client.get("/v1/events", params={"type": "user.signed_up"})).json()["data"]
    for body, many in (
        ({"event": first["event_id"]}, 1),
        ({"event": known["id"]}, 1),
        ({"from_sequence": 1, "to_sequence": known["sequence"]}, known["sequence"]),
        ({"failed": True}, 0),
    ):
        reply = await service.client.post(address, json=body)
        assert (reply.status_code, reply.json()) == (202, {"deliveries": many})
        service.sender.sent.clear()
        await worked(service)
        assert len(service.sender.sent) == many


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_redelivery", None),
        ({"failed": True, "from_sequence": 1, "to_sequence": 2}, "invalid_redelivery", None),
        ({"from_sequence": 2}, "invalid_redelivery", "to_sequence"),
        ({"from_sequence": 2, "to_sequence": 1}, "invalid_redelivery", "to_sequence"),
        ({"from_sequence": 1, "to_sequence": 10_001}, "invalid_redelivery", "to_sequence"),
        ({"from_sequence": 0, "to_sequence": 1}, "invalid_value", "from_sequence"),
        ({"event": f"evt_{suffix(9)}"}, "event_not_found", "event"),
        ({"event": "evt_1"}, "invalid_id", "event"),
        ({"all": True}, "unknown_field", "all"),
    ],
)
async def test_what_cannot_be_delivered_again_is_named(
    service: Service, body: dict[str, object], code: str, field: str | None
) -> None:
    endpoint = await made(service)
    reply = await service.client.post(f"{ENDPOINTS}/{endpoint['id']}/redeliver", json=body)
    assert_problem(reply, 422, code, field)


async def test_nothing_is_sent_to_what_is_disabled(service: Service) -> None:
    endpoint = await made(service, enabled=False)
    await worked(service)
    assert service.sender.sent == []
    for more, body in (("test", None), ("redeliver", {"failed": True})):
        reply = await service.client.post(f"{ENDPOINTS}/{endpoint['id']}/{more}", json=body)
        assert_problem(reply, 409, "webhook_endpoint_disabled")


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"status": "lost"}, "invalid_value", "status"),
        ({"event": "cus_1"}, "invalid_id", "event"),
        ({"cursor": "evt_1"}, "invalid_id", "cursor"),
        ({"limit": "0"}, "invalid_value", "limit"),
    ],
)
async def test_what_cannot_be_asked_for_is_named(
    service: Service, asked: dict[str, str], code: str, field: str
) -> None:
    endpoint = await made(service)
    reply = await service.client.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries", params=asked)
    assert_problem(reply, 422, code, field)


async def test_the_lists_are_paged(service: Service) -> None:
    newest = [await made(service) for _ in range(3)][::-1]
    first = (await service.client.get(ENDPOINTS, params={"limit": 2})).json()
    rest = (await service.client.get(ENDPOINTS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["id"] for one in first["data"] + rest["data"]] == [one["id"] for one in newest]
    await worked(service)
    address = f"{ENDPOINTS}/{newest[-1]['id']}/deliveries"
    pages = []
    cursor: dict[str, str] = {}
    while True:
        page = (await service.client.get(address, params={"limit": "2", **cursor})).json()
        pages += page["data"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    sequences = [one["sequence"] for one in pages]
    assert len(sequences) == 3
    assert sequences == sorted(sequences, reverse=True)


async def test_the_methods_of_endpoints_are_told(service: Service) -> None:
    for address, methods in (
        (ENDPOINTS, "GET, POST, OPTIONS"),
        (f"{ENDPOINTS}/{NOBODYS}", "GET, PATCH, DELETE, OPTIONS"),
    ):
        reply = await service.client.options(address)
        assert (reply.status_code, reply.headers["allow"]) == (204, methods)
