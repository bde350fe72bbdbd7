"""Stripe gets to know a customer, once, however often it is tried."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.causes import Task
from domain.customer import Customer
from domain.errors import NotFound, ProviderRefused, Unavailable
from domain.ids import CustomerId
from tests.world import MemoryWorld

LEASE = timedelta(minutes=1)


async def task_of_a_new_customer(world: MemoryWorld) -> Task:
    await world.customer(email="alice@example.test", name="Alice")
    (task,) = await world.store.lease(10, world.clock.now(), LEASE)
    return task


async def alice(world: MemoryWorld) -> Customer:
    record = await world.store.customer(world.auth, "alice")
    assert record is not None
    return record.customer


async def test_stripes_id_is_stored_and_the_task_is_done(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    await world.perform(task)
    (known,) = world.gateway.customers
    assert (await alice(world)).stripe_customer_id == known.id
    assert (known.organization_id, known.livemode) == (world.auth.organization_id, False)
    assert world.store.tasks == ()
    told = world.store.events[-1]
    assert (told.type, told.data.previous) == ("customer.updated", {"stripe_customer_id": None})
    assert (told.actor.type, told.causation_id) == ("worker", task.causation_id)


async def test_it_uses_a_key_of_the_customers_own_id(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    await world.perform(task)
    (known,) = world.gateway.customers
    assert [call.idempotency_key for call in world.gateway.calls] == [
        f"customer:{known.customer.customer_id}"
    ]


async def test_however_often_it_is_performed_there_is_one(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    await asyncio.gather(*(world.perform(task) for _ in range(5)))
    await world.perform(task)
    assert len(world.gateway.customers) == 1
    assert [event.type for event in world.store.events].count("customer.updated") == 1
    assert world.store.tasks == ()


async def test_a_reply_that_was_lost_is_answered_with_the_same_customer(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await world.perform(task)
    assert len(world.store.tasks) == 1
    await world.perform(task)
    (known,) = world.gateway.customers
    assert (await alice(world)).stripe_customer_id == known.id


async def test_while_stripe_does_not_answer_the_task_stays(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    world.gateway.fail_next("before")
    with pytest.raises(Unavailable):
        await world.perform(task)
    assert world.gateway.customers == []
    assert (await alice(world)).stripe_customer_id is None
    assert len(world.store.tasks) == 1


async def test_the_task_keeps_its_parameters_so_that_the_key_stays_good(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await world.perform(task)
    changed = replace(task, effect=replace(task.effect, name="Alicia"))
    with pytest.raises(ProviderRefused):
        await world.perform(changed)


async def test_after_a_day_an_earlier_attempt_is_searched_for_first(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await world.perform(task)
    world.clock.advance(timedelta(hours=24))
    world.gateway.forget_keys()
    await world.perform(task)
    (known,) = world.gateway.customers
    assert (await alice(world)).stripe_customer_id == known.id
    assert [call.name for call in world.gateway.calls] == ["create_customer", "find_customer"]


async def test_after_a_day_without_an_earlier_attempt_the_customer_is_made(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    world.clock.advance(timedelta(hours=24))
    await world.perform(task)
    assert len(world.gateway.customers) == 1


async def test_a_customer_who_is_not_there_is_not_found(world: MemoryWorld) -> None:
    task = await task_of_a_new_customer(world)
    lost = replace(task, effect=replace(task.effect, customer_id=CustomerId("cus_lost")))
    with pytest.raises(NotFound):
        await world.perform(lost)
    assert world.gateway.calls == []
