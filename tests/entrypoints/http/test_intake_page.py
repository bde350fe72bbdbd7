"""/pay/{id}: what somebody sees who was asked by e-mail, and what they are not shown."""

import httpx
import pytest

from tests.builders import suffix
from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.test_checkout_page import (
    TO_SANDBOX,
    TO_STRIPE,
    Page,
    paid_at,
    policy_of,
)
from tests.entrypoints.http.test_intake_payments import OWNER, ask, told

THANKS = "https://shop.example/thanks"


async def visited(service: Service, path: str) -> httpx.Response:
    """Somebody opens it, without any key."""
    return await service.client.get(path, headers={"authorization": ""})


async def test_it_says_who_asks_for_what_and_how_much(service: Service) -> None:
    paid_at(service, TO_SANDBOX)
    asked = await ask(service, description="Consultation <b>on Monday</b>")
    page = await visited(service, f"/pay/{asked['id']}")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    words = ("Acme", "Consultation <b>on Monday</b>", "25.00 USD", "Pay 25.00 USD", "Test mode")
    for word in words:
        assert word in Page(page.text).text
    (form,) = Page(page.text).all("form")
    assert form["data-secret"] == asked["client_secret"]
    assert form["data-intent"] == asked["payment_intent_id"]
    assert form["data-intents"] == "payment_intents"
    assert policy_of(page)["connect-src"] == [TO_SANDBOX.api_base]
    assert policy_of(page)["form-action"] == ["'none'"]


async def test_with_real_keys_stripes_own_form_is_shown(service: Service) -> None:
    paid_at(service, TO_STRIPE)
    asked = await ask(service)
    page = await visited(service, f"/pay/{asked['id']}")
    assert "https://js.stripe.com/dahlia/stripe.js" in [
        one.get("src") for one in Page(page.text).all("script")
    ]
    assert "elements.create" in page.text
    assert "customerSession" not in page.text


@pytest.mark.parametrize("email", [OWNER, "bob@example.test"], ids=["registered", "not registered"])
async def test_nothing_tells_whether_the_address_is_registered(service: Service, email: str) -> None:
    """The page of one address is that of the other, but for what differs for every intake payment."""
    paid_at(service, TO_SANDBOX)
    asked, stranger = await ask(service, email=email), await ask(service, email="eve@example.test")
    pages = []
    for one in (asked, stranger):
        seen = ""
        for path in (f"/pay/{one['id']}", f"/pay/{one['id']}/return"):
            seen += (await visited(service, path)).text
        for known in (one["id"], one["payment_intent_id"]):
            seen = seen.replace(known, "…")
        pages.append(seen)
        for secret in (one["email"], str(one["user_id"]), one["stripe_customer_id"]):
            assert secret not in seen
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("status", "heading", "marked"),
    [
        ("succeeded", "Payment received", "succeeded"),
        ("processing", "Payment under way", "pending"),
        ("canceled", "Payment canceled", "failed"),
    ],
)
async def test_what_is_settled_has_no_form(service: Service, status: str, heading: str, marked: str) -> None:
    paid_at(service, TO_SANDBOX)
    asked = await ask(service, success_url=THANKS)
    await told(service, asked, status=status)
    page = await visited(service, f"/pay/{asked['id']}")
    assert heading in page.text
    assert Page(page.text).all("form") == []
    assert [one["class"] for one in Page(page.text).all("h1")] == [marked]
    links = [one["href"] for one in Page(page.text).all("a")]
    assert links == ([] if status == "canceled" else [THANKS])
    assert asked["client_secret"] not in page.text


async def test_a_declined_attempt_is_told_and_can_be_followed_by_another(service: Service) -> None:
    paid_at(service, TO_SANDBOX)
    asked = await ask(service)
    error = {
        "type": "card_error",
        "code": "card_declined",
        "message": "Your card was declined.",
        "charge": "c",
    }
    await told(service, asked, status="requires_payment_method", last_payment_error=error)
    page = await visited(service, f"/pay/{asked['id']}")
    assert "Your card was declined." in page.text
    assert len(Page(page.text).all("form")) == 1


async def test_what_no_browser_can_pay_here_says_so(service: Service) -> None:
    paid_at(service, None)
    asked = await ask(service)
    page = await visited(service, f"/pay/{asked['id']}")
    assert "cannot be paid on this page" in page.text
    assert Page(page.text).all("form") == []


async def test_back_from_paying_the_browser_goes_on_to_the_seller(service: Service) -> None:
    asked = await ask(service, success_url=THANKS)
    service.gateway.succeed(asked["payment_intent_id"])
    reply = await visited(service, f"/pay/{asked['id']}/return")
    assert (reply.status_code, reply.headers["location"]) == (303, THANKS)
    paid = (await service.client.get(f"/v1/intake-payments/{asked['id']}")).json()
    assert paid["status"] == "succeeded"


async def test_back_without_an_address_it_is_told_how_it_stands(service: Service) -> None:
    asked = await ask(service)
    reply = await visited(service, f"/pay/{asked['id']}/return?redirect_status=succeeded")
    assert (reply.status_code, "Not paid yet" in reply.text) == (200, True)
    assert [one["href"] for one in Page(reply.text).all("a")] == [f"../{asked['id']}"]
    service.gateway.succeed(asked["payment_intent_id"])
    reply = await visited(service, f"/pay/{asked['id']}/return")
    assert "Payment received" in reply.text
    assert Page(reply.text).all("a") == []


async def test_nothing_is_at_a_link_that_was_cut_off(service: Service) -> None:
    for path in (f"/pay/intake_{suffix(9)}", "/pay/intake_1", f"/pay/intake_{suffix(9)}/return"):
        reply = await visited(service, path)
        assert reply.status_code == 404
        assert "Nothing here" in reply.text
    asked = await ask(service)
    service.gateway.fail_next("before")
    assert (await visited(service, f"/pay/{asked['id']}/return")).status_code == 503
