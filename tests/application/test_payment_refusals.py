"""What does not fit is kept, with its reason, and refused to nobody: the money has moved."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.operator_ports import InboxRow
from domain.catalog_document import PricingModelEntry
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.errors import Rejected
from domain.ids import CheckoutSessionId, OrganizationId
from domain.payment import PaymentFact
from tests.application.payment_flows import intent_of
from tests.application.promises import of_kind
from tests.world import CATALOG, MemoryWorld

NO_DEFAULT = replace(CATALOG, pricing_models=(PricingModelEntry(slug="other", name="Other"),))


async def paid(world: MemoryWorld, **draft: object) -> PaymentFact:
    """A session whose intent has succeeded; nobody has told us yet."""
    session = await world.session(**draft)
    return world.gateway.succeed(intent_of(session))


async def kept(world: MemoryWorld, fact: PaymentFact, code: str) -> InboxRow:
    """The fact is in the inbox under this code, with all it said, and nothing else has changed."""
    before = world.store.states, world.store.events, world.store.tasks
    booked = await world.report(fact, "evt_kept")
    assert booked.refusal == code
    assert (world.store.states, world.store.events, world.store.tasks) == before
    key = fact.organization_id or "", fact.livemode, "evt_kept"
    (row,) = [row for row in world.store.inbox if (row.organization_id, row.livemode, row.id) == key]
    assert (row.refusal, row.fact, row.handled_at) == (code, fact, None)
    assert row.reason
    return row


async def test_without_a_default_pricing_model_it_is_kept_until_there_is_one(world: MemoryWorld) -> None:
    fact = await paid(world)
    await world.apply(NO_DEFAULT)
    row = await kept(world, fact, "no_default_pricing_model")
    assert row.reason == "No default pricing model found for organization"
    assert of_kind(world.store, Customer) == []
    received_at = world.clock.now()
    world.clock.advance(timedelta(hours=1))
    await world.apply(CATALOG)
    booked = await world.report(fact, "evt_kept")
    assert booked.refusal is None
    (customer,) = of_kind(world.store, Customer)
    assert booked.session is not None
    assert (booked.session.status, booked.session.customer_id) == ("succeeded", customer.id)
    (again,) = world.store.inbox
    assert (again.attempts, again.refusal, again.reason) == (2, None, None)
    assert (again.received_at, again.handled_at) == (received_at, world.clock.now())


async def test_a_price_archived_since_sells_by_the_default_pricing_model(world: MemoryWorld) -> None:
    fact = await paid(world)
    (_, wholesale) = CATALOG.pricing_models
    await world.apply(replace(CATALOG, pricing_models=(replace(wholesale, is_default=True),)))
    assert (await world.report(fact)).refusal is None
    (customer,) = of_kind(world.store, Customer)
    (default,) = (await world.store.catalog(world.auth)).pricing_models
    assert customer.pricing_model_id == default.id


async def test_every_delivery_that_cannot_be_handled_is_counted(world: MemoryWorld) -> None:
    fact = replace(await paid(world), amount=1)
    for attempts in (1, 2, 3):
        row = await kept(world, fact, "amount_mismatch")
        assert row.attempts == attempts


@pytest.mark.parametrize("wrong", [{"amount": 1499}, {"currency": "eur"}], ids=["amount", "currency"])
async def test_another_amount_is_kept(world: MemoryWorld, wrong: dict[str, object]) -> None:
    await kept(world, replace(await paid(world), **wrong), "amount_mismatch")


async def test_an_intent_of_another_session_is_kept(world: MemoryWorld) -> None:
    fact = await paid(world)
    await kept(world, replace(fact, payment_intent_id="pi_other"), "payment_intent_mismatch")


async def test_a_return_by_an_intent_that_names_another_session_is_refused(world: MemoryWorld) -> None:
    fact = await paid(world)
    world.gateway.put(replace(fact, checkout_session_id=CheckoutSessionId("cs_other")))
    before = world.store.states
    (session,) = of_kind(world.store, CheckoutSession)
    with pytest.raises(Rejected) as refused:
        await world.buyer_returns(session.id)
    assert refused.value.code == "payment_intent_mismatch"
    assert world.store.states == before


async def test_an_intent_of_another_stripe_customer_is_kept(world: MemoryWorld) -> None:
    await world.customer()
    (task,) = world.store.tasks
    await world.perform(task)
    fact = await paid(world, customer="alice")
    await kept(world, replace(fact, stripe_customer_id="cus_other"), "stripe_customer_mismatch")


async def test_an_unknown_session_is_kept(world: MemoryWorld) -> None:
    fact = replace(await paid(world), checkout_session_id=CheckoutSessionId("cs_unknown"))
    await kept(world, fact, "checkout_session_unknown")


@pytest.mark.parametrize("missing", ["organization_id", "checkout_session_id"])
async def test_an_intent_that_is_not_of_our_making_is_kept(world: MemoryWorld, missing: str) -> None:
    fact = replace(await paid(world), **{missing: None})
    row = await kept(world, fact, "payment_intent_not_ours")
    assert row.organization_id == (fact.organization_id or "")


async def test_a_session_is_not_paid_by_a_fact_of_another_organization_or_mode(world: MemoryWorld) -> None:
    other, _ = await world.organization("Other")
    fact = await paid(world)
    foreign = replace(fact, organization_id=OrganizationId(other.organization_id))
    await kept(world, foreign, "checkout_session_unknown")
    await kept(world, replace(fact, livemode=True), "checkout_session_unknown")


async def test_a_return_that_does_not_fit_is_refused_and_changes_nothing(world: MemoryWorld) -> None:
    await paid(world)
    await world.apply(NO_DEFAULT)
    (session,) = of_kind(world.store, CheckoutSession)
    before = world.store.states, world.store.inbox
    with pytest.raises(Rejected) as refused:
        await world.buyer_returns(session.id)
    assert refused.value.code == "no_default_pricing_model"
    assert (world.store.states, world.store.inbox) == before
