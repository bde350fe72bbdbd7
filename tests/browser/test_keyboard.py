"""The hosted page without a mouse."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.buyers import DECLINED, GOOD, Visit
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

_FOCUSED = """() => {
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement);
    const name = document.activeElement.id || document.activeElement.textContent.trim().replace(/\\s+/g, " ");
    return { name, ring: outlineStyle === "solid" ? parseFloat(outlineWidth) : 0, color: outlineColor };
}"""


async def tabbed(page: Page, times: int, key: str = "Tab") -> list[str]:
    """What has the focus after each press; each must show it."""
    names = []
    for _ in range(times):
        await page.keyboard.press(key)
        focused = await page.evaluate(_FOCUSED)
        assert focused["ring"] >= 2, focused
        names.append(focused["name"])
    return names


async def test_tab_goes_through_all_that_can_be_done_in_its_order_and_shows_where_it_is(
    shop: Shop, buyer: Visit
) -> None:
    await buyer.page.goto((await shop.session())["url"])
    cards = [
        "4242 4242 4242 4242 is paid",
        "4000 0000 0000 0002 is declined",
        "4000 0000 0000 9995 has insufficient funds",
        "4000 0000 0000 3220 asks for approval",
    ]
    changes = ["quantity", "Update", "Billing details optional"]
    order = [*changes, "Cancel and go back", *cards, "number", "expiry", "cvc", "Pay 19.99 USD"]
    assert await tabbed(buyer.page, len(order)) == order
    assert await tabbed(buyer.page, len(order) - 1, "Shift+Tab") == order[-2::-1]


async def test_enter_pays_and_a_refusal_takes_the_focus_to_the_card(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await tabbed(buyer.page, 9)
    await buyer.page.keyboard.type(DECLINED)
    await tabbed(buyer.page, 2)
    await buyer.page.keyboard.press("Enter")
    number = buyer.page.get_by_label("Card number")
    await expect(number).to_have_accessible_description("Your card was declined.")
    await expect(number).to_be_focused()
    await expect(number).to_have_attribute("aria-invalid", "true")
    await buyer.page.keyboard.press("Control+A")
    await buyer.page.keyboard.type(GOOD)
    await buyer.page.keyboard.press("Enter")
    await buyer.page.wait_for_url(shop.thanks)
    assert await shop.status(session) == "succeeded"


async def test_a_test_card_is_taken_with_space_and_paid_with_enter(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await tabbed(buyer.page, 5)
    await buyer.page.keyboard.press("Space")
    await expect(buyer.page.get_by_label("Card number")).to_have_value(GOOD)
    await expect(buyer.page.get_by_role("button", name="Pay 19.99 USD")).to_be_focused()
    await buyer.page.keyboard.press("Enter")
    await buyer.page.wait_for_url(shop.thanks)


async def test_an_empty_form_is_not_sent(shop: Shop, buyer: Visit) -> None:
    await buyer.page.goto((await shop.session())["url"])
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").focus()
    await buyer.page.keyboard.press("Enter")
    await expect(buyer.page.get_by_label("Card number")).to_be_focused()
    assert buyer.posts_to("/v1/payment_methods") == 0


async def test_how_many_and_whom_to_bill_are_changed_by_keys_alone(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await tabbed(buyer.page, 1)
    await buyer.page.keyboard.press("ArrowUp")
    await buyer.page.keyboard.press("Enter")
    await expect(buyer.page.get_by_role("button", name="Pay 39.98 USD")).to_be_visible()
    await tabbed(buyer.page, 3)
    await buyer.page.keyboard.press("Enter")
    fields = ["email", "name", "country", "line1", "line2", "postal_code", "city", "state"]
    assert await tabbed(buyer.page, 9) == [*fields, "Save billing details"]
    await tabbed(buyer.page, 8, "Shift+Tab")
    await buyer.page.keyboard.type("bob@example.com")
    await buyer.page.keyboard.press("Enter")
    await expect(buyer.page.get_by_text("Billed to bob@example.com")).to_be_visible()
    changed = await shop.read(session)
    assert (changed["quantity"], changed["customer_email"]) == (2, "bob@example.com")
