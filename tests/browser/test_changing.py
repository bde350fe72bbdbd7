"""A buyer says how many they want and whom to bill, on the hosted page."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.buyers import GOOD, PHONE, SMALLEST, Scheme, Visit, visiting
from tests.browser.shop import Shop

FIRST = "Your change is not part of the order yet: first press “Update”."

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_three_are_wanted_and_three_are_paid(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_label("Quantity").fill("3")
    await buyer.page.get_by_role("button", name="Update").click()
    pay = buyer.page.get_by_role("button", name="Pay 59.97 USD")
    await expect(pay).to_be_visible()
    await expect(buyer.page.get_by_role("term")).to_contain_text("3 at 19.99 USD each")
    await buyer.page.get_by_role("button", name=GOOD).click()
    await pay.click()
    await buyer.page.wait_for_url(shop.thanks)
    paid = await shop.read(session)
    assert (paid["status"], paid["quantity"], paid["amount"]) == ("succeeded", 3, 5997)
    payments = await shop.service.call("GET", f"/v1/payments?customer={paid['customer_id']}")
    assert [(each["amount"], each["status"]) for each in payments["data"]] == [(5997, "succeeded")]
    assert buyer.hosts == {"127.0.0.1"}
    assert buyer.complaints == []


async def test_it_works_without_scripts(browser: Browser, shop: Shop) -> None:
    session = await shop.session()
    async with visiting(browser, scripts=False) as visit:
        await visit.page.goto(session["url"])
        await visit.page.get_by_label("Quantity").fill("2")
        await visit.page.get_by_role("button", name="Update").click()
        await expect(visit.page.locator(".amount")).to_have_text("39.98 USD")
    assert (await shop.read(session))["quantity"] == 2


async def test_what_was_written_and_not_sent_is_not_forgotten(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_label("Quantity").fill("2")
    await buyer.page.get_by_role("button", name=GOOD).click()
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    await expect(buyer.page.get_by_role("alert")).to_have_text(FIRST)
    await expect(buyer.page.get_by_role("button", name="Update")).to_be_focused()
    await buyer.page.keyboard.press("Enter")
    await expect(buyer.page.get_by_role("button", name="Pay 39.98 USD")).to_be_visible()
    summary = buyer.page.locator("summary")
    await summary.click()
    await buyer.page.get_by_label("City").fill("Turin")
    await summary.click()
    await buyer.page.get_by_role("button", name=GOOD).click()
    await buyer.page.get_by_role("button", name="Pay 39.98 USD").click()
    await expect(buyer.page.get_by_role("button", name="Save billing details")).to_be_focused()
    assert buyer.posts_to("/confirm") == 0
    assert await shop.status(session) == "open"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_whom_to_bill_is_kept_and_what_is_wrong_is_told_beside_it(
    browser: Browser, shop: Shop, scheme: Scheme
) -> None:
    session = await shop.session()
    async with visiting(browser, SMALLEST, scheme) as visit:
        page = visit.page
        await page.goto(session["url"])
        await page.locator("summary").click()
        await page.get_by_label("E-mail").fill("bob@example.com")
        await page.get_by_label("Name").fill("Bob")
        await page.get_by_label("City").fill("Turin")
        assert await visit.broken_rules() == []
        assert await visit.overflow() == 0
        await page.get_by_role("button", name="Save billing details").click()
        country = page.get_by_label("Country")
        await expect(country).to_be_focused()
        await expect(country).to_have_accessible_description("Please choose a country.")
        await expect(page.get_by_label("City")).to_have_value("Turin")
        assert await visit.broken_rules() == []
        assert await visit.overflow() == 0
        assert (await shop.read(session))["customer_email"] is None
        await country.select_option(label="Italy")
        await page.get_by_role("button", name="Save billing details").click()
        await expect(page.get_by_text("Billed to Bob, bob@example.com, Turin, IT")).to_be_visible()
        await page.get_by_role("button", name=GOOD).click()
        await page.get_by_role("button", name="Pay 19.99 USD").click()
        await page.wait_for_url(shop.thanks)
        assert visit.complaints == []
    paid = await shop.read(session)
    assert paid["billing_address"]["city"] == "Turin"
    customer = await shop.service.call("GET", f"/v1/customers/{paid['customer_id']}")
    assert (customer["email"], customer["name"]) == ("bob@example.com", "Bob")


async def test_too_many_are_refused_and_nothing_is_paid_in_their_place(browser: Browser, shop: Shop) -> None:
    session = await shop.session()
    async with visiting(browser, PHONE) as visit:
        page = visit.page
        await page.goto(session["url"])
        quantity = page.get_by_label("Quantity")
        await quantity.fill("1000000")
        await quantity.press("Enter")
        await expect(quantity).to_be_focused()
        await expect(quantity).to_have_accessible_description(
            "So many cannot be paid at once. Please take fewer."
        )
        await expect(quantity).to_have_value("1000000")
        assert await visit.broken_rules() == []
        await page.get_by_role("button", name=GOOD).click()
        await page.get_by_role("button", name="Pay 19.99 USD").click()
        await expect(page.get_by_role("button", name="Update")).to_be_focused()
        await expect(page.locator("#refusal")).to_have_text(FIRST)
        assert await visit.broken_rules() == []
        assert visit.posts_to("/confirm") == 0
        await quantity.fill("1")
        await quantity.press("Enter")
        await page.get_by_role("button", name=GOOD).click()
        await page.get_by_role("button", name="Pay 19.99 USD").click()
        await page.wait_for_url(shop.thanks)
        assert visit.complaints == []


async def test_what_is_being_paid_stays_as_it_is(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await shop.service.pay(session, "pm_card_visa")
    await shop.service.sandbox.drain()
    await buyer.page.get_by_label("Quantity").fill("2")
    await buyer.page.get_by_role("button", name="Update").click()
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Too late to change")
    assert await buyer.broken_rules() == []
    await buyer.page.get_by_role("link", name="See how it stands").click()
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Payment received")
    assert (await shop.read(session))["quantity"] == 1
