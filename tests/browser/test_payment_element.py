"""With a publishable key: Stripe's Payment Element, used as docs.stripe.com/payments/payment-element says.

Stripe is not reached: what stands in for its library notes what it is asked for.
"""

from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.browser.buyers import Visit
from tests.browser.shop import PUBLISHABLE_KEY, Shop
from tests.system.service import Json

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIBRARY = "https://js.stripe.com/dahlia/stripe.js"
_STAND_IN = Path(__file__).with_name("stripe_js.js").read_text(encoding="utf-8")


async def stands_in_for_stripe(buyer: Visit, *, status: int = 200, library: str = _STAND_IN) -> None:
    """This is what the browser finds instead of Stripe."""

    async def frame(route: Route) -> None:
        await route.fulfill(content_type="text/html", body="<!doctype html><title>Card</title>")

    async def script(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body=library)

    async def api(route: Route) -> None:
        await route.fulfill(status=status, headers={"Access-Control-Allow-Origin": "*"}, json={})

    context = buyer.page.context
    await context.route("https://js.stripe.com/**", frame)
    await context.route(LIBRARY, script)
    await context.route("https://api.stripe.com/**", api)


async def _at_stripe(
    shop: Shop, buyer: Visit, *, price: str = "course", status: int = 200, library: str = _STAND_IN
) -> Json:
    """The page of a new session, with this Stripe behind it."""
    await stands_in_for_stripe(buyer, status=status, library=library)
    session = await shop.session(price)
    await buyer.page.goto(f"{shop.by_stripe}/checkout/{session['id']}")
    return session


async def test_the_element_is_mounted_for_the_sessions_intent(shop: Shop, buyer: Visit) -> None:
    session = await _at_stripe(shop, buyer)
    await expect(buyer.page.get_by_role("button", name="Pay 19.99 USD")).to_be_visible()
    assert await buyer.page.evaluate("asked") == [
        ["Stripe", PUBLISHABLE_KEY],
        ["elements", {"clientSecret": session["client_secret"], "appearance": {"theme": "stripe"}}],
        ["create", "payment"],
        ["mount", "#element"],
    ]
    assert await buyer.page.locator("input").count() == 0
    assert await buyer.broken_rules() == []
    assert buyer.hosts == {"127.0.0.1", "js.stripe.com", "api.stripe.com"}
    assert buyer.complaints == []


async def test_by_night_the_element_is_dark_too(shop: Shop, buyer: Visit) -> None:
    await buyer.page.emulate_media(color_scheme="dark")
    await _at_stripe(shop, buyer)
    (_, options) = (await buyer.page.evaluate("asked"))[1]
    assert options["appearance"] == {"theme": "night"}


async def test_it_is_confirmed_with_the_way_back_and_a_refusal_is_shown(shop: Shop, buyer: Visit) -> None:
    session = await _at_stripe(shop, buyer)
    pay = buyer.page.get_by_role("button", name="Pay 19.99 USD")
    await pay.click()
    back = f"{shop.by_stripe}/checkout/{session['id']}/return"
    refusal = buyer.page.get_by_role("alert")
    await expect(refusal).to_have_text("Your card was declined.")
    await expect(refusal).to_be_focused()
    assert (await buyer.page.evaluate("asked"))[-1] == ["confirmPayment", True, {"return_url": back}]
    await buyer.page.evaluate("answer = { error: { type: 'api_error', message: 'pi_123: internal' } }")
    await pay.click()
    await expect(refusal).to_have_text("This could not be sent. Please try again.")


async def test_a_payment_method_is_set_up_and_a_refusal_is_shown(shop: Shop, buyer: Visit) -> None:
    session = await _at_stripe(shop, buyer, price="gazette")
    subscribe = buyer.page.get_by_role("button", name="Subscribe")
    await expect(subscribe).to_be_visible()
    (_, options) = (await buyer.page.evaluate("asked"))[1]
    assert options["clientSecret"] == session["client_secret"]
    assert session["setup_intent_id"] in session["client_secret"]
    await subscribe.click()
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")
    back = f"{shop.by_stripe}/checkout/{session['id']}/return"
    assert (await buyer.page.evaluate("asked"))[-1] == ["confirmSetup", True, {"return_url": back}]
    assert await buyer.broken_rules() == []
    assert buyer.complaints == []
    await buyer.page.context.route(back, lambda route: route.fulfill(body="Thank you"))
    over = "{ type: 'invalid_request_error', code: 'setup_intent_unexpected_state' }"
    await buyer.page.evaluate(f"answer = {{ error: {over} }}")
    await subscribe.click()
    await buyer.page.wait_for_url(back)


@pytest.mark.parametrize(
    "answer",
    ["null", "{ error: { type: 'invalid_request_error', code: 'payment_intent_unexpected_state' } }"],
)
async def test_who_has_paid_is_sent_back(shop: Shop, buyer: Visit, answer: str) -> None:
    session = await _at_stripe(shop, buyer)
    back = f"{shop.by_stripe}/checkout/{session['id']}/return"
    await buyer.page.context.route(back, lambda route: route.fulfill(body="Thank you"))
    await buyer.page.evaluate(f"answer = {answer}")
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    await buyer.page.wait_for_url(back)


@pytest.mark.parametrize(("status", "library"), [(500, _STAND_IN), (200, "")], ids=["element", "library"])
async def test_what_cannot_be_loaded_says_so_and_takes_no_payment(
    shop: Shop, buyer: Visit, status: int, library: str
) -> None:
    await _at_stripe(shop, buyer, status=status, library=library)
    await expect(buyer.page.get_by_role("alert")).to_contain_text("The payment form could not be loaded.")
    await expect(buyer.page.locator("#pay button[type=submit]")).to_be_hidden()
    await expect(buyer.page.get_by_text("Loading")).to_be_hidden()


async def test_nobody_but_stripe_is_let_in(shop: Shop, buyer: Visit) -> None:
    reached: list[str] = []

    async def elsewhere(route: Route) -> None:
        reached.append(route.request.url)
        await route.abort()

    await buyer.page.context.route("https://elsewhere.example/**", elsewhere)
    await _at_stripe(shop, buyer)
    await buyer.page.evaluate(
        """() => {
            window.refused = [];
            addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
            fetch("https://elsewhere.example/").catch(() => {});
            const made = (tag, src) => Object.assign(document.createElement(tag), { src });
            const add = (tag, src) => document.body.append(made(tag, src));
            add("script", "https://elsewhere.example/a.js");
            add("iframe", "https://elsewhere.example/");
            add("img", "https://elsewhere.example/a.png");
        }"""
    )
    await buyer.page.wait_for_function("refused.length === 4")
    refused = set(await buyer.page.evaluate("refused"))
    assert refused == {"connect-src", "script-src-elem", "frame-src", "img-src"}
    assert reached == []
