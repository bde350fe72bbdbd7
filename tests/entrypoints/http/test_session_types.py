"""/v1/checkout-sessions of every type, and /v1/purchases, which they pay."""

from typing import Any

import pytest

from domain.auth import Anonymous
from domain.ids import OrganizationId
from tests.entrypoints.http.conftest import CATALOG, Service, assert_problem

PRO = {
    "slug": "pro",
    "name": "Pro",
    "prices": [
        {"slug": "pro", "type": "subscription", "amount": 4900, "currency": "usd", "interval": "month"},
        {"slug": "calls", "type": "usage", "amount": 1, "currency": "usd", "interval": "month"},
    ],
}
NO_PURCHASE, NO_SUBSCRIPTION = f"pur_{'0' * 26}", f"sub_{'0' * 26}"


@pytest.fixture
async def shop(service: Service) -> Service:
    """It sells a plan, and knows Ada."""
    standard = CATALOG["pricing_models"][0]
    catalog = {
        "features": CATALOG["features"],
        "pricing_models": [{**standard, "products": [*standard["products"], PRO]}],
    }
    reply = await service.client.put("/v1/catalog", json=catalog)
    assert reply.status_code == 200, reply.text
    await service.client.post("/v1/customers", json={"external_id": "ada", "email": "ada@example.test"})
    return service


async def opened(service: Service, **given: object) -> dict[str, Any]:
    reply = await service.client.post("/v1/checkout-sessions", json=given)
    assert reply.status_code == 201, reply.text
    session: dict[str, Any] = reply.json()
    return session


async def returned(service: Service, session: dict[str, Any], location: str | None = None) -> None:
    """The buyer's browser is back."""
    reply = await service.client.get(f"/checkout/{session['id']}/return")
    assert reply.status_code in (200, 303), reply.text
    assert reply.headers.get("location") == location


async def subscribed(service: Service) -> str:
    """Ada leaves a card for the plan; the id of her subscription."""
    session = await opened(service, type="product", price="pro", customer="ada")
    service.gateway.succeed_setup(session["setup_intent_id"])
    await returned(service, session)
    now = (await service.client.get(f"/v1/checkout-sessions/{session['id']}")).json()
    subscription_id: str = now["subscription_id"]
    return subscription_id


async def test_a_subscription_is_bought_by_leaving_a_means_of_payment(shop: Service) -> None:
    session = await opened(shop, type="product", price="pro", quantity=2, customer="ada")
    assert (session["collects"], session["amount"], session["payment_intent_id"]) == (
        "payment_method",
        9800,
        None,
    )
    shop.gateway.succeed_setup(session["setup_intent_id"])
    await returned(shop, session)
    now = (await shop.client.get(f"/v1/checkout-sessions/{session['id']}")).json()
    assert now["status"] == "succeeded"
    bought = (await shop.client.get(f"/v1/subscriptions/{now['subscription_id']}")).json()
    assert (bought["product_slug"], bought["status"], bought["items"][0]["quantity"]) == (
        "pro",
        "incomplete",
        2,
    )
    purchase = (await shop.client.get(f"/v1/purchases/{now['purchase_id']}")).json()
    assert (purchase["status"], purchase["amount"]) == ("pending", 9800)


async def test_an_open_purchase_is_paid_through_a_session(shop: Service) -> None:
    made = await shop.client.post("/v1/purchases", json={"customer": "ada", "price": "book", "quantity": 3})
    purchase = made.json()
    assert (made.status_code, purchase["status"], purchase["amount"]) == (201, "open", 4500)
    assert purchase["checkout_session_id"] is None
    session = await opened(
        shop, type="purchase", purchase=purchase["id"], success_url="https://shop.example/"
    )
    assert (session["amount"], session["customer_id"]) == (4500, purchase["customer_id"])
    shop.gateway.succeed(session["payment_intent_id"])
    await returned(shop, session, "https://shop.example/")
    now = (await shop.client.get(f"/v1/purchases/{purchase['id']}")).json()
    assert (now["status"], now["checkout_session_id"]) == ("paid", session["id"])
    again = {"type": "purchase", "purchase": purchase["id"]}
    refused = await shop.client.post("/v1/checkout-sessions", json=again)
    assert_problem(refused, 409, "purchase_not_open", "purchase")


