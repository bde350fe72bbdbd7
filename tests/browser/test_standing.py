"""What a buyer finds who comes too early, too late, or again."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.buyers import Visit, visiting
from tests.browser.shop import LONG_NAME

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_each_state_says_what_it_is_and_only_what_can_be_paid_asks_to_be(
    states: dict[str, str], buyer: Visit
) -> None:
    headings = {}
    asking = set()
    for state, url in states.items():
        await buyer.page.goto(url)
        headings[state] = await buyer.page.get_by_role("heading", level=1).text_content()
        if await buyer.page.locator("form, input, button").count():
            asking.add(state)
    assert headings == {
        "open": "Your order",
        "declined": "Your order",
        "pending": "Payment under way",
        "paid": "Payment received",
        "failed": "Payment canceled",
        "expired": "Checkout expired",
        "large": "Your order",
        "many": "Your order",
        "free": "Your order",
        "free, of somebody known": "Your order",
        "free, without the token": "Your order",
        "free, complete": "Order complete",
        "trial without a card": "Your free trial",
        "trial, begun": "Your trial has begun",
        "keyless": "Your order",
        "not paid yet": "Not paid yet",
        "unknown": "Nothing here",
        "subscription": "Your subscription",
        "on trial": "Your subscription",
        "no second trial": "Your subscription",
        "subscribed": "You have subscribed",
        "subscribed already": "You are subscribed already",
        "method": "Add a payment method",
        "method of all": "Add a payment method",
        "method, declined": "Add a payment method",
        "method, being checked": "Payment method under way",
        "method, saved": "Payment method saved",
        "activation": "Activate your subscription",
        "activated": "Payment method saved",
        "asked, open": "Your payment",
        "asked, declined": "Your payment",
        "asked, pending": "Payment under way",
        "asked, paid": "Payment received",
        "asked, canceled": "Payment canceled",
        "asked, large": "Your payment",
        "asked, keyless": "Your payment",
        "asked, not paid yet": "Not paid yet",
        "asked, unknown": "Nothing here",
    }
    assert asking == {
        "open",
        "declined",
        "large",
        "many",
        "free",
        "free, of somebody known",
        "trial without a card",
        "subscription",
        "on trial",
        "no second trial",
        "method",
        "method of all",
        "method, declined",
        "activation",
        "asked, open",
        "asked, declined",
        "asked, large",
    }


async def test_the_seller_the_product_and_the_whole_amount_are_there(
    states: dict[str, str], buyer: Visit
) -> None:
    await buyer.page.goto(states["many"])
    await expect(buyer.page.locator("main")).to_contain_text("Acme")
    await expect(buyer.page.locator(".amount")).to_have_text("86,419.690 KWD")
    await expect(buyer.page.get_by_role("term")).to_have_text("Ink 7 at 12,345.670 KWD each")
    await buyer.page.goto(states["large"])
    await expect(buyer.page.get_by_role("term")).to_have_text(LONG_NAME)
    await expect(buyer.page.get_by_role("button", name="Pay 999,999.99 USD")).to_be_visible()


@pytest.mark.parametrize(
    ("state", "amount", "terms", "button"),
    [
        (
            "subscription",
            "20.00 USD per month",
            "20.00 USD is charged to your payment method today",
            "Subscribe",
        ),
        ("on trial", "9.00 USD every 3 months", "The first 14 days are free. Then 9.00 USD", "Subscribe"),
        (
            "no second trial",
            "9.00 USD every 3 months",
            "is charged to your payment method today",
            "Subscribe",
        ),
        (
            "trial without a card",
            "29.00 USD per month",
            "The first 7 days are free, and no payment method is needed. Then it is 29.00 USD every month.",
            "Start trial",
        ),
        ("method", None, "Nothing is charged now. Acme keeps it", "Save payment method"),
        ("method of all", None, "All your subscriptions will be paid with it.", "Save payment method"),
        ("activation", None, "What is due for your subscription is charged", "Activate subscription"),
    ],
)
async def test_what_is_asked_for_is_told_before_it_is_given(
    states: dict[str, str], buyer: Visit, state: str, amount: str | None, terms: str, button: str
) -> None:
    await buyer.page.goto(states[state])
    told = await buyer.page.locator(".amount").all_text_contents()
    assert told == ([amount] if amount else [])
    await expect(buyer.page.locator(".order")).to_contain_text(terms)
    await expect(buyer.page.locator("main")).not_to_contain_text("None")
    await expect(buyer.page.get_by_role("button", name=button, exact=True)).to_be_visible()


async def test_a_last_refusal_is_still_there_after_a_reload(states: dict[str, str], buyer: Visit) -> None:
    await buyer.page.goto(states["declined"])
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")
    await buyer.page.goto(states["method, declined"])
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")
    await buyer.page.goto(states["not paid yet"])
    await buyer.page.get_by_role("link", name="Try again").click()
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")


async def test_without_scripts_there_is_the_order_and_no_form_that_would_not_work(
    browser: Browser, states: dict[str, str]
) -> None:
    async with visiting(browser, scripts=False) as visit:
        await visit.page.goto(states["open"])
        await expect(visit.page.locator(".amount")).to_have_text("19.99 USD")
        await expect(visit.page.locator("#pay")).to_be_hidden()
        await expect(visit.page.locator("time")).to_contain_text("UTC")
