"""A payment intent has news: what is booked, and what is not. By name, the cases of documents 000 and 001."""

import pytest

from domain.customer import Customer
from domain.payment import Payment
from domain.purchase import Purchase
from tests.application.payment_flows import intent_of
from tests.application.promises import of_kind
from tests.world import CATALOG, MemoryWorld


def told_since(world: MemoryWorld, before: int) -> list[str]:
    return [event.type for event in world.store.events[before:]]


async def test_a_session_without_customer_whose_intent_succeeds_makes_one_with_the_default_pricing_model(
    world: MemoryWorld,
) -> None:
    session = await world.session(customer_email="bob@example.test", customer_name="Bob")
    booked = await world.report(world.gateway.succeed(intent_of(session)))
    (customer,) = of_kind(world.store, Customer)
    models = (await world.store.catalog(world.auth)).pricing_models
    (default,) = [model for model in models if model.is_default]
    assert customer.pricing_model_id == default.id
    assert (customer.email, customer.name, customer.user_id) == ("bob@example.test", "Bob", None)
    assert booked.session is not None
    assert booked.session.customer_id == customer.id


async def test_the_events_of_creating_the_customer_are_stored_with_those_of_the_payment(
    world: MemoryWorld,
) -> None:
    session = await world.session()
    before = len(world.store.events)
    await world.report(world.gateway.succeed(intent_of(session)), "evt_1")
    assert told_since(world, before) == [
        "customer.created",
        "subscription.created",
        "subscription_item.created",
        "balance.granted",
        "subscription.created",
        "subscription_item.created",
        "purchase.created",
        "purchase.completed",
        "invoice.created",
        "invoice.paid",
        "payment.succeeded",
        "checkout_session.succeeded",
    ]
    told = world.store.events[before:]
    assert {(e.actor.type, e.correlation_id, e.causation_id) for e in told} == {
        ("anonymous", "evt_1", "evt_1")
    }


async def test_session_purchase_and_payment_move_together(world: MemoryWorld) -> None:
    session = await world.session(quantity=2)
    await world.report(world.gateway.succeed(intent_of(session)))
    (purchase,), (payment,) = of_kind(world.store, Purchase), of_kind(world.store, Payment)
    stored = await world.store.session(world.auth, session.id)
    assert stored is not None
    assert (stored.status, purchase.status, payment.status) == ("succeeded", "paid", "succeeded")
    assert (purchase.quantity, purchase.amount, payment.amount) == (2, 3000, 3000)
    assert purchase.completed_at == world.clock.now()


async def test_a_failure_creates_nobody(world: MemoryWorld) -> None:
    session = await world.session()
    before = len(world.store.events)
    booked = await world.report(world.gateway.fail(intent_of(session), "insufficient_funds"))
    assert of_kind(world.store, Customer) == []
    assert of_kind(world.store, Purchase) == []
    (payment,) = of_kind(world.store, Payment)
    assert (payment.status, payment.failure_code) == ("failed", "insufficient_funds")
    assert told_since(world, before) == ["payment.failed"]
    assert booked.session is not None
    assert booked.session.status == "open"


async def test_after_a_failure_the_buyer_can_pay_the_same_session(world: MemoryWorld) -> None:
    session = await world.session()
    await world.report(world.gateway.fail(intent_of(session)))
    booked = await world.report(world.gateway.succeed(intent_of(session)))
    assert booked.session is not None
    assert booked.session.status == "succeeded"
    (payment,) = of_kind(world.store, Payment)
    assert [attempt.status for attempt in payment.attempts] == ["failed", "succeeded"]


async def test_a_payment_under_way_makes_the_customer_and_a_pending_purchase(world: MemoryWorld) -> None:
    session = await world.session()
    booked = await world.report(world.gateway.process(intent_of(session)))
    assert booked.session is not None
    assert booked.session.status == "pending"
    assert [purchase.status for purchase in of_kind(world.store, Purchase)] == ["pending"]
    assert len(of_kind(world.store, Customer)) == 1


async def test_a_canceled_intent_fails_the_session_and_creates_nobody(world: MemoryWorld) -> None:
    session = await world.session()
    booked = await world.report(world.gateway.cancel(intent_of(session)))
    assert booked.session is not None
    assert booked.session.status == "failed"
    assert of_kind(world.store, Customer) == []


