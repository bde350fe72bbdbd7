"""A buyer leaves a payment method, to subscribe or for what is to come."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.buyers import DECLINED, GOOD, PHONE, Scheme, Visit, visiting
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKING = "4000 0025 0000 3155"
SAVE = "Save payment method"
BANK = "Your bank asks you to approve keeping your card for later payments."


async def _methods(shop: Shop, customer: str) -> list[dict[str, Any]]:
    """The payment methods that became known as the customer's."""
    told = [event["data"]["object"] for event in await shop.service.events()
            if event["type"] == "payment_method.added"]  # fmt: skip
    return [method for method in told if method["customer_id"] == customer]


async def _leave(page: Page, card: str, button: str) -> None:
    await page.get_by_label("Card number").fill(card)
    await page.get_by_role("button", name=button, exact=True).click()


async def test_a_declined_card_says_so_and_a_good_one_is_saved(shop: Shop, buyer: Visit) -> None:
    customer = await shop.customer("saving")
    session = await shop.saving(customer)
    await buyer.page.goto(session["url"])
    await _leave(buyer.page, DECLINED, SAVE)
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")
    await expect(buyer.page.get_by_role("button", name=SAVE)).to_be_visible()
    assert await shop.status(session) == "open"
    await _leave(buyer.page, GOOD, SAVE)
    await buyer.page.wait_for_url(shop.thanks)
    assert await shop.status(session) == "succeeded"
    (kept,) = await _methods(shop, customer)
    assert (kept["brand"], kept["last4"]) == ("visa", "4242")
    await buyer.page.goto(session["url"])
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Payment method saved")
    assert buyer.hosts == {"127.0.0.1"}
    assert buyer.complaints == []


async def test_the_bank_is_asked_and_what_it_refuses_can_be_tried_again(shop: Shop, buyer: Visit) -> None:
    customer = await shop.customer("asked")
    session = await shop.saving(customer)
    await buyer.page.goto(session["url"])
    await _leave(buyer.page, ASKING, SAVE)
    await expect(buyer.page.get_by_text(BANK)).to_be_visible()
    await buyer.page.get_by_role("button", name="Refuse").click()
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Not saved yet")
    await buyer.page.get_by_role("link", name="Try again").click()
    await expect(buyer.page.get_by_role("alert")).not_to_be_empty()
    assert await shop.status(session) == "open"
    await _leave(buyer.page, ASKING, SAVE)
    await buyer.page.get_by_role("button", name="Approve").click()
    await buyer.page.wait_for_url(shop.thanks)
    assert [method["last4"] for method in await _methods(shop, customer)] == ["3155"]


async def test_what_was_saved_in_another_tab_is_not_saved_again(shop: Shop, buyer: Visit) -> None:
    customer = await shop.customer("two-tabs")
    session = await shop.saving(customer)
    await buyer.page.goto(session["url"])
    await shop.set_up(session, "pm_card_visa")
    await _leave(buyer.page, GOOD, SAVE)
    await buyer.page.wait_for_url(shop.thanks)
    assert len(await _methods(shop, customer)) == 1


async def test_a_subscription_is_bought_and_active_once_it_is_charged(shop: Shop, buyer: Visit) -> None:
    session = await shop.session("gazette", 2)
    await buyer.page.goto(session["url"])
    await expect(buyer.page.locator(".amount")).to_have_text("20.00 USD per month")
    await _leave(buyer.page, GOOD, "Subscribe")
    await buyer.page.wait_for_url(shop.thanks)
    bought = await shop.read(session)
    assert bought["status"] == "succeeded"
    await shop.subscriptions(bought["customer_id"], gazette="active")
    payments = await shop.service.call("GET", f"/v1/payments?customer={bought['customer_id']}")
    assert [(each["amount"], each["status"]) for each in payments["data"]] == [(2000, "succeeded")]
    assert buyer.complaints == []


async def test_a_trial_begins_and_its_payment_method_is_that_of_all(shop: Shop, buyer: Visit) -> None:
    customer = await shop.customer("trying")
    session = await shop.session("letters", anonymous=False, customer=customer)
    await buyer.page.goto(session["url"])
    await _leave(buyer.page, GOOD, "Subscribe")
    await buyer.page.wait_for_url(shop.thanks)
    await shop.subscriptions(customer, letters="trialing")
    other = await shop.saving(customer, all_subscriptions=True)
    await buyer.page.goto(other["url"])
    await _leave(buyer.page, "5555 5555 5555 4444", SAVE)
    await buyer.page.wait_for_url(shop.thanks)
    first, second = await _methods(shop, customer)
    listed = await shop.service.call("GET", f"/v1/subscriptions?customer={customer}")
    assert {each["payment_method_id"] for each in listed["data"]} == {second["id"]} != {first["id"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_rule_is_broken_when_a_card_has_just_been_declined(
    browser: Browser, shop: Shop, scheme: Scheme
) -> None:
    async with visiting(browser, PHONE, scheme) as visit:
        await visit.page.goto((await shop.session("gazette"))["url"])
        await _leave(visit.page, DECLINED, "Subscribe")
        await expect(visit.page.get_by_role("alert")).to_have_text("Your card was declined.")
        assert await visit.broken_rules() == []
        assert await visit.overflow() == 0
