"""A subscription is bought: a card is left, the free plan makes way, and the first period is charged."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.effects import ChargeInvoice
from domain.errors import Rejected, Unavailable
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.setup import Setup
from domain.subscription import Subscription, SubscriptionItem
from tests.application.promises import of_kind
from tests.world import MemoryWorld


def held(world: MemoryWorld, product: str) -> Subscription:
    """The newest subscription to this product."""
    return [one for one in of_kind(world.store, Subscription) if one.product_slug == product][-1]


async def test_a_known_customers_free_plan_makes_way_for_the_one_that_is_bought(world: MemoryWorld) -> None:
    await world.customer("ada")
    before = len(world.store.events)
    session = await world.subscribed(customer="ada", quantity=2)
    free, pro = held(world, "free"), held(world, "pro")
    assert (free.status, free.cancellation_reason, free.replaced_by) == ("canceled", "replaced", pro.id)
    assert (pro.status, pro.is_free, pro.customer_id) == ("incomplete", False, free.customer_id)
    (item,) = [item for item in of_kind(world.store, SubscriptionItem) if item.subscription_id == pro.id]
    assert (item.quantity, item.price_id) == (2, session.price_id)
    (purchase,), (invoice,) = of_kind(world.store, Purchase), of_kind(world.store, Invoice)
    assert (purchase.status, purchase.amount) == ("pending", 9800)
    assert (invoice.total, invoice.purchase_id, invoice.subscription_id) == (9800, purchase.id, pro.id)
    assert (session.status, session.subscription_id) == ("succeeded", pro.id)
    assert session.purchase_id == purchase.id
    told = [event.type for event in world.store.events[before:] if event.type.startswith("subscription.")]
    assert told == ["subscription.canceled", "subscription.created"]


async def test_the_first_charge_makes_it_active_and_the_purchase_complete(world: MemoryWorld) -> None:
    await world.customer("ada")
    session = await world.subscribed(customer="ada")
    await world.settle()
    assert held(world, "pro").status == "active"
    (purchase,), (invoice,), (payment,) = (
        of_kind(world.store, Purchase),
        of_kind(world.store, Invoice),
        of_kind(world.store, Payment),
    )
    assert (purchase.status, invoice.status, payment.status) == ("paid", "paid", "succeeded")
    assert (payment.invoice_id, payment.purchase_id) == (invoice.id, session.purchase_id)
    assert (payment.amount, invoice.amount_paid, invoice.number) == (4900, 4900, 1)
    keys = [call.idempotency_key for call in world.gateway.calls if call.name == "charge"]
    (method,) = of_kind(world.store, PaymentMethod)
    assert keys == [f"{invoice.id}:1:{method.stripe_payment_method_id}"]


async def test_a_stranger_becomes_a_customer_with_the_plan_and_a_card_that_is_theirs(
    world: MemoryWorld,
) -> None:
    session = await world.subscribed(customer_email="bob@example.test")
    assert session.customer_id is not None
    await world.settle()
    assert [one.product_slug for one in of_kind(world.store, Subscription) if one.status == "active"] == [
        "forum",
        "pro",
    ]
    (method,), (setup,) = of_kind(world.store, PaymentMethod), of_kind(world.store, Setup)
    assert method.customer_id == setup.customer_id == session.customer_id
    assert setup.payment_method_id == method.id == held(world, "pro").payment_method_id


async def test_a_declined_first_charge_leaves_it_incomplete_with_the_reason(world: MemoryWorld) -> None:
    session = await world.session(price="pro", customer_email="bob@example.test")
    assert session.setup_intent_id is not None
    fact = world.gateway.succeed_setup(session.setup_intent_id)
    assert fact.payment_method is not None
    world.gateway.declines[fact.payment_method.stripe_payment_method_id] = "insufficient_funds"
    await world.report(fact)
    await world.settle()
    pro = held(world, "pro")
    assert (pro.status, pro.failure_code) == ("incomplete", "insufficient_funds")
    (purchase,), (invoice,) = of_kind(world.store, Purchase), of_kind(world.store, Invoice)
    assert (purchase.status, invoice.status, invoice.amount_due) == ("open", "open", 4900)


async def test_with_another_card_it_is_charged_again_by_the_same_intent_and_a_key_of_its_own(
    world: MemoryWorld,
) -> None:
    await world.customer("ada")
    session = await world.session(price="pro", customer="ada")
    fact = world.gateway.succeed_setup(session.setup_intent_id or "")
    assert fact.payment_method is not None
    world.gateway.declines[fact.payment_method.stripe_payment_method_id] = "insufficient_funds"
    await world.report(fact)
    await world.settle()
    again = await world.open(type="activate_subscription", subscription=held(world, "pro").id)
    await world.report(world.gateway.succeed_setup(again.setup_intent_id or ""))
    await world.settle()
    pro = held(world, "pro")
    assert (pro.status, pro.failure_code) == ("active", None)
    (invoice,), (payment,) = of_kind(world.store, Invoice), of_kind(world.store, Payment)
    assert (invoice.status, [attempt.status for attempt in payment.attempts]) == (
        "paid",
        ["failed", "succeeded"],
    )
    keys = [call.idempotency_key for call in world.gateway.calls if call.name == "charge"]
    first, second = of_kind(world.store, PaymentMethod)
    assert keys == [
        f"{invoice.id}:1:{first.stripe_payment_method_id}",
        f"{invoice.id}:2:{second.stripe_payment_method_id}",
    ]


async def test_the_same_attempt_may_be_made_with_another_card(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.subscribed(customer="ada")
    await world.worker_drains_until(ChargeInvoice)
    (charging,) = [task for task in world.store.tasks if isinstance(task.effect, ChargeInvoice)]
    world.gateway.fail_next("after")  # Stripe has acted, and the answer is lost
    with pytest.raises(Unavailable):
        await world.perform(charging)
    added = await world.open(type="add_payment_method", customer="ada", all_subscriptions=True)
    await world.report(world.gateway.succeed_setup(added.setup_intent_id or ""))
    await world.perform(charging)
    await world.settle()
    assert held(world, "pro").status == "active"
    assert [len(payment.attempts) for payment in of_kind(world.store, Payment)] == [1]


async def test_on_trial_nothing_is_charged_until_it_ends(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.subscribed("pro-trial", customer="ada")
    await world.settle()
    pro = held(world, "pro")
    assert (pro.status, pro.trial_ends_at) == ("trialing", world.clock.now() + timedelta(days=14))
    assert of_kind(world.store, Payment) == []
    assert [invoice.total for invoice in of_kind(world.store, Invoice)] == [0]
    world.clock.advance(timedelta(days=14))
    await world.settle()
    pro = held(world, "pro")
    assert (pro.status, pro.current_period_start) == ("active", pro.trial_ends_at)
    assert [payment.amount for payment in of_kind(world.store, Payment)] == [4900]


async def test_each_period_is_billed_once_and_a_declined_charge_makes_it_past_due(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.subscribed(customer="ada")
    await world.settle()
    world.clock.advance(timedelta(days=31))
    await world.settle()
    await world.settle()
    assert [invoice.status for invoice in of_kind(world.store, Invoice)] == ["paid", "paid"]
    (method,) = of_kind(world.store, PaymentMethod)
    world.gateway.declines[method.stripe_payment_method_id] = "expired_card"
    world.clock.advance(timedelta(days=31))
    await world.settle()
    pro = held(world, "pro")
    assert (pro.status, pro.failure_code) == ("past_due", "expired_card")
    assert [invoice.status for invoice in of_kind(world.store, Invoice)] == ["paid", "paid", "open"]


async def late_bounces(world: MemoryWorld, *, charge_of_the_next: str | None) -> None:
    """The second period's charge fails, which is known only when the third has begun and been charged."""
    await world.customer("ada")
    await world.subscribed(customer="ada")
    await world.settle()
    (method,) = of_kind(world.store, PaymentMethod)
    for outcome in ("insufficient_funds", charge_of_the_next):
        world.gateway.declines.pop(method.stripe_payment_method_id, None)
        if outcome is not None:
            world.gateway.declines[method.stripe_payment_method_id] = outcome
        world.clock.advance(timedelta(days=31))
        await world.worker_drains()
    assert held(world, "pro").status == "active"


