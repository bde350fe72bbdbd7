"""/checkout/{id} where a payment method is left: to subscribe, to activate, or for what is to come."""

from typing import Any

import pytest

from tests.entrypoints.http.conftest import CATALOG, Service
from tests.entrypoints.http.test_checkout_page import (
    SANDBOX,
    TO_SANDBOX,
    TO_STRIPE,
    URLS,
    Page,
    paid_at,
    policy_of,
    visited,
)


def plan(slug: str, **terms: object) -> dict[str, Any]:
    price = {"slug": slug, "type": "subscription", "amount": 1000, "currency": "usd", **terms}
    return {"slug": slug, "name": f"The {slug} plan", "prices": [price]}


PLANS = [
    plan("monthly", interval="month"),
    plan("tried", interval="month", interval_count=3, trial_days=14),
    plan("day", interval="year", trial_days=1),
]


@pytest.fixture
async def shop(service: Service) -> Service:
    """It sells plans, and knows Ada."""
    paid_at(service, TO_SANDBOX)
    standard = CATALOG["pricing_models"][0]
    catalog = {
        "features": CATALOG["features"],
        "pricing_models": [{**standard, "products": [*standard["products"], *PLANS]}],
    }
    assert (await service.client.put("/v1/catalog", json=catalog)).status_code == 200
    await service.client.post("/v1/customers", json={"external_id": "ada", "email": "ada@example.test"})
    return service


async def opened(service: Service, **given: object) -> dict[str, Any]:
    reply = await service.client.post("/v1/checkout-sessions", json={**URLS, **given})
    assert reply.status_code == 201, reply.text
    session: dict[str, Any] = reply.json()
    return session


def saving(**given: object) -> dict[str, object]:
    return {"type": "add_payment_method", "customer": "ada", **given}


def buying(price: str, **given: object) -> dict[str, object]:
    return {"type": "product", "price": price, "customer": "ada", **given}


async def left(service: Service, session: dict[str, Any]) -> None:
    """A payment method is left, and the browser comes back."""
    service.gateway.succeed_setup(session["setup_intent_id"])
    reply = await service.client.get(f"/checkout/{session['id']}/return")
    assert (reply.status_code, reply.headers["location"]) == (303, URLS["success_url"])


@pytest.mark.parametrize(
    ("asked", "heading", "terms", "button"),
    [
        (
            buying("monthly", quantity=2),
            "Your subscription",
            (
                "20.00 USD per month",
                "20.00 USD is charged to your payment method today, and again every month.",
            ),
            "Subscribe",
        ),
        (
            buying("tried"),
            "Your subscription",
            (
                "every 3 months",
                "The first 14 days are free. Then 10.00 USD is charged to your payment method",
            ),
            "Subscribe",
        ),
        (buying("day"), "Your subscription", ("per year", "The first day is free."), "Subscribe"),
        (
            buying("monthly", preserve_billing_cycle=True),
            "Your subscription",
            ("what is left of the current period, at most 10.00 USD; then 10.00 USD every month.",),
            "Subscribe",
        ),
        (
            saving(),
            "Add a payment method",
            ("Acme", "Nothing is charged now. Acme keeps it for later payments."),
            "Save payment method",
        ),
        (
            saving(all_subscriptions=True),
            "Add a payment method",
            ("All your subscriptions will be paid with it.",),
            "Save payment method",
        ),
    ],
)
async def test_it_says_what_is_asked_for_and_what_is_charged_when(
    shop: Service, asked: dict[str, object], heading: str, terms: tuple[str, ...], button: str
) -> None:
    session = await opened(shop, **asked)
    page = Page((await visited(shop, session["id"])).text)
    for words in (f"{heading} · Acme", *terms, button):
        assert words in page.text
    assert "None" not in page.text
    assert ("USD" in page.text) == (asked["type"] == "product")


