"""What Stripe says of a setup or a charge and does not fit: kept with its reason, and nothing is changed."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from adapters.memory.store import MemoryStore
from domain.checkout import CheckoutSession
from domain.effects import CreateInvoiceIntent, CreateStripeCustomer
from domain.errors import Unavailable
from domain.ids import CheckoutSessionId, InvoiceId
from domain.invoice import Invoice
from domain.payment_method import PaymentMethod
from domain.setup import Setup, SetupFact
from tests.application.promises import of_kind
from tests.world import MemoryWorld, World


@pytest.fixture
async def world() -> MemoryWorld:
    return await World.opened(MemoryStore())


async def left(world: MemoryWorld, **draft: object) -> tuple[CheckoutSession, SetupFact]:
    """A session by which somebody leaves a card, and what Stripe says of it."""
    session = await world.session(price="pro", **draft)
    assert session.setup_intent_id is not None
    return session, world.gateway.succeed_setup(session.setup_intent_id)


async def refused(world: MemoryWorld, fact: SetupFact) -> str | None:
    """The code of why it does not fit; nothing is booked."""
    booked = await world.report(fact)
    assert [*of_kind(world.store, Setup), *of_kind(world.store, PaymentMethod)] == []
    return booked.refusal


async def test_an_intent_without_our_marks_is_not_ours(world: MemoryWorld) -> None:
    _, fact = await left(world)
    assert await refused(world, replace(fact, checkout_session_id=None)) == "setup_intent_not_ours"
    assert await refused(world, replace(fact, organization_id=None)) == "setup_intent_not_ours"


async def test_a_session_that_is_not_there_is_unknown(world: MemoryWorld) -> None:
    _, fact = await left(world)
    elsewhere = replace(fact, checkout_session_id=CheckoutSessionId("cs_elsewhere"))
    assert await refused(world, elsewhere) == "checkout_session_unknown"


async def test_another_intent_does_not_complete_the_session(world: MemoryWorld) -> None:
    _, fact = await left(world)
    other, _ = await left(world)
    assert await refused(world, replace(fact, checkout_session_id=other.id)) == "setup_intent_mismatch"


async def test_a_session_that_is_to_be_paid_is_not_completed_by_a_setup(world: MemoryWorld) -> None:
    _, fact = await left(world)
    paying = await world.session()
    assert await refused(world, replace(fact, checkout_session_id=paying.id)) == "setup_intent_mismatch"


async def test_another_stripe_customers_intent_is_refused(world: MemoryWorld) -> None:
    await world.customer("ada")
    await world.perform_due()
    _, fact = await left(world, customer="ada")
    wrong = replace(fact, stripe_customer_id="cus_stranger")
    assert await refused(world, wrong) == "stripe_customer_mismatch"


async def test_a_payment_method_that_is_another_customers_is_not_a_strangers(world: MemoryWorld) -> None:
    session, fact = await left(world, customer_email="bob@example.test")
    await world.report(fact)
    other = await world.session(price="pro", customer_email="eve@example.test")
    theirs = replace(
        world.gateway.succeed_setup(other.setup_intent_id or ""), payment_method=fact.payment_method
    )
    assert (await world.report(theirs)).refusal == "setup_intent_mismatch"
    (method,) = of_kind(world.store, PaymentMethod)
    known = await world.store.session(world.auth, session.id)
    assert known is not None
    assert method.customer_id == known.customer_id


async def test_a_charge_for_an_invoice_that_is_not_there_is_kept(world: MemoryWorld) -> None:
    await world.subscribed(customer_email="bob@example.test")
    await world.settle()
    (charged,) = world.gateway.charged()
    fact = await world.gateway.payment_intent(charged, livemode=False)
    booked = await world.report(replace(fact, invoice_id=InvoiceId("inv_elsewhere")))
    assert booked.refusal == "invoice_unknown"
    booked = await world.report(replace(fact, amount=1))
    assert booked.refusal == "amount_mismatch"
    booked = await world.report(replace(fact, payment_intent_id="pi_stranger"))
    assert booked.refusal == "payment_intent_mismatch"


async def test_nobody_is_charged_before_stripe_knows_them(world: MemoryWorld) -> None:
    await world.subscribed(customer_email="bob@example.test")
    tasks = await world.store.lease(100, world.clock.now(), timedelta(seconds=60))
    (charging,) = [task for task in tasks if isinstance(task.effect, CreateInvoiceIntent)]
    with pytest.raises(Unavailable) as early:
        await world.perform(charging)
    assert early.value.code == "customer_not_at_stripe"
    assert world.gateway.charged() == []
    for task in tasks:  # the worker tries again, once the customer's own effect is done
        if isinstance(task.effect, CreateStripeCustomer):
            await world.perform(task)
    await world.perform(charging)
    (invoice,) = of_kind(world.store, Invoice)
    assert invoice.payment_intent_id is not None
