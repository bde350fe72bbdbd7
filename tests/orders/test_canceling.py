"""A subscription is canceled, kept after all, or paid for by something else; on every store."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from application.ports import OffSessionCharge
from domain.charging import AllCurrent
from domain.errors import NotFound, Rejected
from domain.ids import PaymentMethodId, SubscriptionId
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.subscription import Subscription
from tests.application.promises import check_books
from tests.orders.shop import Ground, Shop

MONTH = timedelta(days=31)
NOBODYS = PaymentMethodId("pmeth_00000000000000000000000000")


@pytest.fixture
async def shop(ground: tuple[str, Ground]) -> AsyncIterator[Shop]:
    """With Ada in it, who has the free plan; its books are checked at the end."""
    _, opened = ground
    shop = await opened()
    await shop.customer("ada")
    await shop.worker_drains()
    yield shop
    check_books(await shop.inspect())


async def plan(shop: Shop, product: str = "pro") -> Subscription:
    """The newest subscription to a product."""
    return [one for one in await shop.kept(Subscription) if one.product_slug == product][-1]


async def paying(shop: Shop, price: str = "pro") -> Subscription:
    """Ada has it, and has paid if there was something to pay."""
    await shop.subscribed(price, customer="ada")
    await shop.settle()
    return await plan(shop)


async def declined(shop: Shop, code: str = "insufficient_funds") -> PaymentMethodId:
    """Whatever card Ada leaves first is declined from now on."""
    method = (await shop.kept(PaymentMethod))[0]
    shop.gateway.declines[method.stripe_payment_method_id] = code
    return method.id


async def unpaid(shop: Shop) -> Subscription:
    """Ada's first charge is declined: she has never paid."""
    session = await shop.session(price="pro", customer="ada")
    left = shop.gateway.succeed_setup(session.setup_intent_id or "")
    assert left.payment_method is not None
    shop.gateway.declines[left.payment_method.stripe_payment_method_id] = "insufficient_funds"
    await shop.report(left)
    await shop.settle()
    held = await plan(shop)
    assert held.status == "incomplete"
    return held


async def past_due(shop: Shop) -> Subscription:
    """The second period's charge is declined."""
    await paying(shop)
    await declined(shop)
    shop.clock.advance(MONTH)
    await shop.settle()
    held = await plan(shop)
    assert held.status == "past_due"
    return held


async def another_card(shop: Shop) -> PaymentMethodId:
    """Ada leaves one more card, which nothing is charged to yet."""
    session = await shop.open(type="add_payment_method", customer="ada")
    await shop.report(shop.gateway.succeed_setup(session.setup_intent_id or ""))
    return (await shop.kept(PaymentMethod))[-1].id


async def told(shop: Shop) -> Counter[str]:
    return Counter(event.type for event in (await shop.inspect()).events)


async def test_it_goes_on_until_its_period_is_over_and_then_ends_without_an_invoice(shop: Shop) -> None:
    before = await paying(shop)
    scheduled = await shop.cancel(before)
    assert (scheduled.status, scheduled.cancel_at_period_end, scheduled.canceled_at) == (
        "active",
        True,
        None,
    )
    shop.clock.advance(timedelta(days=27))
    await shop.settle()
    assert (await plan(shop)).status == "active"
    shop.clock.advance(timedelta(days=4))
    await shop.settle()
    ended = await plan(shop)
    assert (ended.status, ended.cancellation_reason, ended.canceled_at) == (
        "canceled",
        "requested",
        shop.clock.now(),
    )
    assert ended.cancel_at_period_end
    assert ended.current_period_end == before.current_period_end
    assert [invoice.status for invoice in await shop.kept(Invoice)] == ["paid"]
    events = await told(shop)
    assert (events["subscription.cancellation_scheduled"], events["subscription.renewed"]) == (1, 0)
    assert events["subscription.canceled"] == 2  # the free plan was replaced


async def test_it_is_had_until_then_and_after_it_the_free_plan(shop: Shop) -> None:
    held = await paying(shop)
    await shop.cancel(held)
    record = await shop.store.customer(shop.auth, "ada")
    assert record is not None
    assert [one.subscription.id for one in record.subscriptions] == [held.id]
    shop.clock.advance(MONTH)
    await shop.settle()
    record = await shop.store.customer(shop.auth, "ada")
    assert record is not None
    assert [one.subscription.product_slug for one in record.subscriptions] == ["free"]