async def test_in_the_sandbox_a_test_card_is_set_up_at_the_sandbox(shop: Service) -> None:
    session = await opened(shop, **saving())
    reply = await visited(shop, session["id"])
    (form,) = Page(reply.text).all("form")
    assert (form["data-api"], form["data-intents"]) == (SANDBOX, "setup_intents")
    assert form["data-intent"] == session["setup_intent_id"]
    assert form["data-secret"] == session["client_secret"]
    assert policy_of(reply)["connect-src"] == [SANDBOX]
    paid_at(shop, TO_STRIPE)
    page = Page((await visited(shop, session["id"])).text)
    assert page.all("input") == []
    assert "confirmSetup" in page.text


async def test_what_is_activated_says_so(shop: Service) -> None:
    bought = await opened(shop, **buying("tried"))
    await left(shop, bought)
    subscription = (await shop.client.get(f"/v1/checkout-sessions/{bought['id']}")).json()["subscription_id"]
    session = await opened(shop, type="activate_subscription", subscription=subscription)
    page = Page((await visited(shop, session["id"])).text)
    for words in ("Activate your subscription", "What is due for your subscription", "Activate subscription"):
        assert words in page.text
    await left(shop, session)
    page = Page((await visited(shop, session["id"])).text)
    assert "Payment method saved" in page.text
    assert page.all("form") == []


async def test_a_declined_card_says_why_and_can_be_followed_by_another(shop: Service) -> None:
    session = await opened(shop, **saving())
    shop.gateway.fail_setup(session["setup_intent_id"])
    back = Page((await shop.client.get(f"/checkout/{session['id']}/return")).text)
    assert "Not saved yet" in back.text
    (again,) = back.all("a")
    assert again["href"] == f"../{session['id']}"
    page = Page((await visited(shop, session["id"])).text)
    assert "The setup failed: card_declined." in page.text
    assert len(page.all("form")) == 1


@pytest.mark.parametrize(
    ("asked", "happens", "title", "link"),
    [
        (buying("monthly"), "succeed_setup", "You have subscribed", URLS["success_url"]),
        (saving(), "succeed_setup", "Payment method saved", URLS["success_url"]),
        (buying("monthly"), "process_setup", "Subscription under way", URLS["success_url"]),
        (saving(), "process_setup", "Payment method under way", URLS["success_url"]),
        (buying("monthly"), "cancel_setup", "Subscription canceled", URLS["cancel_url"]),
        (saving(), "cancel_setup", "Canceled", URLS["cancel_url"]),
    ],
)
async def test_how_it_ended_is_said_in_words_that_fit(
    shop: Service, asked: dict[str, object], happens: str, title: str, link: str
) -> None:
    session = await opened(shop, **asked)
    getattr(shop.gateway, happens)(session["setup_intent_id"])
    back = await shop.client.get(f"/checkout/{session['id']}/return")
    assert (back.status_code, back.headers["location"]) == (303, link)
    reply = await visited(shop, session["id"])
    page = Page(reply.text)
    assert f"{title} · Acme" in page.text
    assert "Payment received" not in page.text
    assert page.all("form") == page.all("script") == []
    assert [each["href"] for each in page.all("a")] == [link]
    assert session["client_secret"] not in reply.text


async def test_who_is_subscribed_already_is_told_so_and_that_nothing_was_charged(shop: Service) -> None:
    first, second = await opened(shop, **buying("monthly")), await opened(shop, **buying("monthly"))
    await left(shop, first)
    shop.gateway.succeed_setup(second["setup_intent_id"])
    for _ in range(2):
        reply = await shop.client.get(f"/checkout/{second['id']}/return")
        assert reply.status_code == 409
        page = Page(reply.text)
        assert "You are subscribed already" in page.text
        assert "nothing was charged" in page.text
    customer = (await shop.client.get("/v1/customers/ada")).json()
    assert [each["product_slug"] for each in customer["subscriptions"]] == ["monthly"]
