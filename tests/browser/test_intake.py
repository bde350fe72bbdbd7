"""Somebody who was asked by e-mail pays on their page."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.buyers import DECLINED, GOOD, SMALLEST, Visit, visiting
from tests.browser.shop import PUBLISHABLE_KEY, Shop
from tests.browser.test_keyboard import tabbed
from tests.browser.test_payment_element import stands_in_for_stripe

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_declined_card_says_so_and_a_good_one_pays(shop: Shop, buyer: Visit) -> None:
    asked = await shop.asked()
    await buyer.page.goto(asked["url"])
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Your payment")
    await expect(buyer.page.locator("main")).to_contain_text("Acme")
    await expect(buyer.page.get_by_role("term")).to_have_text("Consultation")
    await expect(buyer.page.locator("main")).not_to_contain_text("bob@example.com")
    await buyer.page.get_by_label("Card number").fill(DECLINED)
    await buyer.page.get_by_role("button", name="Pay 25.00 USD").click()
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")
    assert await buyer.broken_rules() == []
    await buyer.page.get_by_label("Card number").fill(GOOD)
    await buyer.page.get_by_role("button", name="Pay 25.00 USD").click()
    await buyer.page.wait_for_url(shop.thanks)
    paid = await shop.read_asked(asked)
    assert (paid["status"], paid["payment_id"] is not None) == ("succeeded", True)
    told = [event for event in await shop.service.events() if event["subject"]["id"] == asked["id"]]
    types = [event["type"] for event in told]
    assert (types.count("intake_payment.succeeded"), types[0]) == (1, "intake_payment.created")
    await buyer.page.goto(asked["url"])
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Payment received")
    assert buyer.hosts == {"127.0.0.1"}
    assert buyer.complaints == []


async def test_it_is_paid_by_keys_alone(shop: Shop, buyer: Visit) -> None:
    asked = await shop.asked(success_url=None)
    await buyer.page.goto(asked["url"])
    cards = [
        "4242 4242 4242 4242 is paid",
        "4000 0000 0000 0002 is declined",
        "4000 0000 0000 9995 has insufficient funds",
        "4000 0000 0000 3220 asks for approval",
    ]
    order = [*cards, "number", "expiry", "cvc", "Pay 25.00 USD"]
    assert await tabbed(buyer.page, len(order)) == order
    assert await tabbed(buyer.page, len(order) - 1, "Shift+Tab") == order[-2::-1]
    await buyer.page.keyboard.press("Space")
    await expect(buyer.page.get_by_role("button", name="Pay 25.00 USD")).to_be_focused()
    await buyer.page.keyboard.press("Enter")
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Payment received")
    assert (await shop.read_asked(asked))["status"] == "succeeded"


async def test_what_was_taken_back_meanwhile_is_not_paid(shop: Shop, buyer: Visit) -> None:
    asked = await shop.asked()
    await buyer.page.goto(asked["url"])
    await shop.service.call("POST", f"/v1/intake-payments/{asked['id']}/cancel")
    await shop.service.worker.drain()
    await buyer.page.get_by_role("button", name=GOOD).click()
    await buyer.page.get_by_role("button", name="Pay 25.00 USD").click()
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Payment canceled")
    assert (await shop.read_asked(asked))["status"] == "canceled"


async def test_on_the_smallest_screen_all_of_it_is_there(browser: Browser, shop: Shop) -> None:
    asked = await shop.asked(description="An appointment, and all that comes with it, " * 10)
    async with visiting(browser, SMALLEST) as visit:
        await visit.page.goto(asked["url"])
        assert await visit.overflow() == 0
        await expect(visit.page.get_by_role("button", name="Pay 25.00 USD")).to_be_visible()


async def test_without_scripts_there_is_what_is_asked_and_no_form_that_would_not_work(
    browser: Browser, shop: Shop
) -> None:
    async with visiting(browser, scripts=False) as visit:
        await visit.page.goto((await shop.asked())["url"])
        await expect(visit.page.locator(".amount")).to_have_text("25.00 USD")
        await expect(visit.page.locator("#pay")).to_be_hidden()
        await expect(visit.page.get_by_role("alert")).to_contain_text("This needs JavaScript.")


async def test_with_real_keys_the_element_is_mounted_with_nothing_of_who_pays(
    shop: Shop, buyer: Visit
) -> None:
    await stands_in_for_stripe(buyer)
    asked = await shop.asked()
    await buyer.page.goto(f"{shop.by_stripe}/pay/{asked['id']}")
    pay = buyer.page.get_by_role("button", name="Pay 25.00 USD")
    await expect(pay).to_be_visible()
    assert await buyer.page.evaluate("asked") == [
        ["Stripe", PUBLISHABLE_KEY],
        ["elements", {"clientSecret": asked["client_secret"], "appearance": {"theme": "stripe"}}],
        ["create", "payment"],
        ["mount", "#element"],
    ]
    await pay.click()
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")
    back = f"{shop.by_stripe}/pay/{asked['id']}/return"
    assert (await buyer.page.evaluate("asked"))[-1] == ["confirmPayment", True, {"return_url": back}]
    assert await buyer.broken_rules() == []
    assert buyer.complaints == []