async def test_a_cancellation_that_is_withdrawn_leaves_it_to_be_renewed(shop: Shop) -> None:
    held = await paying(shop)
    await shop.cancel(held)
    resumed = await shop.resume(held)
    assert (resumed.status, resumed.cancel_at_period_end) == ("active", False)
    shop.clock.advance(MONTH)
    await shop.settle()
    renewed = await plan(shop)
    assert (renewed.status, renewed.current_period_start) == ("active", held.current_period_end)
    assert [invoice.status for invoice in await shop.kept(Invoice)] == ["paid", "paid"]
    events = await told(shop)
    assert (events["subscription.cancellation_withdrawn"], events["subscription.renewed"]) == (1, 1)


async def test_saying_it_twice_changes_nothing(shop: Shop) -> None:
    held = await paying(shop)
    assert await shop.resume(held) == held
    first = await shop.cancel(held)
    assert await shop.cancel(held) == first
    assert await shop.resume(held) == await shop.resume(held)
    events = await told(shop)
    assert events["subscription.cancellation_scheduled"] == events["subscription.cancellation_withdrawn"] == 1


async def test_a_trial_that_is_canceled_ends_and_nothing_was_ever_charged(shop: Shop) -> None:
    held = await paying(shop, "pro-trial")
    assert (await shop.cancel(held)).status == "trialing"
    shop.clock.advance(timedelta(days=14))
    await shop.settle()
    assert (await plan(shop)).status == "canceled"
    assert [invoice.total for invoice in await shop.kept(Invoice)] == [0]
    assert await shop.kept(Payment) == []


async def test_now_it_ends_at_once_and_nothing_is_given_back(shop: Shop) -> None:
    held = await paying(shop)
    await shop.cancel(held)
    ended = await shop.cancel(held, "now")
    assert (ended.status, ended.canceled_at, ended.cancellation_reason) == (
        "canceled",
        shop.clock.now(),
        "requested",
    )
    assert not ended.cancel_at_period_end  # it ended before that
    shop.clock.advance(MONTH)
    await shop.settle()
    assert [(bill.status, bill.amount_refunded) for bill in await shop.kept(Invoice)] == [("paid", 0)]


async def test_what_has_ended_stays_so(shop: Shop) -> None:
    held = await paying(shop)
    await shop.cancel(held, "now")
    method = held.payment_method_id or NOBODYS
    for refused in (
        shop.cancel(held),
        shop.cancel(held, "now"),
        shop.resume(held),
        shop.pay_by(held.id, method),
    ):
        with pytest.raises(Rejected) as refusal:
            await refused
        assert refusal.value.code == "subscription_canceled"
    again = await paying(shop)
    assert (again.status, again.id != held.id) == ("active", True)


async def test_what_is_not_there_is_not_found(shop: Shop) -> None:
    nobodys = SubscriptionId("sub_00000000000000000000000000")
    held = await plan(shop, "free")
    for auth, named in ((shop.auth, nobodys), (shop.live, held.id)):
        with pytest.raises(NotFound, match="subscription"):
            await shop.resume_subscription(named, auth, shop.request())


async def test_a_free_plan_ends_with_its_period(shop: Shop) -> None:
    free = await plan(shop, "free")
    assert (await shop.cancel(free)).status == "active"
    shop.clock.advance(MONTH)
    await shop.settle()
    assert (await plan(shop, "free")).status == "canceled"
    assert await shop.kept(Invoice) == []


async def test_a_free_plan_that_is_kept_is_never_billed(shop: Shop) -> None:
    free = await plan(shop, "free")
    await shop.cancel(free)
    await shop.resume(free)
    shop.clock.advance(MONTH)
    await shop.settle()
    kept = await plan(shop, "free")
    assert (kept.status, kept.current_period_end) == ("active", free.current_period_end)
    assert await shop.kept(Invoice) == []


async def test_what_has_no_period_that_is_running_ends_at_once(shop: Shop) -> None:
    free = await plan(shop, "free")
    shop.clock.advance(2 * MONTH)
    assert (await shop.cancel(free)).status == "canceled"


