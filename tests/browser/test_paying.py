"""A buyer pays on the hosted page, in the sandbox."""

import pytest
from playwright.async_api import expect

from adapters.sandbox import Hang
from tests.browser.buyers import ASKING, DECLINED, GOOD, PHONE, Visit
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_declined_card_says_so_and_a_good_one_pays(shop: Shop, buyer: Visit) -> None:
    session = await shop.session(quantity=2)
    await buyer.page.goto(session["url"])
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Your order")
    await buyer.page.get_by_label("Card number").fill(DECLINED)
    await buyer.page.get_by_role("button", name="Pay 39.98 USD").click()
    await expect(buyer.page.get_by_role("alert")).to_have_text("Your card was declined.")
    await expect(buyer.page.get_by_role("button", name="Pay 39.98 USD")).to_be_visible()
    assert await shop.status(session) == "open"
    await buyer.page.get_by_label("Card number").fill(GOOD)
    await buyer.page.get_by_role("button", name="Pay 39.98 USD").click()
    await buyer.page.wait_for_url(shop.thanks)
    paid = await shop.service.call("GET", f"/v1/checkout-sessions/{session['id']}")
    assert (paid["status"], paid["amount"], paid["quantity"]) == ("succeeded", 3998, 2)
    told = [event for event in await shop.service.events() if _is_about(event, session)]
    types = [event["type"] for event in told]
    assert (types.count("payment.failed"), types.count("payment.succeeded")) == (1, 1)
    (completed,) = [event["data"]["object"] for event in told if event["type"] == "purchase.completed"]
    assert (completed["id"], completed["customer_id"]) == (paid["purchase_id"], paid["customer_id"])
    await buyer.page.goto(session["url"])
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Payment received")
    assert buyer.hosts == {"127.0.0.1"}
    assert buyer.complaints == []


def _is_about(event: dict[str, dict[str, dict[str, object]]], session: dict[str, object]) -> bool:
    return event["data"]["object"].get("checkout_session_id") == session["id"]


async def test_a_card_that_asks_for_approval_pays_once_it_is_given(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_role("button", name=ASKING).click()
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    await expect(
        buyer.page.get_by_text("Your bank asks you to approve a payment of 19.99 USD.")
    ).to_be_visible()
    await buyer.page.get_by_role("button", name="Approve").click()
    await buyer.page.wait_for_url(shop.thanks)
    assert await shop.status(session) == "succeeded"


async def test_what_the_bank_refuses_is_told_and_can_be_paid_again(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_role("button", name=ASKING).click()
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    await buyer.page.get_by_role("button", name="Refuse").click()
    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Not paid yet")
    await buyer.page.get_by_role("link", name="Try again").click()
    await expect(buyer.page.get_by_role("alert")).not_to_be_empty()
    assert await shop.status(session) == "open"
    await buyer.page.get_by_role("button", name=GOOD).click()
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    await buyer.page.wait_for_url(shop.thanks)
    assert await shop.status(session) == "succeeded"


async def test_a_refused_field_is_named_and_the_buyer_is_taken_to_it(shop: Shop, buyer: Visit) -> None:
    await buyer.page.goto((await shop.session())["url"])
    for label, wrong, words in (
        ("Card number", "4242 4242 4242 4241", "Your card number is incorrect."),
        ("Expires (MM/YY)", "01 / 20", "Your card's expiration year is invalid."),
        ("Expires (MM/YY)", "13 / 40", "Your card's expiration month is invalid."),
    ):
        await buyer.page.reload()
        await buyer.page.get_by_role("button", name=GOOD).click()
        field = buyer.page.get_by_label(label)
        await field.fill(wrong)
        await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
        await expect(buyer.page.get_by_role("alert")).to_have_text(words)
        await expect(field).to_be_focused()
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_have_accessible_description(words)


async def test_it_is_paid_once_however_often_the_button_is_pressed(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_role("button", name=GOOD).click()
    pay = buyer.page.locator("#pay button[type=submit]")
    paying = f"/v1/payment_intents/{session['payment_intent_id']}"
    with shop.service.sandbox.misbehave(Hang(path=paying, times="always")) as hang:
        await pay.dblclick()
        await hang.met()
        await expect(pay).to_have_text("Paying…")
        await expect(buyer.page.locator("#pay")).to_have_attribute("aria-busy", "true")
        await expect(
            buyer.page.get_by_text("Paying…").and_(buyer.page.get_by_role("status"))
        ).to_be_attached()
        await pay.press("Enter")
        await buyer.page.get_by_label("Card number").press("Enter")
        hang.end()
    await buyer.page.wait_for_url(shop.thanks)
    assert buyer.posts_to("/confirm") == 1


async def test_when_nobody_answers_it_can_be_tried_again(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_role("button", name=GOOD).click()
    await buyer.page.context.set_offline(True)
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    refusal = buyer.page.get_by_role("alert")
    await expect(refusal).to_have_text("This could not be sent. Please try again.")
    await expect(refusal).to_be_focused()
    await buyer.page.context.set_offline(False)
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    await buyer.page.wait_for_url(shop.thanks)


async def test_what_was_paid_in_another_tab_is_not_paid_again(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await shop.service.pay(session, "pm_card_visa")
    await buyer.page.get_by_role("button", name=GOOD).click()
    await buyer.page.get_by_role("button", name="Pay 19.99 USD").click()
    await buyer.page.wait_for_url(shop.thanks)
    assert await shop.status(session) == "succeeded"


async def test_a_buyer_who_goes_back_pays_nothing(shop: Shop, buyer: Visit) -> None:
    session = await shop.session()
    await buyer.page.goto(session["url"])
    await buyer.page.get_by_role("link", name="Cancel and go back").click()
    await buyer.page.wait_for_url(shop.basket)
    assert await shop.status(session) == "open"


async def test_until_when_it_can_be_paid_is_told_in_the_buyers_own_time(shop: Shop, buyer: Visit) -> None:
    await buyer.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await buyer.page.goto((await shop.session())["url"])
    await expect(buyer.page.locator("time")).to_contain_text("GMT+9")