async def test_a_second_session_of_a_purchase_does_not_pay_it_twice(shop: Service) -> None:
    made = await shop.client.post("/v1/purchases", json={"customer": "ada", "price": "book"})
    first, second = [await opened(shop, type="purchase", purchase=made.json()["id"]) for _ in range(2)]
    shop.gateway.succeed(first["payment_intent_id"])
    await returned(shop, first)
    shop.gateway.succeed(second["payment_intent_id"])
    reply = await shop.client.get(f"/checkout/{second['id']}/return")
    assert reply.status_code == 409
    books = Anonymous(OrganizationId(shop.made.organization_id), livemode=False)
    context = await shop.store.session_context(books, second["id"])
    assert context is not None
    assert context.payment is None


async def test_a_request_with_a_key_makes_one_purchase(shop: Service) -> None:
    named = {"Idempotency-Key": "order-7"}
    body = {"customer": "ada", "price": "book"}
    first, second = [await shop.client.post("/v1/purchases", json=body, headers=named) for _ in range(2)]
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"


async def test_a_card_is_added_and_pays_the_subscription_from_then_on(shop: Service) -> None:
    subscription_id = await subscribed(shop)
    session = await opened(shop, type="add_payment_method", customer="ada", subscription=subscription_id)
    assert (session["price_id"], session["amount"], session["currency"]) == (None, 0, None)
    before = (await shop.client.get(f"/v1/subscriptions/{subscription_id}")).json()
    shop.gateway.succeed_setup(session["setup_intent_id"])
    await returned(shop, session)
    after = (await shop.client.get(f"/v1/subscriptions/{subscription_id}")).json()
    assert after["payment_method_id"] not in (None, before["payment_method_id"])


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"type": "product", "anonymous": True}, 422, "missing_field", "price"),
        ({"type": "product", "price": "calls", "anonymous": True}, 422, "price_not_purchasable", "price"),
        ({"type": "product", "price": "book", "purchase": NO_PURCHASE}, 422, "unknown_field", "purchase"),
        ({"type": "purchase", "purchase": NO_PURCHASE}, 422, "purchase_not_found", "purchase"),
        ({"type": "purchase", "purchase": "pur_1"}, 422, "invalid_id", "purchase"),
        ({"type": "purchase"}, 422, "missing_field", "purchase"),
        ({"type": "purchase", "purchase": NO_PURCHASE, "quantity": 2}, 422, "unknown_field", "quantity"),
        ({"type": "add_payment_method"}, 422, "missing_field", "customer"),
        ({"type": "add_payment_method", "customer": "bob"}, 422, "customer_not_found", "customer"),
        ({"type": "add_payment_method", "customer": "ada", "price": "pro"}, 422, "unknown_field", "price"),
        (
            {"type": "add_payment_method", "customer": "ada", "subscription": NO_SUBSCRIPTION},
            422,
            "subscription_not_found",
            "subscription",
        ),
        (
            {
                "type": "add_payment_method",
                "customer": "ada",
                "subscription": NO_SUBSCRIPTION,
                "all_subscriptions": True,
            },
            422,
            "invalid_value",
            "all_subscriptions",
        ),
        ({"type": "activate_subscription"}, 422, "missing_field", "subscription"),
        (
            {"type": "activate_subscription", "subscription": NO_SUBSCRIPTION},
            422,
            "subscription_not_found",
            "subscription",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_opened(
    shop: Service, given: dict[str, object], status: int, code: str, field: str
) -> None:
    reply = await shop.client.post("/v1/checkout-sessions", json=given)
    assert_problem(reply, status, code, field)


async def test_what_is_paid_for_already_is_not_sold_or_activated(shop: Service) -> None:
    await subscribed(shop)
    reply = await shop.client.post(
        "/v1/checkout-sessions", json={"type": "product", "price": "pro", "customer": "ada"}
    )
    assert_problem(reply, 409, "already_subscribed")
    reply = await shop.client.post("/v1/purchases", json={"price": "pro", "customer": "ada"})
    assert_problem(reply, 409, "already_subscribed")
    (free,) = [
        held
        for held in (await shop.client.get("/v1/subscriptions")).json()["data"]
        if held["status"] == "canceled"
    ]
    reply = await shop.client.post(
        "/v1/checkout-sessions", json={"type": "activate_subscription", "subscription": free["id"]}
    )
    assert_problem(reply, 409, "subscription_not_activatable", "subscription")


async def test_the_buyer_says_how_many_and_where_to_send_the_bill(shop: Service) -> None:
    session = await shop.open_session()
    buyer = {"Authorization": f"Bearer {session['client_token']}"}
    address = {"country": "NL", "city": "Utrecht", "postal_code": "3511"}
    reply = await shop.client.patch(
        f"/v1/checkout-sessions/{session['id']}",
        json={"quantity": 3, "billing_address": address},
        headers=buyer,
    )
    changed = reply.json()
    assert (changed["quantity"], changed["amount"]) == (3, 4500)
    assert changed["billing_address"]["city"] == "Utrecht"
    assert (await shop.gateway.payment_intent(session["payment_intent_id"], livemode=False)).amount == 4500
    shop.gateway.succeed(session["payment_intent_id"])
    await returned(shop, session)
    (purchase,) = (await shop.client.get("/v1/purchases")).json()["data"]
    (invoice,) = (await shop.client.get("/v1/invoices")).json()["data"]
    assert (purchase["quantity"], purchase["amount"], purchase["status"]) == (3, 4500, "paid")
    assert (invoice["lines"][0]["quantity"], invoice["total"]) == (3, 4500)
    assert invoice["billed_to"]["address"]["country"] == "NL"
    reply = await shop.client.patch(f"/v1/checkout-sessions/{session['id']}", json={"quantity": 2})
    assert_problem(reply, 409, "checkout_session_not_open")


async def test_what_the_buyer_has_paid_is_what_is_booked_whatever_they_asked_for_last(shop: Service) -> None:
    session = await shop.open_session()
    shop.gateway.fail_next("before")  # the books know of three, and Stripe never hears of it
    path = f"/v1/checkout-sessions/{session['id']}"
    assert (await shop.client.patch(path, json={"quantity": 3})).status_code == 503
    assert (await shop.client.get(path)).json()["quantity"] == 3
    shop.gateway.succeed(session["payment_intent_id"])
    await returned(shop, session)
    (purchase,) = (await shop.client.get("/v1/purchases")).json()["data"]
    assert (purchase["quantity"], purchase["amount"], purchase["status"]) == (1, 1500, "paid")
    assert (await shop.client.get(path)).json()["quantity"] == 1


async def test_a_quantity_that_was_asked_for_again_reaches_stripe_again(shop: Service) -> None:
    session = await shop.open_session()
    path = f"/v1/checkout-sessions/{session['id']}"
    for quantity in (2, 1, 2):
        assert (await shop.client.patch(path, json={"quantity": quantity})).status_code == 200
    assert (await shop.gateway.payment_intent(session["payment_intent_id"], livemode=False)).amount == 3000


async def test_while_somebody_is_paying_the_quantity_stays(shop: Service) -> None:
    session = await shop.open_session()
    shop.gateway.process(session["payment_intent_id"])
    path = f"/v1/checkout-sessions/{session['id']}"
    assert_problem(await shop.client.patch(path, json={"quantity": 2}), 409, "checkout_session_not_open")
    await returned(shop, session)
    assert (await shop.client.get(path)).json()["quantity"] == 1


async def test_what_sells_nothing_has_no_quantity_to_change(shop: Service) -> None:
    session = await opened(shop, type="add_payment_method", customer="ada")
    reply = await shop.client.patch(f"/v1/checkout-sessions/{session['id']}", json={"quantity": 2})
    assert_problem(reply, 409, "quantity_fixed", "quantity")
