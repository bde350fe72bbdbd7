"""The feed as it is followed: every event once, in order, also those that come later."""

import asyncio

import pytest

from adapters.memory.store import MemoryStore
from application.ports import EventFilter
from entrypoints.commands.events import told
from tests.world import MemoryWorld, World


@pytest.fixture
async def world() -> MemoryWorld:
    return await World.opened(MemoryStore())


async def numbers(world: MemoryWorld, wanted: EventFilter) -> list[int | None]:
    return [event.sequence async for event in told(world.store, world.auth, wanted, None)]


async def test_everything_that_is_there_is_told_over_all_pages(world: MemoryWorld) -> None:
    await world.store.sequence(1000)
    count = len([e for e in world.store.events if not e.livemode])
    for limit in (1, count - 1, count, count + 1):
        assert await numbers(world, EventFilter(limit=limit)) == list(range(1, count + 1))
    assert await numbers(world, EventFilter(after=count - 1, limit=2)) == [count]
    assert await numbers(world, EventFilter(after=count)) == []


async def test_only_what_is_wanted_is_told(world: MemoryWorld) -> None:
    await world.customer("alice")
    await world.customer("bob")
    await world.store.sequence(1000)
    found = [e async for e in told(world.store, world.auth, EventFilter(0, 1, "customer.created"), None)]
    assert [event.type for event in found] == ["customer.created"] * 2


async def test_what_comes_later_is_told_once_until_it_is_stopped(world: MemoryWorld) -> None:
    stop, seen = asyncio.Event(), []
    await world.store.sequence(1000)
    before = len([e for e in world.store.events if not e.livemode])

    async def follow() -> None:
        async for event in told(world.store, world.auth, EventFilter(limit=2), stop):
            seen.append(event.sequence)
            if event.type == "customer.created":
                stop.set()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await asyncio.sleep(0.1)
        assert seen == list(range(1, before + 1))
        await world.customer("alice")
        await world.store.sequence(1000)
    assert seen[: before + 1] == list(range(1, before + 2))