async def test_what_is_past_due_ends_with_its_period_and_is_charged_for_no_more(shop: Shop) -> None:
    held = await past_due(shop)
    assert (await shop.cancel(held)).status == "past_due"
    shop.clock.advance(MONTH)
    await shop.settle()
    assert (await plan(shop)).status == "canceled"
    assert [bill.status for bill in await shop.kept(Invoice)] == ["paid", "open"]
    charges = [call for call in shop.gateway.calls if call.name == "charge"]
    await shop.settle()
    assert [call for call in shop.gateway.calls if call.name == "charge"] == charges


async def test_what_is_past_due_with_a_period_that_is_over_ends_at_once(shop: Shop) -> None:
    held = await past_due(shop)
    shop.clock.advance(MONTH)
    await shop.settle()
    assert (await shop.cancel(held)).status == "canceled"


async def test_what_was_never_paid_for_is_not_asked_for_any_more(shop: Shop) -> None:
    held = await unpaid(shop)
    assert (await shop.cancel(held)).status == "canceled"
    (bill,), (bought,) = await shop.kept(Invoice), await shop.kept(Purchase)
    assert (bill.status, bill.amount_due, bought.status) == ("void", 0, "failed")
    await shop.settle()
    assert bill.payment_intent_id is not None
    assert (await shop.gateway.payment_intent(bill.payment_intent_id, livemode=False)).ending == "abandoned"
    events = await told(shop)
    assert (events["invoice.voided"], events["purchase.failed"]) == (1, 1)
    await shop.report(await shop.gateway.payment_intent(bill.payment_intent_id, livemode=False))
    assert (await shop.kept(Invoice))[0].status == "void"


async def test_what_was_never_charged_has_no_intent_any_more(shop: Shop) -> None:
    await shop.subscribed(customer="ada")
    await shop.cancel(await plan(shop))
    await shop.settle()
    assert [bill.status for bill in await shop.kept(Invoice)] == ["void"]
    assert shop.gateway.charged() == []
    assert await shop.kept(Payment) == []


@pytest.mark.parametrize("news", ["failed", "under way", "canceled"])
async def test_late_news_of_what_is_void_changes_nothing_about_that(shop: Shop, news: str) -> None:
    await shop.subscribed(customer="ada")
    created = await shop.charge_as_made()
    ended = await shop.cancel(await plan(shop))
    intent = created.payment_intent_id
    shop.gateway.put(created)
    moves = {
        "failed": shop.gateway.fail,
        "under way": shop.gateway.process,
        "canceled": shop.gateway.cancel,
    }
    await shop.told(moves[news](intent))
    (bill,), (bought,) = await shop.kept(Invoice), await shop.kept(Purchase)
    assert (bill.status, bought.status) == ("void", "failed")
    assert await plan(shop) == ended


async def test_money_that_moved_all_the_same_is_booked_and_nothing_comes_back_to_life(shop: Shop) -> None:
    await shop.subscribed(customer="ada")
    created = await shop.charge_as_made()
    shop.gateway.put(created)
    await shop.told(shop.gateway.process(created.payment_intent_id))
    ended = await shop.cancel(await plan(shop))
    assert ended.status == "canceled"
    await shop.worker_drains()  # what is being paid cannot be canceled
    await shop.told(shop.gateway.succeed(created.payment_intent_id))
    await shop.settle()
    (bill,), (bought,), (paid,) = (
        await shop.kept(Invoice), await shop.kept(Purchase), await shop.kept(Payment)
    )  # fmt: skip
    assert (bill.status, bill.amount_paid, bill.number) == ("paid", 4900, 1)
    assert (bought.status, paid.status, paid.invoice_id) == ("paid", "succeeded", bill.id)
    assert await plan(shop) == ended
    given_back = await shop.refund(paid.id)
    assert given_back.refund.status == "succeeded"


async def test_an_upgrade_goes_on_though_the_free_plan_was_to_end(shop: Shop) -> None:
    await shop.cancel(await plan(shop, "free"))
    pro = await paying(shop)
    free = await plan(shop, "free")
    assert (free.status, free.cancellation_reason, free.replaced_by) == ("canceled", "replaced", pro.id)
    assert not free.cancel_at_period_end
    shop.clock.advance(MONTH)
    await shop.settle()
    assert ((await plan(shop)).status, pro.cancel_at_period_end) == ("active", False)


