"""A paid anonymous checkout, end to end: HTTP, PostgreSQL, the sandbox Stripe, its signed webhooks."""

import asyncio
from collections import Counter
from itertools import permutations

import httpx

from tests.system.service import Json, Service

ONCE = (
    "customer.created",
    "subscription.created",
    "subscription_item.created",
    "purchase.created",
    "purchase.completed",
    "payment.failed",
    "payment.succeeded",
    "checkout_session.succeeded",
)


async def eventful_payment(service: Service) -> tuple[Json, dict[str, Json]]:
    """A session whose intent was declined, went to a bank, and was paid; Stripe's events, undelivered."""
    session = await service.open_checkout(customer_email="ada@example.com", quantity=2)
    assert await service.pay(session, "pm_card_chargeDeclined") == "card_declined"
    assert await service.pay(session, "pm_usBankAccount") == "processing"
    service.sandbox.settle(session["payment_intent_id"])
    events = {event["type"].removeprefix("payment_intent."): event for event in service.sandbox.take_events()}
    return session, {kind: events[kind] for kind in ("created", "payment_failed", "processing", "succeeded")}


async def test_twenty_deliveries_mixed_with_others_and_the_browsers_return_book_one_payment(
    service: Service,
) -> None:
    session, events = await eventful_payment(service)
    before = len(await service.events())
    deliveries = [service.deliver(events["succeeded"]) for _ in range(20)]
    deliveries += [service.deliver(events[kind]) for kind in ("processing", "payment_failed", "created")]
    returns = [service.api.get(f"/checkout/{session['id']}/return") for _ in range(3)]
    replies: list[httpx.Response] = await asyncio.gather(*deliveries, *returns)
    assert [reply.status_code for reply in replies] == [200] * 26
    told = (await service.events())[before:]
    counted = Counter(event["type"] for event in told)
    assert {kind: counted[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1)
    paid = await service.call("GET", f"/v1/checkout-sessions/{session['id']}")
    assert paid["status"] == "succeeded"
    customer = await service.call("GET", f"/v1/customers/{paid['customer_id']}")
    assert customer["external_id"].startswith("anon_")
    assert (customer["email"], customer["user_id"]) == ("ada@example.com", None)
    assert [s["product_slug"] for s in customer["subscriptions"]] == ["free"]
    (completed,) = [event["data"]["object"] for event in told if event["type"] == "purchase.completed"]
    assert (completed["id"], completed["amount"], completed["quantity"]) == (paid["purchase_id"], 3998, 2)


async def test_every_order_of_stripes_events_ends_in_one_state(service: Service) -> None:
    outcomes = set()
    for order in permutations(("created", "processing", "payment_failed", "succeeded")):
        session, events = await eventful_payment(service)
        for kind in (*order, order[0]):
            reply = await service.deliver(events[kind])
            assert reply.json() == {"handled": True, "reason": None}
        paid = await service.call("GET", f"/v1/checkout-sessions/{session['id']}")
        told = await service.call("GET", f"/v1/customers/{paid['customer_id']}")
        outcomes.add((paid["status"], told["email"], len(told["subscriptions"])))
    assert outcomes == {("succeeded", "ada@example.com", 1)}
    counted = Counter(event["type"] for event in await service.events())
    assert {kind: counted[kind] for kind in ONCE} == dict.fromkeys(ONCE, 24)


async def test_a_declined_card_creates_nobody_and_the_buyer_may_try_again(service: Service) -> None:
    session = await service.open_checkout()
    assert await service.pay(session, "pm_card_chargeDeclined") == "card_declined"
    for event in service.sandbox.take_events():
        await service.deliver(event)
    types = [event["type"] for event in await service.events()]
    assert types.count("payment.failed") == 1
    assert "customer.created" not in types
    assert (await service.call("GET", f"/v1/checkout-sessions/{session['id']}"))["status"] == "open"
    assert await service.pay(session, "pm_card_visa") == "succeeded"
    assert (await service.api.get(f"/checkout/{session['id']}/return")).status_code == 200
    assert (await service.call("GET", f"/v1/checkout-sessions/{session['id']}"))["status"] == "succeeded"


async def test_a_canceled_intent_fails_the_session(service: Service) -> None:
    session = await service.open_checkout()
    await service.buyer.v1.payment_intents.cancel_async(session["payment_intent_id"])
    for event in service.sandbox.take_events():
        await service.deliver(event)
    assert (await service.call("GET", f"/v1/checkout-sessions/{session['id']}"))["status"] == "failed"
    types = [event["type"] for event in await service.events()]
    assert types.count("payment.canceled") == types.count("checkout_session.failed") == 1


async def test_a_known_customer_pays_and_stays_who_they_are(service: Service) -> None:
    ada = await service.call("POST", "/v1/customers", {"external_id": "ada"}, expect=201)
    await service.events()  # and the worker makes Stripe's customer
    ada = await service.call("GET", "/v1/customers/ada")
    session = await service.open_checkout(customer="ada", anonymous=False)
    assert await service.pay(session, "pm_card_visa") == "succeeded"
    for event in service.sandbox.take_events():
        await service.deliver(event)
    paid = await service.call("GET", f"/v1/checkout-sessions/{session['id']}")
    assert (paid["status"], paid["customer_id"]) == ("succeeded", ada["id"])
    intent = await service.buyer.v1.payment_intents.retrieve_async(session["payment_intent_id"])
    assert intent.customer == ada["stripe_customer_id"]


async def test_an_anonymous_buyer_is_never_taken_for_a_customer_with_the_same_address(
    service: Service,
) -> None:
    body = {"external_id": "victim", "email": "victim@example.com"}
    victim = await service.call("POST", "/v1/customers", body, expect=201)
    session = await service.open_checkout(customer_email="victim@example.com")
    await service.pay(session, "pm_card_visa")
    await service.api.get(f"/checkout/{session['id']}/return")
    paid = await service.call("GET", f"/v1/checkout-sessions/{session['id']}")
    assert paid["customer_id"] not in (None, victim["id"])


async def test_fifty_requests_for_one_customer_make_one_everywhere(service: Service) -> None:
    body = {"external_id": "ada", "email": "ada@example.com", "name": "Ada"}
    replies = await asyncio.gather(*(service.api.post("/v1/customers", json=body) for _ in range(50)))
    assert Counter(reply.status_code for reply in replies) == {200: 49, 201: 1}
    assert len({reply.json()["id"] for reply in replies}) == 1
    counted = Counter(event["type"] for event in await service.events())
    for once in ("customer.created", "subscription.created", "subscription_item.created", "customer.updated"):
        assert counted[once] == 1, once
    (at_stripe,) = await service.customers_at_stripe()
    ada = await service.call("GET", "/v1/customers/ada")
    assert ada["stripe_customer_id"] == at_stripe.id
    assert at_stripe.metadata is not None
    assert at_stripe.metadata["customer_id"] == ada["id"]


async def test_what_a_test_key_made_is_not_there_for_the_live_key(service: Service) -> None:
    session = await service.open_checkout()
    await service.call("POST", "/v1/customers", {"external_id": "ada"}, expect=201)
    for path in ("/v1/customers/ada", f"/v1/checkout-sessions/{session['id']}"):
        assert (await service.live.get(path)).status_code == 404
    assert (await service.live.get("/v1/catalog")).json()["pricing_models"] == []
    types = {event["type"] for event in (await service.live.get("/v1/events")).json()["data"]}
    assert "customer.created" not in types
    live = await service.live.post(
        "/v1/checkout-sessions", json={"type": "product", "price": session["price_id"], "anonymous": True}
    )
    assert live.json()["code"] == "price_not_found"
