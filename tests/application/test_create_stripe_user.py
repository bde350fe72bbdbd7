"""Stripe gets to know whoever signs up: once, however often it is tried, as they are called by then."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.memory.gateway import MemoryGateway
from application.causes import Task
from application.users.create_stripe_user import CreateUserAtStripe
from application.users.tell_stripe import TellStripeOfUser
from domain.effects import CreateStripeUser, UpdateStripeUser
from domain.errors import NotFound, Unavailable
from domain.ids import UserId
from domain.sign_up import NewUser
from domain.user import User
from domain.user_changes import UserChanges
from tests.builders import suffix
from tests.world import MemoryWorld


class Restless(MemoryGateway):
    """Each time Stripe has been told what a user is called, something happens: so many times."""

    def __init__(self, world: MemoryWorld, happens: Callable[[], Awaitable[object]], times: int) -> None:
        super().__init__()
        self.users = world.gateway.users
        self._happens = happens
        self._times = times

    async def update_user_customer(self, user: User, stripe_customer_id: str, idempotency_key: str) -> None:
        await super().update_user_customer(user, stripe_customer_id, idempotency_key)
        if self._times:
            self._times -= 1
            await self._happens()


async def task_of_ada(world: MemoryWorld) -> Task:
    await world.sign_up(
        NewUser(email="lovelace@example.test", external_id="ada"), world.auth, world.request()
    )
    (task,) = await world.store.lease(10, world.clock.now(), timedelta(minutes=1))
    return task


async def ada(world: MemoryWorld) -> User:
    known = await world.store.user(world.auth, "ada")
    assert known is not None
    return known


async def rename(world: MemoryWorld, **changes: Any) -> User:
    return await world.update_user("ada", UserChanges(**changes), world.auth, world.request())


async def test_stripes_id_and_since_when_are_stored_and_the_task_is_done(world: MemoryWorld) -> None:
    task = await task_of_ada(world)
    world.clock.advance(timedelta(minutes=1))
    await world.perform(task)
    (known,) = world.gateway.users
    stored = await ada(world)
    assert (stored.stripe_customer_id, stored.stripe_customer_created_at) == (known.id, world.clock.now())
    assert (known.email, known.name) == ("lovelace@example.test", None)
    assert world.store.tasks == ()
    told = world.store.events[-1]
    assert (told.type, told.data.previous) == (
        "user.updated",
        {"stripe_customer_id": None, "stripe_customer_created_at": None},
    )
    assert (told.actor.type, told.causation_id) == ("worker", task.causation_id)


async def test_the_task_holds_nothing_that_names_anybody(world: MemoryWorld) -> None:
    task = await task_of_ada(world)
    assert task.effect == CreateStripeUser((await ada(world)).id)


async def test_however_often_it_is_performed_there_is_one(world: MemoryWorld) -> None:
    task = await task_of_ada(world)
    await asyncio.gather(*(world.perform(task) for _ in range(5)))
    await world.perform(task)
    assert len(world.gateway.users) == 1
    assert [event.type for event in world.store.events].count("user.updated") == 1
    assert world.store.tasks == ()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("calls_before", [0, 1], ids=["making", "telling"])
async def test_whichever_call_fails_the_next_try_ends_it_with_one(
    world: MemoryWorld, moment: Any, calls_before: int
) -> None:
    task = await task_of_ada(world)
    if calls_before:
        await _let_the_first_call_pass(world)
    world.gateway.fail_next(moment)
    with pytest.raises(Unavailable):
        await world.perform(task)
    assert (await ada(world)).stripe_customer_id is None
    world.gateway.forget_keys()  # as where Stripe keeps a failure under the key: only a search finds it then
    await world.perform(replace(task, attempts=2))
    (known,) = world.gateway.users
    assert (await ada(world)).stripe_customer_id == known.id
    assert known.email == "lovelace@example.test"


async def _let_the_first_call_pass(world: MemoryWorld) -> None:
    user = await ada(world)
    await world.gateway.create_user_customer(
        user.id, organization_id=user.organization_id, livemode=False, idempotency_key=f"user:{user.id}"
    )


async def test_whoever_is_renamed_meanwhile_is_called_so_by_the_end(world: MemoryWorld) -> None:
    task = await task_of_ada(world)
    names = iter(["Ada", "Countess"])
    gateway = Restless(world, lambda: rename(world, name=next(names)), times=2)
    effect = CreateStripeUser((await ada(world)).id)
    await CreateUserAtStripe(world.store, gateway, world.store, world.ids, world.clock)(effect, task)
    (known,) = world.gateway.users
    assert (known.name, (await ada(world)).stripe_customer_id) == ("Countess", known.id)


async def test_who_is_renamed_before_stripe_knows_them_is_told_once_as_they_are_then(
    world: MemoryWorld,
) -> None:
    task = await task_of_ada(world)
    await rename(world, name="Ada")
    await world.perform(task)
    assert [call.name for call in world.gateway.calls] == ["create_user_customer", "update_user_customer"]
    assert world.gateway.users[0].name == "Ada"
    assert world.store.tasks == ()


async def test_a_new_name_or_address_reaches_stripe(world: MemoryWorld) -> None:
    await world.perform(await task_of_ada(world))
    await rename(world, name="Ada", email="countess@example.test")
    await rename(world, external_id="ada")
    (task,) = world.store.tasks
    assert task.effect == UpdateStripeUser((await ada(world)).id)
    await world.perform_due()
    (known,) = world.gateway.users
    assert (known.name, known.email) == ("Ada", "countess@example.test")


async def test_who_changes_each_time_stripe_is_told_waits(world: MemoryWorld) -> None:
    await world.perform(await task_of_ada(world))
    numbers = iter(range(100))
    await rename(world, name="first")
    (task,) = world.store.tasks
    gateway = Restless(world, lambda: rename(world, name=f"{next(numbers)}"), times=99)
    effect = UpdateStripeUser((await ada(world)).id)
    with pytest.raises(Unavailable) as waits:
        await TellStripeOfUser(world.store, gateway, world.store, world.ids, world.clock)(effect, task)
    assert waits.value.code == "user_keeps_changing"
    await world.worker_drains()
    assert world.gateway.users[0].name == (await ada(world)).name


async def test_a_user_who_is_not_there_is_not_found(world: MemoryWorld) -> None:
    task = await task_of_ada(world)
    nobody = UserId(f"usr_{suffix(9)}")
    for effect in (CreateStripeUser(nobody), UpdateStripeUser(nobody)):
        with pytest.raises(NotFound):
            await world.perform(replace(task, effect=effect))
    assert world.gateway.calls == []
