"""GET /v1/customers/{id or external id}/billing: a pricing page, or one about an account, in one call."""

from datetime import timedelta
from typing import Any

from domain.payment_method import StoredMethod
from tests.builders import suffix
from tests.entrypoints.http.conftest import CATALOG, Service, assert_problem
from tests.entrypoints.http.test_lists import bought, read

PLANS = [
    {
        "slug": "pro",
        "name": "Pro",
        "prices": [
            {
                "slug": slug,
                "type": "subscription",
                "amount": 4900,
                "currency": "usd",
                "interval": "month",
                **more,
            }
            for slug, more in (("pro", {}), ("pro-trial", {"trial_days": 14}))
        ],
    }
]


async def shop(service: Service) -> None:
    (model,) = CATALOG["pricing_models"]
    catalog = {
        "features": CATALOG["features"],
        "pricing_models": [{**model, "products": [*model["products"], *PLANS]}],
    }
    assert (await service.client.put("/v1/catalog", json=catalog)).is_success


def offered(billing: dict[str, Any]) -> dict[str, tuple[bool, bool, str | None, bool]]:
    return {
        price["slug"]: (
            price["is_current"],
            price["can_buy"],
            price["refusal"],
            price["trial_available"],
        )
        for plan in billing["plans"]
        for price in plan["prices"]
    }


async def test_a_new_customer_has_what_is_given_and_can_buy_the_rest(service: Service) -> None:
    await shop(service)
    made = (await service.client.post("/v1/customers", json={"external_id": "ada"})).json()
    billing = await read(service, "/v1/customers/ada/billing")
    assert billing == await read(service, f"/v1/customers/{made['id']}/billing")
    subscriptions = made.pop("subscriptions")
    assert billing["customer"] == made
    (held,) = billing["subscriptions"]
    assert (held["id"], held["product_name"], held["status"]) == (subscriptions[0]["id"], "Free", "active")
    assert held["items"] == [{**subscriptions[0]["items"][0], "price": None}]
    assert [(one["feature"], one["remaining"]) for one in billing["balances"]] == [("seats", 5)]
    for nothing in ("payment_methods", "invoices", "checkout_sessions"):
        assert billing[nothing] == []
    assert {plan["slug"]: plan["is_current"] for plan in billing["plans"]} == {
        "book": False,
        "sample": False,
        "free": True,
        "pro": False,
    }
    assert offered(billing) == {
        "book": (False, True, None, False),
        "sample": (False, True, None, False),
        "pro": (False, True, None, False),
        "pro-trial": (False, True, None, True),
    }


async def test_who_subscribes_sees_it_with_its_price_and_card_and_can_buy_no_other(service: Service) -> None:
    await shop(service)
    await bought(service, "ada")
    session = await service.open_session(anonymous=False, customer="ada", price="pro-trial")
    card = StoredMethod("pm_1", "card", "visa", "4242", 12, 2034)
    service.gateway.succeed_setup(session["setup_intent_id"], card)
    assert (await service.client.get(f"/checkout/{session['id']}/return")).status_code < 400
    billing = await read(service, "/v1/customers/ada/billing")
    (held,) = billing["subscriptions"]
    assert (held["product_slug"], held["status"]) == ("pro", "trialing")
    assert (held["trial_ends_at"], held["current_period_end"], held["overdue"]) == (
        "2026-01-15T12:00:00Z",
        "2026-01-15T12:00:00Z",
        [],
    )
    (item,) = held["items"]
    price = {name: item["price"][name] for name in ("slug", "amount", "currency", "interval")}
    assert price == {"slug": "pro-trial", "amount": 4900, "currency": "usd", "interval": "month"}
    (method,) = billing["payment_methods"]
    assert (method["brand"], method["last4"], method["exp_month"], method["exp_year"]) == (
        "visa",
        "4242",
        12,
        2034,
    )
    assert held["payment_method_id"] == method["id"]
    assert billing["invoices"] == (await read(service, "/v1/invoices?customer=ada"))["data"]
    told = offered(billing)
    assert told["pro"] == (False, False, "already_subscribed", False)
    assert told["pro-trial"] == (True, False, "already_subscribed", False)
    refused = await service.client.post(
        "/v1/checkout-sessions", json={"type": "product", "customer": "ada", "price": "pro"}
    )
    assert refused.json()["code"] == told["pro"][2]


async def test_what_they_are_asked_for_is_there_while_it_can_be_done(service: Service) -> None:
    await shop(service)
    await service.client.post("/v1/customers", json={"external_id": "ada"})
    session = await service.open_session(anonymous=False, customer="ada", quantity=2)
    await service.open_session()
    (asked,) = (await read(service, "/v1/customers/ada/billing"))["checkout_sessions"]
    assert asked == {name: session[name] for name in asked}
    assert (asked["url"], asked["amount"]) == (session["url"], 3000)
    service.clock.advance(timedelta(hours=24))
    assert (await read(service, "/v1/customers/ada/billing"))["checkout_sessions"] == []


async def test_nobody(service: Service) -> None:
    for reference in ("nobody", f"cus_{suffix(9)}"):
        reply = await service.client.get(f"/v1/customers/{reference}/billing")
        assert_problem(reply, 404, "customer_not_found")
    reply = await service.client.get("/v1/customers/a%20b/billing")
    assert_problem(reply, 422, "invalid_id", "reference")
