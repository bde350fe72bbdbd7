"""What the feed promises: committed events, in order, numbered without gaps, per organization and mode."""

import asyncio

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