async def test_a_payment_canceled_under_way_fails_its_purchase(world: MemoryWorld) -> None:
    session = await world.session()
    await world.report(world.gateway.process(intent_of(session)))
    before = len(world.store.events)
    await world.report(world.gateway.cancel(intent_of(session)))
    assert [purchase.status for purchase in of_kind(world.store, Purchase)] == ["failed"]
    assert told_since(world, before) == [
        "purchase.failed",
        "invoice.voided",
        "payment.canceled",
        "checkout_session.failed",
    ]


async def test_a_known_customer_pays_and_nobody_is_made(world: MemoryWorld) -> None:
    customer = (await world.customer()).record.customer
    session = await world.session(customer="alice")
    await world.report(world.gateway.succeed(intent_of(session)))
    assert [known.id for known in of_kind(world.store, Customer)] == [customer.id]
    assert [purchase.customer_id for purchase in of_kind(world.store, Purchase)] == [customer.id]


async def test_a_known_customer_whose_payment_fails_has_bought_nothing(world: MemoryWorld) -> None:
    await world.customer()
    session = await world.session(customer="alice")
    await world.report(world.gateway.fail(intent_of(session)))
    assert of_kind(world.store, Purchase) == []
    await world.report(world.gateway.cancel(intent_of(session)))
    assert of_kind(world.store, Purchase) == []


async def test_a_stranger_is_never_matched_by_email(world: MemoryWorld) -> None:
    alice = (await world.customer(email="alice@example.test")).record.customer
    session = await world.session(customer_email="alice@example.test")
    again = await world.session(customer_email="alice@example.test")
    for paid in (session, again):
        fact = world.gateway.succeed(intent_of(paid), receipt_email="alice@example.test")
        await world.report(fact)
    customers = of_kind(world.store, Customer)
    assert len(customers) == 3
    assert [known.email_key for known in customers] == ["alice@example.test"] * 3
    assert alice.id not in {purchase.customer_id for purchase in of_kind(world.store, Purchase)}


async def test_the_address_the_buyer_gave_stripe_is_taken_when_the_session_has_none(
    world: MemoryWorld,
) -> None:
    session = await world.session()
    await world.report(world.gateway.succeed(intent_of(session), receipt_email="bob@example.test"))
    assert [customer.email for customer in of_kind(world.store, Customer)] == ["bob@example.test"]


async def test_the_pricing_model_of_the_bought_price_comes_before_the_default(world: MemoryWorld) -> None:
    catalog = await world.store.catalog(world.auth)
    (wholesale,) = [model for model in catalog.pricing_models if model.slug == "wholesale"]
    (price,) = [p for p in catalog.prices if p.pricing_model_id == wholesale.id and p.slug == "book"]
    session = await world.session(price=price.id)
    await world.report(world.gateway.succeed(intent_of(session)))
    assert [customer.pricing_model_id for customer in of_kind(world.store, Customer)] == [wholesale.id]


async def test_a_redelivered_event_that_was_handled_changes_nothing(world: MemoryWorld) -> None:
    session = await world.session()
    fact = world.gateway.succeed(intent_of(session))
    await world.report(fact, "evt_1")
    before = world.store.states, world.store.events, world.store.inbox
    again = await world.report(fact, "evt_1")
    assert again.session == await world.store.session(world.auth, session.id)
    assert (world.store.states, world.store.events, world.store.inbox) == before


async def test_an_event_with_nothing_new_is_handled_and_changes_nothing_else(world: MemoryWorld) -> None:
    session = await world.session()
    fact = world.gateway.succeed(intent_of(session))
    await world.report(fact, "evt_1")
    before = world.store.states, world.store.events
    await world.report(fact, "evt_2")
    assert (world.store.states, world.store.events) == before
    assert [(row.id, row.handled_at is not None) for row in world.store.inbox] == [
        ("evt_1", True),
        ("evt_2", True),
    ]


async def test_a_customer_made_by_a_payment_is_made_known_to_stripe(world: MemoryWorld) -> None:
    session = await world.session(customer_email="bob@example.test")
    await world.report(world.gateway.succeed(intent_of(session)))
    await world.perform_due()
    assert [customer.stripe_customer_id for customer in of_kind(world.store, Customer)] == ["cus_memory1"]


@pytest.mark.parametrize("livemode", [False, True])
async def test_a_payment_is_booked_in_the_mode_of_its_session(world: MemoryWorld, livemode: bool) -> None:
    if livemode:
        await world.apply(CATALOG, world.live)
        world.auth, world.live = world.live, world.auth
    session = await world.session()
    await world.report(world.gateway.succeed(intent_of(session)))
    assert [customer.livemode for customer in of_kind(world.store, Customer)] == [livemode]
