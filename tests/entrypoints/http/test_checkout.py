"""/v1/checkout-sessions, and the buyer's way back from paying."""

from datetime import timedelta

import pytest

from adapters.memory.clock import FixedClock
from tests.entrypoints.http.conftest import Service, assert_problem, in_memory

URLS = {"success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/basket"}


async def test_a_session_for_somebody_anonymous(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session(quantity=2, metadata={"order": "7"}, **URLS)
    assert session == {
        "id": session["id"],
        "type": "product",
        "collects": "payment",
        "status": "open",
        "livemode": False,
        "price_id": session["price_id"],
        "quantity": 2,
        "amount": 3000,
        "currency": "usd",
        "customer_id": None,
        "entity_id": None,
        "customer_email": None,
        "customer_name": None,
        "billing_address": None,
        **URLS,
        "metadata": {"order": "7"},
        "preserve_billing_cycle": False,
        "all_subscriptions": False,
        "payment_intent_id": "pi_memory1",
        "setup_intent_id": None,
        "purchase_id": None,
        "subscription_id": None,
        "expires_at": "2026-01-02T12:00:00Z",
        "created_at": "2026-01-01T12:00:00Z",
        "url": f"https://pay.example.com/checkout/{session['id']}?token={session['client_token']}",
        "client_secret": "pi_memory1_secret",
        "client_token": session["client_token"],
    }
    read = await service.client.get(f"/v1/checkout-sessions/{session['id']}")
    assert (read.status_code, read.json()) == (200, session)


async def test_a_session_for_a_customer(service: Service) -> None:
    await service.with_catalog()
    customer = (await service.client.post("/v1/customers", json={"external_id": "ada"})).json()
    session = await service.open_session(anonymous=False, customer="ada")
    assert session["customer_id"] == customer["id"]


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"anonymous": False}, 422, "customer_or_anonymous", "customer"),
        ({"customer": "nobody", "anonymous": False}, 422, "customer_not_found", "customer"),
        ({"customer": "a b", "anonymous": False}, 422, "invalid_external_id", "customer"),
        ({"customer": "a" * 100_000, "anonymous": False}, 422, "invalid_external_id", "customer"),
        ({"price": "nothing"}, 422, "price_not_found", "price"),
        ({"quantity": 0}, 422, "invalid_value", "quantity"),
        ({"quantity": "1"}, 422, "wrong_type", "quantity"),
        ({"success_url": "javascript:alert(1)"}, 422, "invalid_value", "success_url"),
        ({"type": "gift"}, 422, "invalid_value", "type"),
        ({"amount": 1}, 422, "unknown_field", "amount"),
    ],
)
async def test_what_cannot_be_opened(
    service: Service, given: dict[str, object], status: int, code: str, field: str
) -> None:
    await service.with_catalog()
    body = {"type": "product", "price": "book", "anonymous": True, **given}
    assert_problem(await service.client.post("/v1/checkout-sessions", json=body), status, code, field)


async def test_a_provider_that_does_not_answer(service: Service) -> None:
    await service.with_catalog()
    service.gateway.fail_next("before")
    body = {"type": "product", "price": "book", "anonymous": True}
    reply = await service.client.post("/v1/checkout-sessions", json=body)
    assert_problem(reply, 503, "payment_provider_unavailable")
    assert reply.headers["retry-after"] == "5"


NOBODYS = "cs_00000000000000000000000001"


@pytest.mark.parametrize("id", [NOBODYS, "cs_1", "cus_00000000000000000000000001", "%00", "x" * 5000])
async def test_a_session_that_is_not_there(service: Service, id: str) -> None:
    for method, path in (
        ("GET", f"/v1/checkout-sessions/{id}"),
        ("POST", f"/v1/checkout-sessions/{id}/expire"),
        ("POST", f"/v1/checkout-sessions/{id}/confirm"),
        ("PATCH", f"/v1/checkout-sessions/{id}"),
    ):
        reply = await service.client.request(method, path, content=b"{}" if method == "PATCH" else None)
        if id == NOBODYS:
            assert_problem(reply, 404, "checkout_session_not_found")
        else:
            assert_problem(reply, 422, "invalid_id", "id")
    page = await service.client.get(f"/checkout/{id}/return")
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is nothing at this link" in page.text


@pytest.mark.parametrize(
    ("happens", "status", "location"),
    [
        ("succeed", "succeeded", URLS["success_url"]),
        ("process", "pending", URLS["success_url"]),
        ("cancel", "failed", URLS["cancel_url"]),
    ],
)
async def test_the_buyer_is_sent_on(service: Service, happens: str, status: str, location: str) -> None:
    await service.with_catalog()
    session = await service.open_session(**URLS)
    getattr(service.gateway, happens)(session["payment_intent_id"])
    del service.client.headers["authorization"]
    for _ in range(2):
        back = await service.client.get(
            f"/checkout/{session['id']}/return?redirect_status=failed&payment_intent=pi_other"
        )
        assert (back.status_code, back.headers["location"]) == (303, location)
    service.client.headers["authorization"] = f"Bearer {service.made.test_key}"
    read = (await service.client.get(f"/v1/checkout-sessions/{session['id']}")).json()
    assert read["status"] == status
    assert (read["customer_id"] is None) == (happens == "cancel")


@pytest.mark.parametrize(
    ("happens", "title"),
    [
        ("succeed", "Payment received"),
        ("process", "Payment under way"),
        ("cancel", "Payment canceled"),
        ("fail", "Not paid yet"),
    ],
)
async def test_the_buyer_is_told_where_there_is_nowhere_to_send_them(
    service: Service, happens: str, title: str
) -> None:
    await service.with_catalog()
    session = await service.open_session()
    getattr(service.gateway, happens)(session["payment_intent_id"])
    page = await service.client.get(f"/checkout/{session['id']}/return")
    assert page.status_code == 200
    assert f"<h1>{title}</h1>" in page.text
    assert "http" not in page.text  # needs nothing from anywhere
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_the_return_while_stripe_does_not_answer(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session(**URLS)
    service.gateway.fail_next("before")
    page = await service.client.get(f"/checkout/{session['id']}/return")
    assert page.status_code == 503
    assert "<h1>Please try again</h1>" in page.text
    assert page.headers["retry-after"] == "5"


async def test_a_session_can_be_ended_and_that_again(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    address = f"/v1/checkout-sessions/{session['id']}/expire"
    for _ in range(2):
        reply = await service.client.post(address)
        assert reply.status_code == 200
        assert reply.json() == {**session, "status": "expired", "expires_at": "2026-01-01T12:00:00Z"}


async def test_what_has_ended_otherwise_cannot_be_ended(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    service.gateway.succeed(session["payment_intent_id"])
    await service.client.get(f"/checkout/{session['id']}/return")
    reply = await service.client.post(f"/v1/checkout-sessions/{session['id']}/expire")
    problem = assert_problem(reply, 409, "checkout_session_not_open")
    assert "succeeded" in problem["detail"]


async def test_nobody_ends_a_session_without_a_key(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    reply = await service.client.post(
        f"/v1/checkout-sessions/{session['id']}/expire", headers={"authorization": ""}
    )
    assert_problem(reply, 401, "api_key_missing")


async def test_how_long_a_session_can_be_paid_is_a_setting() -> None:
    container, *_ = in_memory(FixedClock(), checkout_hours=2)
    assert container.open_checkout_session().lifetime == timedelta(hours=2)
