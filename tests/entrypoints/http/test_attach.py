"""/v1/attach, and the hosted page of a trial that needs no card."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.subscription import Subscription
from entrypoints.http.server import serving
from tests.attachables import CATALOG
from tests.databases import Database
from tests.entrypoints.http.conftest import Service, assert_problem, organization
from tests.entrypoints.http.test_checkout_page import Page
from tests.entrypoints.http.test_on_postgres import on

DOCUMENT: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(CATALOG))
ADA = {"email": "ada@example.com", "name": "Ada"}
STARTER = {"customer": "ada", "product": "starter", "customer_data": ADA}


@pytest.fixture
async def shop(service: Service) -> Service:
    """With something to attach of every kind, and no customers."""
    reply = await service.client.put("/v1/catalog", json=DOCUMENT)
    assert reply.status_code == 200, reply.text
    return service


async def attach(service: Service, key: str | None = None, **body: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await service.client.post("/v1/attach", json={"customer": "ada", **body}, headers=headers)


def kept(service: Service, kind: type) -> list[Any]:
    return [state for state in service.store.states if isinstance(state, kind)]


async def test_what_is_free_is_had_at_once(shop: Service) -> None:
    reply = await shop.client.post("/v1/attach", json=STARTER)
    assert reply.status_code == 200, reply.text
    attached = reply.json()
    customer = (await shop.client.get("/v1/customers/ada")).json()
    (held,) = customer["subscriptions"]
    assert (held["product_slug"], held["status"]) == ("starter", "active")
    subscription = (await shop.client.get(f"/v1/subscriptions/{held['id']}")).json()
    purchase = (await shop.client.get("/v1/purchases?customer=ada")).json()["data"][0]
    (session,) = kept(shop, CheckoutSession)
    assert attached == {
        "customer_id": customer["id"],
        "checkout_url": None,
        "checkout_session_id": session.id,
        "subscription": subscription,
        "purchase_id": purchase["id"],
    }


async def test_what_is_not_free_is_had_by_a_checkout(shop: Service) -> None:
    urls = {"success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/basket"}
    attached = (await attach(shop, price="pro", quantity=2, customer_data=ADA, **urls)).json()
    session = (await shop.client.get(f"/v1/checkout-sessions/{attached['checkout_session_id']}")).json()
    assert attached == {
        "customer_id": session["customer_id"],
        "checkout_url": session["url"],
        "checkout_session_id": session["id"],
        "subscription": None,
        "purchase_id": None,
    }
    assert (session["status"], session["quantity"], session["customer_email"]) == ("open", 2, ADA["email"])
    assert {name: session[name] for name in urls} == urls
    assert session["setup_intent_id"] is not None


async def test_a_plan_of_an_entity_says_whose_it_is(shop: Service) -> None:
    await shop.client.post("/v1/customers", json={"external_id": "ada"})
    entity = (await shop.client.post("/v1/customers/ada/entities", json={"entity_id": "seat-1"})).json()
    attached = (await attach(shop, product="starter", entity="seat-1")).json()
    assert attached["subscription"]["entity_id"] == entity["id"]
    customer = (await shop.client.get("/v1/customers/ada")).json()
    assert [(one["product_slug"], one["entity_id"]) for one in customer["subscriptions"]] == [
        ("free", None),
        ("starter", entity["id"]),
    ]
    session = await shop.client.get(f"/v1/checkout-sessions/{attached['checkout_session_id']}")
    assert session.json()["entity_id"] == entity["id"]
    assert_problem(await attach(shop, product="starter", entity="seat-2"), 404, "entity_not_found")
    reply = await attach(shop, product="starter", entity="seat 1")
    assert_problem(reply, 422, "invalid_external_id", field="entity")


async def test_a_named_request_is_answered_the_same_again(shop: Service) -> None:
    for body in ({"product": "starter"}, {"product": "book"}):
        key = f"k-{body['product']}"
        first = await attach(shop, key, customer_data=ADA, **body)
        assert first.status_code == 200, first.text
        again = await attach(shop, key, customer_data=ADA, **body)
        assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
        other = await attach(shop, key, **body)
        assert_problem(other, 422, "idempotency_key_reused", field="Idempotency-Key")
    assert_problem(await attach(shop, "k-new", product="starter"), 409, "already_subscribed")
    assert len(kept(shop, CheckoutSession)) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_one_that_stripe_did_not_answer_is_resumed(shop: Service, moment: Any) -> None:
    shop.gateway.fail_next(moment)
    lost = await attach(shop, "k-1", product="book", customer_data=ADA)
    assert_problem(lost, 503, "payment_provider_unavailable")
    resumed = await attach(shop, "k-1", product="book", customer_data=ADA)
    assert resumed.status_code == 200
    (session,) = kept(shop, CheckoutSession)
    assert resumed.json()["checkout_session_id"] == session.id
    assert session.payment_intent_id is not None
    assert len(kept(shop, Customer)) == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"product": "starter"}, 404, "customer_not_found", None),
        ({"customer": "a b", "product": "starter"}, 422, "invalid_external_id", "customer"),
        ({"customer": None, "product": "starter"}, 422, "wrong_type", "customer"),
        ({"customer_data": ADA}, 422, "product_or_price", "product"),
        (
            {"customer_data": ADA, "product": "starter", "price": "starter"},
            422,
            "product_or_price",
            "product",
        ),
        ({"customer_data": ADA, "product": "gold"}, 422, "product_not_found", "product"),
        ({"customer_data": ADA, "price": "gold"}, 422, "price_not_found", "price"),
        ({"customer_data": ADA, "product": "pro"}, 422, "price_required", "price"),
        ({"customer_data": ADA, "product": "nothing"}, 422, "price_not_purchasable", "product"),
        ({"customer_data": ADA, "product": "free"}, 409, "already_subscribed", None),
        ({"customer_data": ADA, "product": "book", "quantity": 0}, 422, "invalid_value", "quantity"),
        ({"customer_data": ADA, "product": "book", "quantity": 999_999}, 422, "amount_too_large", "quantity"),
        ({"customer_data": {"email": "ada"}, "product": "book"}, 422, "invalid_value", "customer_data.email"),
        (
            {"customer_data": {"external_id": "ada"}, "product": "book"},
            422,
            "unknown_field",
            "customer_data.external_id",
        ),
        ({"product": "book", "plan": "book"}, 422, "unknown_field", "plan"),
        ({"product": "book", "success_url": "shop"}, 422, "invalid_value", "success_url"),
    ],
)
async def test_what_is_wrong_is_named_and_nobody_is_made(
    shop: Service, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    assert_problem(await attach(shop, **body), status, code, field=field)
    assert kept(shop, Customer) == kept(shop, CheckoutSession) == []


async def test_the_page_of_a_trial_without_a_card_says_what_it_is_and_begins_it(shop: Service) -> None:
    body = {"type": "product", "price": "team", "anonymous": True, "customer_email": "eve@example.com"}
    session = (await shop.client.post("/v1/checkout-sessions", json=body)).json()
    assert (session["collects"], session["setup_intent_id"]) == ("nothing", None)
    path = session["url"].removeprefix("https://pay.example.com")
    page = Page((await shop.client.get(path, headers={"authorization": ""})).text)
    for words in (
        "Your free trial",
        "29.00 USD",
        "per month",
        "The first 7 days are free, and no payment method is needed. Then it is 29.00 USD every month.",
        "Start trial",
    ):
        assert words in page.text
    assert "costs you nothing" not in page.text
    token = {"token": session["client_token"], "quantity": "2"}
    done = await shop.client.post(
        f"/checkout/{session['id']}/confirm", data=token, headers={"authorization": ""}
    )
    assert "Your trial has begun" in Page(done.text).text
    (team,) = [one for one in kept(shop, Subscription) if one.product_slug == "team"]
    assert team.status == "trialing"


async def test_the_page_of_a_trial_that_was_had_elsewhere_says_so(shop: Service) -> None:
    await shop.client.post("/v1/customers", json={"external_id": "ada"})
    body = {"type": "product", "price": "team", "customer": "ada"}
    session = (await shop.client.post("/v1/checkout-sessions", json=body)).json()
    await attach(shop, product="team")
    token = {"token": session["client_token"]}
    refused = await shop.client.post(
        f"/checkout/{session['id']}/confirm", data=token, headers={"authorization": ""}
    )
    assert refused.status_code == 409
    assert "You are subscribed already" in Page(refused.text).text


async def test_what_is_not_free_is_not_begun_by_its_form(shop: Service) -> None:
    body = {"type": "product", "price": "pro-trial", "anonymous": True, "customer_email": "eve@example.com"}
    session = (await shop.client.post("/v1/checkout-sessions", json=body)).json()
    refused = await shop.client.post(
        f"/checkout/{session['id']}/confirm",
        data={"token": session["client_token"]},
        headers={"authorization": ""},
    )
    assert refused.status_code == 422
    assert "This is not free" in Page(refused.text).text
    assert kept(shop, Subscription) == []


async def test_twenty_at_once_over_http_make_one_customer_and_one_subscription(
    fresh_database: Database, tmp_path: Path
) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        await client.put("/v1/catalog", json=DOCUMENT)
        replies = await asyncio.gather(
            *(client.post("/v1/attach", json=STARTER) for _ in range(10)),
            *(client.post("/v1/attach", json=STARTER, headers={"idempotency-key": "k-1"}) for _ in range(10)),
        )
        assert Counter(reply.status_code for reply in replies).keys() <= {200, 409}
        assert len({reply.json()["subscription"]["id"] for reply in replies if reply.status_code == 200}) == 1
        named = {reply.content for reply in replies[10:] if reply.status_code == 200}
        assert len(named) <= 1
        customer = (await client.get("/v1/customers/ada")).json()
        assert [one["product_slug"] for one in customer["subscriptions"]] == ["starter"]
        everything = (await client.get("/v1/subscriptions")).json()["data"]
        assert sorted(one["product_slug"] for one in everything) == ["free", "starter"]
