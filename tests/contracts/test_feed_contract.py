"""What the feed promises: committed events, in order, numbered without gaps, per organization and mode."""

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from application.ports import EventFilter
from tests.contracts.worlds import CATALOG, REQUEST, World


async def test_an_event_is_in_the_feed_once_it_has_its_number(world: World) -> None:
    auth = await world.organization()
    await world.events(auth)
    await world.customer(auth)
    before = await world.store.page(auth, EventFilter(type="customer.created"))
    assert list(before) == []
    assert await world.worker_store.sequence(1000) == 4
    assert len(await world.store.page(auth, EventFilter(type="customer.created"))) == 1


async def test_numbers_have_no_gaps_and_follow_each_commit(world: World) -> None:
    auth = await world.organization()
    await asyncio.gather(*(world.customer(auth, f"c{n}") for n in range(10)))
    events = await world.events(auth)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    for n, event in enumerate(events):
        if event.type == "customer.created":
            assert [e.type for e in events[n + 1 : n + 3]] == [
                "subscription.created",
                "subscription_item.created",
            ]


async def test_each_organization_and_mode_counts_for_itself(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    live = replace(acme, livemode=True)
    await world.apply_catalog(CATALOG, live, REQUEST)
    for auth in (acme, other, live):
        await world.customer(auth)
    for auth in (acme, other, live):
        events = await world.events(auth)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert {(event.organization_id, event.livemode) for event in events} == {
            (auth.organization_id, auth.livemode)
        }


async def test_concurrent_sequencers_number_everything_once(world: World) -> None:
    auth = await world.organization()
    await asyncio.gather(*(world.customer(auth, f"c{n}") for n in range(20)))
    while sum(await asyncio.gather(*(world.worker_store.sequence(7) for _ in range(4)))):
        pass
    events = await world.events(auth)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))


async def test_a_page_holds_what_was_asked_for(world: World) -> None:
    auth = await world.organization()
    ada = (await world.customer(auth, "ada")).record.customer
    await world.customer(auth, "bob")
    events = await world.events(auth)
    start = events[3].sequence
    assert start is not None
    assert list(await world.store.page(auth, EventFilter(after=start, limit=2))) == events[4:6]
    assert [e.subject.id for e in await world.events(auth, subject=ada.id)] == [ada.id]
    assert len(await world.events(auth, type="customer.created")) == 2
    assert await world.events(auth, type="customer.created", subject="cus_nobody") == []


async def test_an_event_says_who_why_and_what(world: World) -> None:
    auth = await world.organization()
    ada = (await world.customer(auth)).record.customer
    (created,) = await world.events(auth, subject=ada.id)
    assert created.actor.user_id == auth.user_id
    assert created.actor.api_key_id == auth.api_key_id
    assert created.request_id == created.correlation_id == REQUEST.request_id
    assert created.data.object["external_id"] == "ada"
    assert created.data.object["pricing_model_id"] == ada.pricing_model_id
    assert created.data.previous is None
    assert created.occurred_at == world.clock.now()


async def test_old_events_are_forgotten_but_for_those_that_are_needed_and_numbers_go_on(world: World) -> None:
    auth, other = await world.organization(), await world.organization("other")
    ada = (await world.customer(auth)).record.customer
    await world.customer(other)
    known = await world.events(auth)
    (task,) = [task for task in await world.lease() if task.organization_id == auth.organization_id]
    world.clock.advance(timedelta(days=40))
    await world.customer(auth, "bob")
    await world.events(auth)
    day = timedelta(days=1)
    assert await world.worker_store.forget_events(world.clock.now() - 41 * day, 1000) == 0
    before = world.clock.now() - 30 * day
    assert await world.worker_store.forget_events(before, 2) == 8  # two of each organization and mode
    while await world.worker_store.forget_events(before, 1000):
        pass
    kept = await world.store.page(auth, EventFilter(limit=1000))
    assert [event.id for event in kept if event.occurred_at < before] == [task.causation_id]
    assert [event.type for event in kept if event.subject.id == ada.id] == ["customer.created"]
    await world.customer(auth, "eve")
    told = await world.events(auth)
    sequences = [event.sequence for event in told if event.occurred_at >= before]
    assert sequences == list(range(len(known) + 1, len(known) + 1 + len(sequences)))
