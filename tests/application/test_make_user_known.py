"""A user becomes known to Stripe once, and is called there as in the books, whoever asks and when."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.unit_of_work import UnitOfWork
from application.users.at_stripe import make_user_known, tell_of_user
from domain.change import Change
from domain.errors import Unavailable
from domain.events import Event
from domain.user import User
from tests.world import MemoryWorld


async def owner(world: MemoryWorld) -> User:
    known = await world.store.user_in_books(world.auth, world.auth.user_id)
    assert known is not None
    return known


async def made_known(world: MemoryWorld, user: User, by: str = "test", *, look_first: bool = False) -> str:
    return await make_user_known(
        user, world.store, world.gateway, now=world.clock.now(), by=by, look_first=look_first
    )


async def renamed(world: MemoryWorld, name: str) -> User:
    known = await owner(world)
    work = UnitOfWork(world.request(), world.auth, world.ids, world.clock.now())
    work.record(Change(replace(known, name=name), (Event("user.updated"),), known))
    await world.store.commit(work)
    return await owner(world)


async def test_there_is_one_customer_who_is_called_as_the_user(world: MemoryWorld) -> None:
    user = await renamed(world, "Ada")
    ids = await asyncio.gather(*(made_known(world, user, f"request {n}") for n in range(5)))
    (known,) = world.gateway.users
    assert set(ids) == {known.id}
    assert (known.user_id, known.organization_id, known.livemode) == (user.id, user.organization_id, False)
    assert (known.email, known.name) == (user.email, "Ada")


async def test_the_key_is_the_users_own_and_stays_good_when_they_are_renamed(world: MemoryWorld) -> None:
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await made_known(world, await owner(world))
    await made_known(world, await renamed(world, "Ada"))
    (known,) = world.gateway.users
    assert known.name == "Ada"
    assert {call.idempotency_key for call in world.gateway.calls if call.name == "create_user_customer"} == {
        f"user:{world.auth.user_id}"
    }


@pytest.mark.parametrize("days", [0, 1])
async def test_one_whose_making_had_no_answer_is_found_once_the_key_is_forgotten(
    world: MemoryWorld, days: int
) -> None:
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await made_known(world, await owner(world))
    world.clock.advance(timedelta(days=days))
    world.gateway.forget_keys()
    await made_known(world, await owner(world), look_first=days == 0)
    assert len(world.gateway.users) == 1


async def test_while_the_key_protects_nobody_is_looked_for(world: MemoryWorld) -> None:
    await made_known(world, await owner(world))
    assert [call.name for call in world.gateway.calls] == ["create_user_customer", "update_user_customer"]


async def test_whoever_tells_what_was_so_before_tells_what_is_so_now(world: MemoryWorld) -> None:
    before = await owner(world)
    stripe_id = await made_known(world, before)
    after = await renamed(world, "Ada")
    await tell_of_user(after, stripe_id, world.store, world.gateway, by="in time")
    await tell_of_user(before, stripe_id, world.store, world.gateway, by="late")
    assert world.gateway.users[0].name == "Ada"