async def test_a_charge_that_fails_when_the_next_period_has_begun_makes_it_past_due(
    world: MemoryWorld,
) -> None:
    await late_bounces(world, charge_of_the_next=None)
    await world.settle()
    pro, (_, bounced, last) = held(world, "pro"), of_kind(world.store, Invoice)
    assert (bounced.status, last.status) == ("open", "paid")
    assert (pro.status, pro.failure_code) == ("past_due", "insufficient_funds")
    assert [overdue.invoice_id for overdue in pro.overdue] == [bounced.id]


async def test_another_card_is_charged_for_every_period_that_is_owed_and_only_then_is_it_active(
    world: MemoryWorld,
) -> None:
    await late_bounces(world, charge_of_the_next="expired_card")
    await world.settle()
    pro = held(world, "pro")
    assert (pro.status, pro.failure_code, len(pro.overdue)) == ("past_due", "expired_card", 2)
    again = await world.open(type="activate_subscription", subscription=pro.id)
    await world.report(world.gateway.succeed_setup(again.setup_intent_id or ""))
    await world.worker_drains()
    _, *charges = sorted(world.gateway.charged())
    standing = []
    for charged in charges:
        await world.report(await world.gateway.payment_intent(charged, livemode=False))
        standing.append((held(world, "pro").status, len(held(world, "pro").overdue)))
    assert standing == [("past_due", 1), ("active", 0)]
    assert [invoice.status for invoice in of_kind(world.store, Invoice)] == ["paid"] * 3


