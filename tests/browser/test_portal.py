"""The billing portal in a browser: getting in by mail, looking after what is theirs, for everybody."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.buyers import DESK, PHONE, SMALLEST, Scheme, Size, Visit, visiting
from tests.browser.shop import Shop
from tests.browser.test_keyboard import tabbed

pytestmark = pytest.mark.asyncio(loop_scope="session")


def portal(shop: Shop) -> str:
    return f"{shop.service.api.base_url}/portal/acme/test"


async def subscriber(shop: Shop, name: str) -> str:
    """Somebody with a card who has bought a book and takes the gazette, without an account; their address."""
    customer = await shop.customer(name)
    bought = await shop.session("course", anonymous=False, customer=customer)
    await shop.service.pay(bought, "pm_card_visa")
    await shop.set_up(await shop.session("gazette", anonymous=False, customer=customer), "pm_card_visa")
    await shop.subscriptions(customer, gazette="active")
    return f"{name}@example.com"


async def ask(shop: Shop, page: Page, email: str) -> str:
    """Asks for a code; what the mail says."""
    await page.goto(portal(shop))
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_role("button", name="Send me a code").click()
    await expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    await shop.service.worker.drain()
    sent = [mail for mail in shop.service.mailer.sent if mail.to == email]
    found = re.search(r"\d{3} \d{3}", sent[-1].subject)
    assert found is not None
    return found[0]


async def sign_in(shop: Shop, page: Page, email: str) -> None:
    code = await ask(shop, page, email)
    await page.get_by_label("Code with six digits").fill(code)
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text(f"Signed in as {email}")).to_be_visible()


@asynccontextmanager
async def somebody_in(browser: Browser, shop: Shop, name: str, size: Size = DESK) -> AsyncIterator[Visit]:
    """Without scripts: the portal has none."""
    async with visiting(browser, size, scripts=False) as visit:
        await sign_in(shop, visit.page, await subscriber(shop, name))
        yield visit


async def test_a_subscription_is_canceled_and_kept_after_all(browser: Browser, shop: Shop) -> None:
    async with somebody_in(browser, shop, "grace") as visit:
        page = visit.page
        held = page.locator(".held").filter(has_text="gazette")
        await expect(held).to_contain_text("10.00 USD per month")
        await expect(held).to_contain_text("Renews on")
        await expect(held).to_contain_text("Paid with Visa ending in 4242")
        await held.get_by_role("button", name="Cancel").click()
        await expect(held).to_contain_text("Ends on")
        await held.get_by_role("button", name="Keep it").click()
        await expect(held).to_contain_text("Renews on")
        told = [event for event in await shop.service.events() if "cancellation" in event["type"]]
        assert [(event["type"], event["actor"]["type"]) for event in told] == [
            ("subscription.cancellation_scheduled", "buyer"),
            ("subscription.cancellation_withdrawn", "buyer"),
        ]


async def test_another_card_is_left_on_the_checkout_page_and_then_chosen(
    browser: Browser, shop: Shop
) -> None:
    email = await subscriber(shop, "hedy")
    async with visiting(browser) as visit:
        page = visit.page
        await sign_in(shop, page, email)
        await page.get_by_role("button", name="Add a payment method").click()
        await page.get_by_role("button", name="4242").click()
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url(f"{portal(shop)}*")
        await page.goto(portal(shop))
        methods = page.get_by_label("Paid with").locator("option")
        await expect(methods).to_have_count(2)
        other = await methods.nth(0).get_attribute("value")
        assert other is not None
        await page.get_by_label("Paid with").select_option(other)
        await page.get_by_role("button", name="Use it").click()
        await expect(page.get_by_label("Paid with")).to_have_value(other)
        (customer,) = (await shop.service.call("GET", f"/v1/customers?email={email}"))["data"]
        page_of = await shop.service.call("GET", f"/v1/subscriptions?customer={customer['id']}&status=active")
        charged = {each["product_slug"]: each["payment_method_id"] for each in page_of["data"]}
        assert charged["gazette"] == other
        assert visit.complaints == []
        assert visit.hosts == {"127.0.0.1"}


async def test_what_was_bought_is_bought_again(browser: Browser, shop: Shop) -> None:
    async with somebody_in(browser, shop, "ida") as visit:
        page = visit.page
        await page.get_by_role("button", name="Buy again Watercolour for beginners").click()
        await expect(page.get_by_text("19.99 USD").first).to_be_visible()
        await page.get_by_role("link", name="Cancel and go back").click()
        await expect(page.get_by_text("Signed in as ida@example.com")).to_be_visible()


async def test_an_invoice_is_shown_to_be_printed(browser: Browser, shop: Shop) -> None:
    async with somebody_in(browser, shop, "joan") as visit:
        await visit.page.get_by_role("link", name=re.compile(r"^Invoice \d+")).first.click()
        await expect(visit.page.get_by_text("Acme").first).to_be_visible()
        await expect(visit.page.get_by_role("table")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_no_rule_is_broken_at_the_door_and_inside(
    browser: Browser, shop: Shop, size: Size, scheme: Scheme
) -> None:
    email = await subscriber(shop, f"kim-{size[0]}-{scheme}")
    broken: dict[str, list[str]] = {}
    async with visiting(browser, size, scheme) as visit:
        page = visit.page
        await page.goto(portal(shop))
        broken["door"] = await visit.broken_rules()
        code = await ask(shop, page, email)
        broken["code"] = await visit.broken_rules()
        await page.get_by_label("Code with six digits").fill("000000" if code != "000 000" else "111111")
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_role("alert")).to_contain_text("This code is not right")
        await expect(page.get_by_label("Code with six digits")).to_be_focused()
        broken["wrong code"] = await visit.broken_rules()
        await page.get_by_label("Code with six digits").fill(code)
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_text("Signed in as")).to_be_visible()
        broken["inside"] = await visit.broken_rules()
        await page.locator(".held").get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("Ends on")).to_be_visible()
        broken["canceled"] = await visit.broken_rules()
        await page.get_by_role("link", name="All invoices").click()
        broken["invoices"] = await visit.broken_rules()
        (customer,) = (await shop.service.call("GET", f"/v1/customers?email={email}"))["data"]
        link = await shop.service.call("POST", f"/v1/customers/{customer['id']}/portal-link", expect=201)
        await page.goto(link["url"])
        broken["link"] = await visit.broken_rules()
        await page.goto(link["url"][:-1])
        broken["no link"] = await visit.broken_rules()
        assert visit.complaints == []
        assert visit.hosts == {"127.0.0.1"}
    assert broken == {state: [] for state in broken}


@pytest.mark.parametrize(
    ("size", "setting"),
    [(SMALLEST, "0"), (PHONE, "document.documentElement.style.fontSize = '200%'")],
    ids=["320", "200%"],
)
async def test_nothing_is_wider_than_a_small_screen(
    browser: Browser, shop: Shop, size: Size, setting: str
) -> None:
    email = await subscriber(shop, f"lise-{size[0]}")
    async with visiting(browser, size) as visit:
        await visit.page.goto(portal(shop))
        await visit.page.evaluate(setting)
        wider = [await visit.overflow()]
        await sign_in(shop, visit.page, email)
        await visit.page.evaluate(setting)
        wider.append(await visit.overflow())
        assert wider == [0, 0]


async def test_everything_is_done_by_keys_alone_in_its_order(browser: Browser, shop: Shop) -> None:
    email = await subscriber(shop, "mary")
    async with visiting(browser) as visit:
        page = visit.page
        await page.goto(portal(shop))
        assert await tabbed(page, 2) == ["email", "Send me a code"]
        await tabbed(page, 1, "Shift+Tab")
        await page.keyboard.type(email)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Your code")).to_be_visible()
        await shop.service.worker.drain()
        mail = next(mail for mail in shop.service.mailer.sent if mail.to == email)
        assert await tabbed(page, 1) == ["code"]
        await page.keyboard.type(mail.subject[:7])
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Signed in as")).to_be_visible()
        *order, invoice = await tabbed(page, 4)
        assert invoice.startswith("Invoice ")
        assert order == [
            "Cancel The painters' gazette",
            "Buy again Watercolour for beginners",
            "Add a payment method",
        ]
        await page.get_by_role("button", name="Cancel The painters' gazette").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Keep it The painters' gazette")).to_be_visible()


@pytest.mark.parametrize("size", [SMALLEST, DESK], ids=["320", "desk"])
async def test_what_is_asked_by_email_stands_in_rows_however_long_it_is_and_is_paid_by_keys_alone(
    browser: Browser, shop: Shop, size: Size
) -> None:
    email = f"nora-{size[0]}@example.com"
    long = "A consultation of an hour and a half about the garden wall and all that follows, travel included"
    for amount, text in ((2500, "Consultation"), (375000, long), (56250000, "Umbau" * 16)):
        asked = {"email": email, "amount": amount, "currency": "usd", "description": text}
        await shop.service.call("POST", "/v1/intake-payments", asked, expect=201)
    async with visiting(browser, size) as visit:
        page = visit.page
        await sign_in(shop, page, email)
        rows = page.get_by_role("region", name="Payments asked of you").get_by_role("listitem")
        await expect(rows).to_have_count(3)
        right = "row => { const box = it => it.getBoundingClientRect().right; "
        right += "return box(row) - box(row.querySelector('.sum')) }"
        assert [round(await row.evaluate(right)) for row in await rows.all()] == [0, 0, 0]
        assert (await visit.overflow(), await visit.broken_rules()) == (0, [])
        order = await tabbed(page, 5)
        assert order == ["Umbau" * 16, long, "Consultation", "Sign out", "Sign out everywhere"]
        await tabbed(page, 2, "Shift+Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("25.00 USD").first).to_be_visible()
        assert visit.complaints == []
