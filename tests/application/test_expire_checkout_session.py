"""A checkout session is over: its time is up, or the seller says so."""

import pytest

from application.causes import Task
from domain.checkout import CheckoutSession
from domain.effects import CancelPaymentIntent, EndCheckoutSession
from domain.errors import NotFound, Rejected, Unavailable
from domain.events import EventType
from domain.ids import CheckoutSessionId
from tests.application.payment_flows import intent_of
from tests.world import MemoryWorld


async def now(world: MemoryWorld, session: CheckoutSession) -> CheckoutSession:
    found = await world.store.session(world.auth, session.id)
    assert found is not None
    return found


def cancellations(world: MemoryWorld) -> list[Task]:
    return [task for task in world.store.tasks if isinstance(task.effect, CancelPaymentIntent)]


def told(world: MemoryWorld, session: CheckoutSession) -> list[EventType]:
    return [event.type for event in world.store.events if event.subject.id == session.id][2:]


async def test_a_session_is_to_end_when_its_time_is_up_and_not_before(world: MemoryWorld) -> None:
    session = await world.session()
    (task,) = world.store.tasks
    assert task.effect == EndCheckoutSession(session.id, session.expires_at)
    assert task.due_at == session.expires_at
    await world.perform_due()
    assert (await now(world, session)).status == "open"
    await world.time_is_up()
    assert (await now(world, session)).status == "expired"
    assert told(world, session) == ["checkout_session.expired"]


async def test_the_seller_can_end_a_session_and_ending_it_again_changes_nothing(world: MemoryWorld) -> None:
    session = await world.session()
    expired = await world.expire(session.id)
    assert (expired.status, expired.expires_at) == ("expired", world.clock.now())
    assert await world.expire(session.id) == expired == await now(world, session)
    assert told(world, session) == ["checkout_session.expired"]
    await world.time_is_up()
    assert await now(world, session) == expired


async def test_the_books_say_so_before_stripe_hears_of_it(world: MemoryWorld) -> None:
    session = await world.session()
    calls = len(world.gateway.calls)
    await world.expire(session.id)
    assert len(world.gateway.calls) == calls
    (task,) = cancellations(world)
    assert task.effect == CancelPaymentIntent(session.id, intent_of(session))
    await world.perform_due()
    assert world.gateway.calls[-1].name == "cancel_payment_intent"
    assert (world.gateway.calls[-1].idempotency_key or "").startswith(f"{session.id}:cancel:")
    canceled = await world.gateway.payment_intent(intent_of(session), livemode=False)
    assert canceled.ending == "abandoned"
    assert cancellations(world) == []
    await world.report(canceled)
    assert (await now(world, session)).status == "expired"


async def test_what_is_paid_before_stripe_could_cancel_it_is_booked(world: MemoryWorld) -> None:
    session = await world.session()
    await world.expire(session.id)
    paid = world.gateway.succeed(intent_of(session))
    await world.perform_due()
    assert cancellations(world) == []
    assert (await world.report(paid)).refusal is None
    assert (await now(world, session)).status == "succeeded"
    assert told(world, session) == ["checkout_session.expired", "checkout_session.succeeded"]


@pytest.mark.parametrize(
    ("happens", "status"), [("process", "pending"), ("succeed", "succeeded"), ("cancel", "failed")]
)
async def test_what_is_being_paid_or_has_ended_is_not_taken_back(
    world: MemoryWorld, happens: str, status: str
) -> None:
    session = await world.session()
    await world.report(getattr(world.gateway, happens)(intent_of(session)))
    before = await now(world, session)
    with pytest.raises(Rejected) as refused:
        await world.expire(session.id)
    assert refused.value.code == "checkout_session_not_open"
    await world.time_is_up()
    assert await now(world, session) == before
    assert before.status == status
    assert cancellations(world) == []


async def test_a_debit_under_way_when_the_time_was_up_expires_the_session_when_it_fails(
    world: MemoryWorld,
) -> None:
    session = await world.session()
    await world.report(world.gateway.process(intent_of(session)))
    await world.time_is_up()
    assert (await now(world, session)).status == "pending"
    await world.report(world.gateway.fail(intent_of(session)))
    assert (await now(world, session)).status == "expired"
    await world.perform_due()
    assert (await world.gateway.payment_intent(intent_of(session), livemode=False)).ending == "abandoned"


async def test_a_session_that_expired_twice_is_canceled_the_second_time(world: MemoryWorld) -> None:
    """Stripe keeps its refusal to cancel what is being paid, and would replay it for the same key."""
    session = await world.session()
    await world.expire(session.id)
    await world.report(world.gateway.process(intent_of(session)))
    await world.perform_due()
    assert (await now(world, session)).status == "pending"
    await world.report(world.gateway.fail(intent_of(session)))
    assert (await now(world, session)).status == "expired"
    await world.perform_due()
    assert (await world.gateway.payment_intent(intent_of(session), livemode=False)).ending == "abandoned"


async def test_an_intent_that_becomes_known_after_the_session_has_expired_is_canceled(
    world: MemoryWorld,
) -> None:
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await world.session()
    (session,) = [state for state in world.store.states if isinstance(state, CheckoutSession)]
    await world.expire(session.id)
    assert cancellations(world) == []
    await world.report(await world.gateway.payment_intent("pi_memory1", livemode=False))
    await world.perform_due()
    assert (await world.gateway.payment_intent("pi_memory1", livemode=False)).ending == "abandoned"


async def test_nobody_else_can_end_a_session(world: MemoryWorld) -> None:
    session = await world.session()
    for auth, wanted in ((world.live, session.id), (world.auth, CheckoutSessionId("cs_none"))):
        with pytest.raises(NotFound) as refused:
            await world.expire(wanted, auth)
        assert refused.value.code == "checkout_session_not_found"
    assert (await now(world, session)).status == "open"