async def test_a_period_begins_where_the_last_one_ended_however_late_the_worker_is(
    world: MemoryWorld,
) -> None:
    await world.customer("ada")
    await world.subscribed(customer="ada")
    await world.settle()
    first = held(world, "pro")
    world.clock.advance(timedelta(days=70))
    await world.settle()
    periods = sorted((invoice.period_start, invoice.period_end) for invoice in of_kind(world.store, Invoice))
    assert len(periods) == 3
    assert periods[0] == (first.current_period_start, first.current_period_end)
    assert [end for _, end in periods[:-1]] == [start for start, _ in periods[1:]]


async def test_a_webhook_that_only_names_what_was_set_up_has_stripe_describe_it(world: MemoryWorld) -> None:
    session = await world.session(price="pro", customer_email="bob@example.test")
    fact = world.gateway.succeed_setup(session.setup_intent_id or "")
    await world.report(replace(fact, payment_method=None))
    (method,) = of_kind(world.store, PaymentMethod)
    assert (method.last4, held(world, "pro").payment_method_id) == ("4242", method.id)


async def test_who_pays_for_a_plan_cannot_buy_a_second_one_of_its_group(world: MemoryWorld) -> None:
    await world.customer("ada")
    other = await world.session(price="pro-yearly", customer="ada")
    await world.subscribed(customer="ada")
    with pytest.raises(Rejected) as refused:
        await world.session(price="pro-yearly", customer="ada")
    assert refused.value.code == "already_subscribed"
    kept = await world.report(world.gateway.succeed_setup(other.setup_intent_id or ""))
    assert kept.refusal == "already_subscribed"
    assert len([one for one in of_kind(world.store, Subscription) if one.product_slug == "pro"]) == 1


async def test_the_billing_cycle_is_kept_and_the_rest_of_it_billed(world: MemoryWorld) -> None:
    await world.customer("ada")
    free = held(world, "free")
    world.clock.advance(timedelta(days=10, seconds=7))
    await world.subscribed(customer="ada", preserve_billing_cycle=True)
    pro = held(world, "pro")
    assert (pro.current_period_start, pro.current_period_end) == (
        free.current_period_start,
        free.current_period_end,
    )
    (invoice,) = of_kind(world.store, Invoice)
    whole = 31 * 86400
    assert invoice.total == round(4900 * (whole - 10 * 86400 - 7) / whole)
    (line,) = invoice.lines
    assert (line.quantity, line.unit_amount, line.amount) == (1, 4900, invoice.total)


async def test_without_keeping_it_a_new_cycle_begins_at_full_price(world: MemoryWorld) -> None:
    await world.customer("ada")
    world.clock.advance(timedelta(days=10))
    await world.subscribed(customer="ada")
    pro = held(world, "pro")
    assert pro.current_period_start == world.clock.now()
    assert [invoice.total for invoice in of_kind(world.store, Invoice)] == [4900]


async def test_a_kept_card_becomes_that_of_all_subscriptions(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.subscribed(customer="ada")
    await world.settle()
    added = await world.open(type="add_payment_method", customer="ada", all_subscriptions=True)
    assert (added.collects, added.amount, added.currency) == ("payment_method", 0, None)
    booked = await world.report(world.gateway.succeed_setup(added.setup_intent_id or ""))
    assert booked.session is not None
    assert booked.session.status == "succeeded"
    _, second = of_kind(world.store, PaymentMethod)
    assert {
        one.payment_method_id for one in of_kind(world.store, Subscription) if one.status != "canceled"
    } == {second.id}
