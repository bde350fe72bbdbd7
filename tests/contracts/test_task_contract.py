"""What the worker's bookkeeping promises: a task is one worker's at a time, and never lost."""

import asyncio
from datetime import timedelta

from domain.effects import CreateStripeCustomer
from tests.contracts.worlds import World

MINUTE = timedelta(seconds=60)


async def test_a_task_is_written_with_the_event_that_wants_it(world: World) -> None:
    auth = await world.organization()
    ada = (await world.customer(auth)).record.customer
    (created,) = await world.events(auth, subject=ada.id)
    (task,) = await world.lease()
    assert task.effect == CreateStripeCustomer(ada.id, "ada", None, None)
    assert task.causation_id == created.id
    assert task.correlation_id == created.correlation_id
    assert task.attempts == 1


async def test_a_leased_task_is_nobody_elses_until_the_lease_ends(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    (task,) = await world.lease()
    assert await world.lease() == []
    world.clock.advance(MINUTE)
    (again,) = await world.lease()
    assert (again.id, again.attempts) == (task.id, 2)


async def test_many_workers_share_the_tasks_out(world: World) -> None:
    auth = await world.organization()
    for n in range(12):
        await world.customer(auth, f"c{n}")
    leased = await asyncio.gather(*(world.lease(3) for _ in range(6)))
    ids = [task.id for batch in leased for task in batch]
    assert len(ids) == len(set(ids)) == 12


async def test_a_postponed_task_is_due_when_it_was_said_to_be(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    (task,) = await world.lease()
    due_at = world.clock.now() + timedelta(minutes=10)
    await world.worker_store.postpone(task, "payment_provider_unavailable", due_at)
    world.clock.advance(timedelta(minutes=9))
    assert await world.lease() == []
    world.clock.advance(MINUTE)
    (again,) = await world.lease()
    assert again.last_error == "payment_provider_unavailable"


async def test_a_parked_task_is_not_due_any_more(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    (task,) = await world.lease()
    await world.worker_store.park(task, "payment_provider_refused", world.clock.now())
    world.clock.advance(timedelta(days=1))
    assert await world.lease() == []


async def test_waiting_for_somebody_is_no_attempt(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    for _ in range(3):
        (task,) = await world.lease()
        assert task.attempts == 1
        await world.worker_store.postpone(task, "waits", world.clock.now(), counted=False)


async def test_who_has_lost_the_lease_has_no_say(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    (late,) = await world.lease()
    world.clock.advance(MINUTE)
    (current,) = await world.lease()
    await world.worker_store.postpone(late, "late", world.clock.now() - MINUTE)
    await world.worker_store.park(late, "late", world.clock.now())
    assert await world.lease() == []
    world.clock.advance(MINUTE)
    (again,) = await world.lease()
    assert (again.id, again.attempts, again.last_error) == (current.id, 3, None)


async def test_what_is_said_of_a_finished_task_is_ignored(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    (task,) = await world.lease()
    await world.worker_store.commit(world.work(auth, task))
    await world.worker_store.postpone(task, "late", world.clock.now())
    await world.worker_store.park(task, "late", world.clock.now())
    world.clock.advance(timedelta(days=1))
    assert await world.lease() == []


async def test_a_customer_gets_one_stripe_customer_and_the_task_is_gone(world: World) -> None:
    auth = await world.organization()
    ada = (await world.customer(auth)).record.customer
    (task,) = await world.lease()
    await asyncio.gather(*(world.effects(task) for _ in range(3)))
    record = await world.store.customer(auth, ada.id)
    assert record is not None
    assert record.customer.stripe_customer_id is not None
    assert (await world.event_types(auth)).count("customer.updated") == 1
    world.clock.advance(timedelta(days=1))
    assert await world.lease() == []