async def test_another_card_is_charged_at_once_for_what_is_owed(shop: Shop) -> None:
    held = await past_due(shop)
    card = await another_card(shop)
    await shop.pay_by(held.id, card)
    assert (await plan(shop)).payment_method_id == card
    await shop.settle()
    after = await plan(shop)
    assert (after.status, after.overdue) == ("active", ())
    assert [bill.status for bill in await shop.kept(Invoice)] == ["paid", "paid"]


async def test_a_card_that_was_taken_away_at_stripe_makes_it_past_due_until_another_one_pays(
    shop: Shop,
) -> None:
    await paying(shop)
    (card,) = await shop.kept(PaymentMethod)
    shop.gateway.detached.add(card.stripe_payment_method_id)
    shop.clock.advance(MONTH)
    await shop.settle()
    await shop.told(await shop.charge_as_made())  # which says nothing of what has become of it
    held = await plan(shop)
    assert (held.status, held.failure_code) == ("past_due", "payment_method_unusable")
    assert [bill.status for bill in await shop.kept(Invoice)] == ["paid", "open"]
    await shop.pay_by(held.id, await another_card(shop))
    await shop.settle()
    assert [bill.status for bill in await shop.kept(Invoice)] == ["paid", "paid"]
    after = await plan(shop)
    assert (after.status, after.overdue) == ("active", ())


async def test_a_card_that_is_found_to_be_gone_when_another_one_was_chosen_makes_nothing_past_due(
    shop: Shop,
) -> None:
    held = await paying(shop)
    (card,) = await shop.kept(PaymentMethod)
    other = await another_card(shop)
    charge = shop.gateway.charge

    async def while_another_is_chosen(wanted: OffSessionCharge, **given: Any) -> None:
        shop.gateway.detached.add(card.stripe_payment_method_id)
        if wanted.stripe_payment_method_id == card.stripe_payment_method_id:
            await shop.pay_by(held.id, other)
        await charge(wanted, **given)

    shop.gateway.charge = while_another_is_chosen  # type: ignore[assignment, method-assign]  # the instant in between
    shop.clock.advance(MONTH)
    await shop.settle()
    assert (await told(shop))["subscription.past_due"] == 0
    assert [bill.status for bill in await shop.kept(Invoice)] == ["paid", "paid"]


async def test_what_was_never_paid_for_is_paid_by_another_card(shop: Shop) -> None:
    held = await unpaid(shop)
    await shop.pay_by(held.id, await another_card(shop))
    await shop.settle()
    assert (await plan(shop)).status == "active"
    assert [len(paid.attempts) for paid in await shop.kept(Payment)] == [2]


async def test_choosing_what_is_charged_already_changes_nothing(shop: Shop) -> None:
    held = await past_due(shop)
    assert held.payment_method_id is not None
    before = await told(shop)
    await shop.pay_by(held.id, held.payment_method_id)
    assert await told(shop) == before


async def test_all_that_a_customer_has_is_charged_by_what_they_choose(shop: Shop) -> None:
    held = await past_due(shop)
    card = await another_card(shop)
    await shop.pay_by(AllCurrent(held.customer_id), card)
    await shop.settle()
    kept = {one.id: one for one in await shop.kept(Subscription)}
    assert {one.payment_method_id for one in kept.values() if one.status != "canceled"} == {card}
    assert {one.payment_method_id for one in kept.values() if one.status == "canceled"} == {None}
    assert kept[held.id].status == "active"


async def test_nobody_pays_by_what_is_not_theirs(shop: Shop) -> None:
    held = await paying(shop)
    await shop.customer("bob")
    session = await shop.open(type="add_payment_method", customer="bob")
    await shop.report(shop.gateway.succeed_setup(session.setup_intent_id or ""))
    bobs = (await shop.kept(PaymentMethod))[-1].id
    for method in (bobs, NOBODYS):
        with pytest.raises(Rejected) as refused:
            await shop.pay_by(held.id, method)
        assert (refused.value.code, refused.value.field) == ("payment_method_not_found", "payment_method_id")
    await shop.delete_customer("ada", shop.auth, shop.request())
    with pytest.raises(NotFound, match="customer"):
        await shop.pay_by(AllCurrent(held.customer_id), bobs)
    with pytest.raises(Rejected) as refused:
        await shop.pay_by(held.id, bobs)
    assert refused.value.code == "subscription_canceled"
