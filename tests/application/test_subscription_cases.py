"""What else may be when a card is left: for nothing, for another plan, by nobody, too late, or in vain."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain.catalog_document import PriceEntry, ProductEntry
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.errors import Rejected
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.setup import Setup
from domain.subscription import Subscription
from tests.application.promises import of_kind
from tests.world import CATALOG, MemoryWorld


def held(world: MemoryWorld, product: str) -> Subscription:
    """The newest subscription to this product."""
    return [one for one in of_kind(world.store, Subscription) if one.product_slug == product][-1]


async def left(world: MemoryWorld, **draft: Any) -> CheckoutSession:
    """A customer leaves a card."""
    session = await world.open(**draft)
    booked = await world.report(world.gateway.succeed_setup(session.setup_intent_id or ""))
    assert booked.session is not None
    return booked.session


async def test_a_stranger_who_subscribes_gets_the_default_pricing_model_and_all_its_events(
    world: MemoryWorld,
) -> None:
    before = len(world.store.events)
    session = await world.subscribed(customer_email="bob@example.test", quantity=3)
    (customer,) = of_kind(world.store, Customer)
    assert customer.pricing_model_id == held(world, "pro").pricing_model_id
    assert customer.user_id is None
    assert [event.type for event in world.store.events[before:] if "session" not in event.type][:2] == [
        "customer.created",
        "subscription.created",
    ]
    told = {event.type for event in world.store.events[before:]}
    assert told >= {
        "customer.created",
        "subscription.created",
        "subscription_item.created",
        "subscription.canceled",
        "payment_method.added",
        "purchase.created",
        "invoice.created",
        "setup.succeeded",
        "checkout_session.succeeded",
    }
    assert session.customer_id == customer.id


async def test_a_setup_that_fails_or_is_canceled_makes_nobody_and_gives_the_reason(
    world: MemoryWorld,
) -> None:
    session = await world.session(price="pro", customer_email="bob@example.test")
    intent = session.setup_intent_id or ""
    failed = await world.report(world.gateway.fail_setup(intent, "expired_card"))
    assert failed.session is not None
    assert failed.session.status == "open"
    (setup,) = of_kind(world.store, Setup)
    assert (setup.status, setup.failure_code) == ("failed", "expired_card")
    canceled = await world.report(world.gateway.cancel_setup(intent))
    assert canceled.session is not None
    assert canceled.session.status == "failed"
    for kind in (Customer, Purchase, Subscription, PaymentMethod, Invoice):
        assert of_kind(world.store, kind) == []


async def test_a_setup_under_way_makes_the_session_pending_and_nobody_yet(world: MemoryWorld) -> None:
    session = await world.session(price="pro", customer_email="bob@example.test")
    booked = await world.report(world.gateway.process_setup(session.setup_intent_id or ""))
    assert booked.session is not None
    assert booked.session.status == "pending"
    assert of_kind(world.store, Customer) == []


async def test_a_card_left_for_no_subscription_changes_none_of_them(world: MemoryWorld) -> None:
    await world.customer("ada")
    before = of_kind(world.store, Subscription)
    session = await left(world, type="add_payment_method", customer="ada")
    assert session.status == "succeeded"
    assert of_kind(world.store, Subscription) == before
    assert len(of_kind(world.store, PaymentMethod)) == 1


async def test_a_card_left_for_one_subscription_is_not_that_of_the_others(world: MemoryWorld) -> None:
    await world.customer("ada")
    await left(world, type="add_payment_method", customer="ada", subscription=held(world, "free").id)
    (method,) = of_kind(world.store, PaymentMethod)
    assert held(world, "free").payment_method_id == method.id
    assert held(world, "forum").payment_method_id is None
    assert held(world, "free").status == "active"  # nothing is upgraded by it


async def test_nobody_leaves_a_card_for_somebody_elses_subscription(world: MemoryWorld) -> None:
    await world.customer("ada")
    theirs = held(world, "free").id
    await world.customer("bob")
    with pytest.raises(Rejected) as refused:
        await world.open(type="add_payment_method", customer="bob", subscription=theirs)
    assert (refused.value.code, refused.value.field) == ("subscription_not_found", "subscription")


async def test_what_is_bought_replaces_the_free_plan_of_its_own_group_only(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.subscribed(customer="ada")
    assert (held(world, "free").status, held(world, "forum").status) == ("canceled", "active")
    assert held(world, "pro").replaced_by is None


async def test_a_cycle_of_another_length_cannot_be_kept_and_begins_anew_at_full_price(
    world: MemoryWorld,
) -> None:
    await world.customer("ada")
    world.clock.advance(timedelta(days=10))
    await world.subscribed("pro-yearly", customer="ada", preserve_billing_cycle=True)
    pro = held(world, "pro")
    assert (pro.billing_anchor, pro.current_period_start) == (world.clock.now(), world.clock.now())
    assert [invoice.total for invoice in of_kind(world.store, Invoice)] == [49000]


async def test_a_cycle_kept_from_its_first_moment_is_billed_in_full(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.subscribed(customer="ada", preserve_billing_cycle=True, quantity=2)
    assert [invoice.total for invoice in of_kind(world.store, Invoice)] == [9800]


async def test_a_cycle_is_kept_also_when_the_free_plans_own_period_is_long_over(world: MemoryWorld) -> None:
    await world.customer("ada")
    began = held(world, "free").billing_anchor
    world.clock.advance(timedelta(days=31 + 14))  # half of February has passed
    await world.subscribed(customer="ada", preserve_billing_cycle=True)
    pro = held(world, "pro")
    assert (pro.billing_anchor, pro.current_period_start) == (began, began + timedelta(days=31))
    assert [invoice.total for invoice in of_kind(world.store, Invoice)] == [2450]


async def test_what_has_expired_is_bought_all_the_same_by_who_has_left_a_card(world: MemoryWorld) -> None:
    await world.customer("ada")
    session = await world.session(price="pro", customer="ada")
    await world.time_is_up()
    booked = await world.report(world.gateway.succeed_setup(session.setup_intent_id or ""))
    assert booked.session is not None
    assert booked.session.status == "succeeded"
    assert held(world, "pro").status == "incomplete"


async def test_a_charge_of_another_amount_is_kept_and_pays_for_nothing(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.subscribed(customer="ada")
    await world.worker_drains()
    (invoice,) = of_kind(world.store, Invoice)
    (charge,) = world.gateway.made_for(invoice.id)
    booked = await world.report(replace(charge, amount=1))
    assert booked.refusal == "amount_mismatch"
    assert held(world, "pro").status == "incomplete"
    assert of_kind(world.store, Payment) == []


async def test_a_free_order_has_an_invoice_over_nothing_that_is_paid_and_gets_its_number(
    world: MemoryWorld,
) -> None:
    session = await world.free_session(customer_email="bob@example.test")
    await world.confirm(session.id)
    await world.worker_drains()
    (invoice,) = of_kind(world.store, Invoice)
    assert (invoice.total, invoice.status, invoice.number) == (0, "paid", 1)
    assert invoice.purchase_id is not None


async def test_a_stranger_of_whom_nothing_is_known_is_booked_when_they_have_paid(world: MemoryWorld) -> None:
    await world.paid()
    (customer,) = of_kind(world.store, Customer)
    assert (customer.email, customer.name) == (None, None)
    assert [purchase.status for purchase in of_kind(world.store, Purchase)] == ["paid"]


async def test_a_customers_name_address_and_metadata_are_kept(world: MemoryWorld) -> None:
    made = await world.customer("ada", name="Ada", email="ada@example.test", metadata={"plan": "gold"})
    kept = made.record.customer
    assert (kept.name, kept.email, kept.metadata) == ("Ada", "ada@example.test", {"plan": "gold"})


async def test_who_had_no_plan_of_a_group_gets_the_one_they_buy_and_keeps_the_others(
    world: MemoryWorld,
) -> None:
    gym = ProductEntry(
        slug="gym",
        name="Gym",
        group="sports",
        prices=(PriceEntry(slug="gym", type="subscription", amount=900, currency="usd", interval="month"),),
    )
    standard, *others = CATALOG.pricing_models
    await world.apply(
        replace(CATALOG, pricing_models=(replace(standard, products=(*standard.products, gym)), *others))
    )
    await world.customer("ada")
    await world.subscribed("gym", customer="ada")
    await world.settle()
    standing = {one.product_slug: one.status for one in of_kind(world.store, Subscription)}
    assert standing == {"free": "active", "forum": "active", "gym": "active"}


async def test_a_default_products_own_price_is_not_sold(world: MemoryWorld) -> None:
    with pytest.raises(Rejected) as refused:
        await world.session(price="free")
    assert (refused.value.code, refused.value.field) == ("price_not_purchasable", "price")
