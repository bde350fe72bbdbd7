"""What is told of how far behind the service is: of every organization, as of one moment, and to a limit."""

from datetime import timedelta

from application.operator_ports import Backlog
from domain.effects import CreateStripeCustomer
from tests.contracts.worlds import World, fact_of, inbound

NOTHING = Backlog(0, None, {}, None, 0, {}, {}, 0)
CUSTOMER, SESSION = "create_stripe_customer", "end_checkout_session"


async def seen(world: World, limit: int = 1000) -> Backlog:
    return await world.worker_store.backlog(world.clock.now(), limit)


async def test_of_empty_books_nothing_waits(world: World) -> None:
    assert await seen(world) == NOTHING


async def test_events_wait_for_their_number_and_are_as_old_as_the_first_of_them(world: World) -> None:
    first = world.clock.now()
    acme = await world.organization()
    world.clock.advance(timedelta(minutes=5))
    await world.organization("other")
    waiting = await seen(world)
    assert waiting.oldest_event_at == first
    assert (await seen(world, limit=3)).events_to_number == 3
    assert waiting.events_to_number > 3
    await world.events(acme)
    assert await seen(world) == NOTHING


async def test_tasks_are_due_or_leased_or_parked_by_kind_and_of_everybody(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    made = world.clock.now()
    for auth in (acme, other):
        await world.customer(auth)
    await world.session(acme)
    await world.events(acme)
    world.clock.advance(timedelta(minutes=1))
    assert await seen(world) == Backlog(0, None, {CUSTOMER: 2}, made, 1, {}, {}, 0)
    assert (await seen(world, limit=1)).tasks_due == {CUSTOMER: 1}
    (task,) = await world.lease(1)
    assert isinstance(task.effect, CreateStripeCustomer)
    assert await seen(world) == Backlog(0, None, {CUSTOMER: 1}, made, 2, {}, {}, 0)
    assert (await seen(world, limit=1)).tasks_later == 1
    await world.worker_store.park(task, "refused", world.clock.now())
    assert await seen(world) == Backlog(0, None, {CUSTOMER: 1}, made, 1, {CUSTOMER: 1}, {}, 0)
    world.clock.advance(timedelta(days=2))
    assert (await seen(world)).tasks_due == {CUSTOMER: 1, SESSION: 1}


async def test_what_stripe_told_and_did_not_fit_waits_by_its_refusal(world: World) -> None:
    for slug in ("acme", "other"):
        auth = await world.organization(slug)
        fact = fact_of(await world.session(auth))
        for number, code in enumerate(("amount_mismatch", "amount_mismatch", "not_ours", None)):
            await world.store.commit(world.work(auth, inbound(fact, f"evt_{number}", code)))
    assert (await seen(world)).unhandled == {"amount_mismatch": 4, "not_ours": 2}
    assert sum((await seen(world, limit=5)).unhandled.values()) == 5
