"""The hosted page for everybody: axe's rules (WCAG 2.2 A and AA, contrast among them) and room for it all."""

import pytest
from playwright.async_api import Browser, expect

from adapters.sandbox import Hang
from tests.browser.buyers import DECLINED, DESK, PHONE, SMALLEST, Scheme, Size, Visit, visiting
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

_TWICE_THE_TEXT = "document.documentElement.style.fontSize = '200%'"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_no_rule_is_broken_in_any_state(
    browser: Browser, states: dict[str, str], size: Size, scheme: Scheme
) -> None:
    broken: dict[str, list[str]] = {}
    async with visiting(browser, size, scheme) as visit:
        for state, url in states.items():
            await visit.page.goto(url)
            broken[state] = await visit.broken_rules()
    assert broken == {state: [] for state in states}
    assert visit.complaints == []
    assert visit.hosts == {"127.0.0.1"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_rule_is_broken_when_a_card_has_just_been_declined(
    browser: Browser, shop: Shop, scheme: Scheme
) -> None:
    async with visiting(browser, PHONE, scheme) as visit:
        await visit.page.goto((await shop.session())["url"])
        await visit.page.get_by_label("Card number").fill(DECLINED)
        await visit.page.get_by_role("button", name="Pay 19.99 USD").click()
        await expect(visit.page.get_by_role("alert")).to_have_text("Your card was declined.")
        assert await visit.broken_rules() == []


@pytest.mark.parametrize(
    ("size", "setting"), [(SMALLEST, "0"), (PHONE, _TWICE_THE_TEXT)], ids=["320", "200%"]
)
async def test_nothing_is_wider_than_a_small_screen(
    browser: Browser, states: dict[str, str], size: Size, setting: str
) -> None:
    wider: dict[str, int] = {}
    async with visiting(browser, size) as visit:
        for state, url in states.items():
            await visit.page.goto(url)
            await visit.page.evaluate(setting)
            wider[state] = await visit.overflow()
            for term in await visit.page.get_by_role("term").all():
                box = await term.bounding_box()
                assert box is not None
                assert box["width"] > size[0] / 3, f"{state}: what is bought is squeezed"
    assert wider == dict.fromkeys(states, 0)


async def test_it_holds_still_for_who_asks_for_that(shop: Shop, buyer: Visit) -> None:
    await buyer.page.emulate_media(reduced_motion="reduce")
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_role("button", name="4242").click()
    paying = f"/v1/payment_intents/{session['payment_intent_id']}"
    with shop.service.sandbox.misbehave(Hang(path=paying, times="always")) as hang:
        await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
        await hang.met()
        await expect(buyer.page.locator("#pay button[type=submit]")).to_have_text("Paying…")
        assert await buyer.page.evaluate("document.getAnimations().length") == 0
        hang.end()
    await buyer.page.wait_for_url(shop.thanks)
