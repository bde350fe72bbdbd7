"""POST /v1/stripe/webhooks: signed by hand, as docs.stripe.com/webhooks/signature says."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest

from tests.entrypoints.http.conftest import (
    LIVE_WEBHOOK_SECRET,
    TEST_WEBHOOK_SECRET,
    Service,
    assert_problem,
)


def event_of(intent: dict[str, Any], type: str = "payment_intent.succeeded", id: str = "evt_1") -> bytes:
    """An event as Stripe sends it."""
    event = {
        "id": id,
        "object": "event",
        "api_version": "2026-08-26.dahlia",
        "created": 1,
        "type": type,
        "livemode": intent["livemode"],
        "data": {"object": intent},
    }
    return json.dumps(event).encode()


def intent_of(session: dict[str, Any], organization_id: str, **other: object) -> dict[str, Any]:
    """The payment intent of a session, paid."""
    return {
        "id": session["payment_intent_id"],
        "object": "payment_intent",
        "amount": session["amount"],
        "currency": session["currency"],
        "livemode": False,
        "status": "succeeded",
        "customer": None,
        "receipt_email": None,
        "last_payment_error": None,
        "latest_charge": "ch_1",
        "metadata": {
            "organization_id": organization_id,
            "livemode": "false",
            "checkout_session_id": session["id"],
            "type": "checkout_session",
        },
        **other,
    }


def signature(body: bytes, secret: str = TEST_WEBHOOK_SECRET, age: int = 0) -> str:
    """The header for a body."""
    at = int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


async def delivered(service: Service, body: bytes, header: str | None = None) -> httpx.Response:
    """Post it as Stripe does: without any key of ours."""
    headers = {"stripe-signature": header or signature(body), "content-type": "application/json"}
    return await service.client.post(
        "/v1/stripe/webhooks", content=body, headers={**headers, "authorization": ""}
    )


async def test_a_payment_is_booked_before_it_is_acknowledged(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    reply = await delivered(service, event_of(intent_of(session, service.made.organization_id)))
    assert (reply.status_code, reply.json()) == (200, {"handled": True, "reason": None})
    read = (await service.client.get(f"/v1/checkout-sessions/{session['id']}")).json()
    assert read["status"] == "succeeded"
    customer = (await service.client.get(f"/v1/customers/{read['customer_id']}")).json()
    assert customer["subscriptions"][0]["product_slug"] == "free"
    (row,) = service.store.inbox
    assert row.id == "evt_1"


async def test_deliveries_at_once_mixed_with_the_return_book_once(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    service.gateway.succeed(session["payment_intent_id"])
    intent = intent_of(session, service.made.organization_id)
    bodies = [event_of(intent)] * 10 + [event_of(intent, id=f"evt_{n}") for n in range(2, 7)]
    replies = await asyncio.gather(
        *(delivered(service, body) for body in bodies),
        *(service.client.get(f"/checkout/{session['id']}/return") for _ in range(5)),
    )
    assert {reply.status_code for reply in replies} == {200}
    told = [event.type for event in service.store.events]
    for once in ("customer.created", "purchase.completed", "payment.succeeded"):
        assert told.count(once) == 1


@pytest.mark.parametrize("type", ["charge.refunded", "customer.created", "unheard.of"])
async def test_what_is_of_no_concern_is_acknowledged(service: Service, type: str) -> None:
    body = event_of({"livemode": False}, type)
    reply = await delivered(service, body)
    assert (reply.status_code, reply.json()) == (200, {"handled": False, "reason": "ignored"})
    assert service.store.inbox == ()


async def test_what_does_not_fit_is_kept_and_acknowledged(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    body = event_of(intent_of(session, service.made.organization_id, amount=1))
    reply = await delivered(service, body)
    assert (reply.status_code, reply.json()) == (200, {"handled": False, "reason": "amount_mismatch"})
    (row,) = service.store.inbox
    assert row.refusal == "amount_mismatch"


@pytest.mark.parametrize("case", ["missing", "empty", "garbled", "wrong secret", "old", "other body", "mode"])
async def test_a_bad_signature_changes_nothing(service: Service, case: str) -> None:
    await service.with_catalog()
    session = await service.open_session()
    body = event_of(intent_of(session, service.made.organization_id))
    header = {
        "missing": None,
        "empty": "",
        "garbled": "nonsense",
        "wrong secret": signature(body, "whsec_other"),
        "old": signature(body, age=301),
        "other body": signature(body + b" "),
        "mode": signature(body, LIVE_WEBHOOK_SECRET),
    }[case]
    before = service.store.events
    headers = {} if header is None else {"stripe-signature": header}
    reply = await service.client.post("/v1/stripe/webhooks", content=body, headers=headers)
    assert_problem(reply, 400, "invalid_signature")
    assert service.store.events == before
    assert service.store.inbox == ()


@pytest.mark.parametrize("body", [b"{}", b"[]", b"\xff", b"[" * 100_000])
async def test_a_signed_body_that_is_no_event(service: Service, body: bytes) -> None:
    assert_problem(await delivered(service, body), 400, "invalid_payload")


async def test_stripe_is_to_try_again_when_the_commit_fails(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    body = event_of(intent_of(session, service.made.organization_id))

    async def breaks() -> None:
        raise RuntimeError("the disk is full")

    service.store.first["commit"] = breaks
    assert_problem(await delivered(service, body), 500, "internal_error")
    del service.store.first["commit"]
    assert (await delivered(service, body)).json() == {"handled": True, "reason": None}
