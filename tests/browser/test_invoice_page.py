"""An invoice is read on a screen and on paper: by everybody, and without scripts."""

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.buyers import DESK, PHONE, SMALLEST, Scheme, Size, visiting
from tests.browser.shop import Shop
from tests.system.service import Json

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def invoice(shop: Shop) -> Json:
    """Seven bottles of ink, in a currency with three decimals, paid, and numbered."""
    session = await shop.session("dinars", 7, customer_email="ada@example.com", customer_name="Ada Lovelace")
    await shop.service.pay(session, "pm_card_visa")
    await shop.service.sandbox.drain()
    async with asyncio.timeout(15):
        while True:
            (newest, *_) = (await shop.service.call("GET", "/v1/invoices?limit=1"))["data"]
            if newest["number"] is not None:
                return dict(newest)
            await shop.service.worker.drain()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [SMALLEST, PHONE, DESK], ids=["320", "phone", "desk"])
async def test_everybody_can_read_it_and_nothing_is_let_in(
    browser: Browser, invoice: Json, size: Size, scheme: Scheme
) -> None:
    async with visiting(browser, size, scheme) as visit:
        await visit.page.goto(invoice["url"])
        assert await visit.broken_rules() == []
        assert await visit.overflow() == 0
        assert visit.complaints == []
        assert visit.hosts == {"127.0.0.1"}


async def test_it_says_the_same_without_scripts(browser: Browser, invoice: Json) -> None:
    async with visiting(browser, scripts=False) as visit:
        page = visit.page
        await page.goto(invoice["url"])
        await expect(page.get_by_role("heading", level=1)).to_have_text(f"Invoice {invoice['number']}")
        main = page.get_by_role("main")
        for text in ("Acme", "Paid", "Ada Lovelace", "ada@example.com", "Ink"):
            await expect(main).to_contain_text(text)
        ink = page.get_by_role("row", name="Ink")
        assert await ink.get_by_role("cell").all_inner_texts() == ["7", "12,345.670 KWD", "86,419.690 KWD"]
        due = page.get_by_role("row", name="Due")
        await expect(due).to_contain_text("0.000 KWD")


async def test_on_paper_it_is_dark_on_white_with_every_column(browser: Browser, invoice: Json) -> None:
    async with visiting(browser, PHONE, "dark") as visit:
        page = visit.page
        await page.goto(invoice["url"])
        await page.emulate_media(media="print", color_scheme="dark")
        for place in ("body", "main"):
            shown = await page.locator(place).evaluate(
                "place => [getComputedStyle(place).backgroundColor, getComputedStyle(place).color]"
            )
            assert shown == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
        await expect(page.get_by_role("columnheader", name="Unit price")).to_be_visible()
        assert (await page.pdf(format="Letter")).startswith(b"%PDF")
