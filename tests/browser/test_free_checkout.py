"""A buyer gets what costs nothing, on the hosted page."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.buyers import PHONE, Visit, visiting
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUTTON = "Complete order"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
async def test_a_buyer_pays_nothing_and_lands_where_the_seller_wants_them(
    browser: Browser, shop: Shop, scripts: bool
) -> None:
    session = await shop.session("sample")
    async with visiting(browser, scripts=scripts) as visit:
        page = visit.page
        await page.goto(session["url"])
        await expect(page.get_by_role("heading", name="Nothing to pay")).to_be_visible()
        await page.get_by_label("E-mail").fill("bob@example.com")
        await page.get_by_label("Name (optional)").fill("Bob")
        assert await shop.status(session) == "open"
        await page.get_by_role("button", name=BUTTON).click()
        await page.wait_for_url(shop.thanks)
        assert visit.complaints == []
        assert visit.hosts == {"127.0.0.1"}
        assert visit.posts_to("/confirm") == 1
    read = await shop.service.call("GET", f"/v1/checkout-sessions/{session['id']}")
    customer = await shop.service.call("GET", f"/v1/customers/{read['customer_id']}")
    assert (read["status"], customer["email"], customer["name"]) == ("succeeded", "bob@example.com", "Bob")


async def test_somebody_known_presses_enter_and_that_is_all(shop: Shop, buyer: Visit) -> None:
    session = await shop.session("sample", customer_email="ada@example.com")
    await buyer.page.goto(session["url"])
    await expect(buyer.page.get_by_role("textbox")).to_have_count(0)
    for focused in (
        buyer.page.get_by_text("Cancel and go back"),
        buyer.page.get_by_label("Quantity"),
        buyer.page.get_by_role("button", name=BUTTON),
    ):
        await buyer.page.keyboard.press("Tab")
        await expect(focused).to_be_focused()
    await buyer.page.keyboard.press("Enter")
    await buyer.page.wait_for_url(shop.thanks)
    assert await shop.status(session) == "succeeded"
    await buyer.page.goto(session["url"])
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Order complete")


async def test_a_wrong_address_is_named_and_the_buyer_is_taken_to_it(browser: Browser, shop: Shop) -> None:
    session = await shop.session("sample")
    async with visiting(browser, PHONE) as visit:
        page = visit.page
        await page.goto(session["url"])
        email = page.get_by_label("E-mail")
        await page.get_by_role("button", name=BUTTON).click()  # the browser itself stops what is empty
        await expect(email).to_be_focused()
        await email.evaluate("field => { field.type = 'text'; field.required = false }")
        await email.fill("bob at example")
        await email.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("This is not an e-mail address.")
        await expect(email).to_be_focused()
        await expect(email).to_have_attribute("aria-invalid", "true")
        await expect(email).to_have_accessible_description("This is not an e-mail address.")
        await expect(email).to_have_value("bob at example")
        assert await visit.broken_rules() == []
        assert await visit.overflow() == 0
        assert visit.complaints == []
        assert await shop.status(session) == "open"
        await email.fill("bob@example.com")
        await email.press("Enter")
        await page.wait_for_url(shop.thanks)
    assert await shop.status(session) == "succeeded"


async def test_who_goes_back_or_sends_it_twice_gets_it_once(shop: Shop, buyer: Visit) -> None:
    session = await shop.session("sample", customer_email="ada@example.com")
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_role("button", name=BUTTON).dblclick()
    await buyer.page.wait_for_url(shop.thanks)
    await buyer.page.goto(session["url"])
    await expect(buyer.page.get_by_role("button")).to_have_count(0)
    told = [event for event in await shop.service.events() if event["type"] == "purchase.completed"]
    of_session = [event for event in told if event["data"]["object"]["checkout_session_id"] == session["id"]]
    assert len(of_session) == 1
