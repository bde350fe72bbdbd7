"""Commits of several requests in one call, on the real database: each is whole, and has its own outcome."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.postgres.combining import AT_ONCE
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.unit_of_work import UnitOfWork
from domain import customer
from domain.auth import Authenticated
from domain.change import Change, stored
from domain.customer import Customer, NewCustomer
from domain.events import Event
from domain.intent import Attempt
from tests.contracts.worlds import REQUEST, World, fact_of, inbound
from tests.databases import Database, connected


@asynccontextmanager
async def process(database: Database) -> AsyncIterator[tuple[World, PostgresStore]]:
    """A process of the service: its own pools, and its own commits that go together."""
    async with (
        open_pool(database.service_dsn, APP) as app,
        open_pool(database.service_dsn, WORKER) as worker,
    ):
        store = PostgresStore(app)
        yield World(store, PostgresStore(worker), TypeIds()), store


async def commit_together(
    world: World, store: PostgresStore, database: Database, works: Sequence[UnitOfWork]
) -> list[str]:
    """Commit all in one call, which waits until they are all there; how each has ended."""
    auth = await world.organization("ahead")
    async with AsyncExitStack() as stack:
        lock = await stack.enter_async_context(connected(database.admin_dsn))
        watch = await stack.enter_async_context(connected(database.admin_dsn))
        await stack.enter_async_context(lock.transaction())
        await lock.execute("LOCK TABLE counterfoil.events IN ACCESS EXCLUSIVE MODE")
        ahead = []
        for number in range(AT_ONCE):
            ahead.append(asyncio.create_task(world.customer(auth, f"ahead-{number}")))
            await until_calls_wait(watch, number + 1)
        asked = [asyncio.create_task(store.commit(work)) for work in works]
        await asyncio.sleep(0)  # each has asked by now
    await asyncio.gather(*ahead)
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    return [type(outcome).__name__ if outcome else "stored" for outcome in outcomes]


async def until_calls_wait(watch: asyncpg.Connection, calls: int) -> None:
    while calls > await watch.fetchval(  # noqa: ASYNC110  (only the database knows when)
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock'"
    ):
        await asyncio.sleep(0)


async def deadlocks(database: Database) -> int:
    """How many there were, once everybody else has gone: a backend has told its statistics by then."""
    async with connected(database.admin_dsn) as admin:
        while await admin.fetchval(  # noqa: ASYNC110
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ):
            await asyncio.sleep(0)
        counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(await admin.fetchval(counted))


async def creating(world: World, auth: Authenticated, *external_ids: str) -> list[UnitOfWork]:
    """A unit of work for each new customer."""
    terms = (await world.store.creation_context(auth, NewCustomer(external_id="?"))).terms
    works = []
    for external_id in external_ids:
        work = world.work(auth)
        draft = NewCustomer(external_id=external_id)
        work.record(customer.create(draft, auth, terms, world.ids, world.clock.now())[0])
        works.append(work)
    return works


def renaming(world: World, auth: Authenticated, known: Customer, name: str) -> UnitOfWork:
    work = world.work(auth)
    work.record(Change(replace(known, name=name), (Event("customer.updated"),), known))
    return work


async def test_those_of_several_organizations_take_one_round_trip_and_are_whole(
    fresh_database: Database,
) -> None:
    async with process(fresh_database) as (world, store):
        acme, other = await world.organization(), await world.organization("other")
        start = {auth.organization_id: len(await world.events(auth)) for auth in (acme, other)}
        names = [f"user-{number}" for number in range(20)]
        works = await creating(world, acme, *names) + await creating(world, other, *names)
        works = works[::2] + works[1::2]
        before = store.database.round_trips
        assert set(await commit_together(world, store, fresh_database, works)) == {"stored"}
        # Beside it: the organization ahead with key and catalog (4), and a read and a commit for each ahead.
        assert store.database.round_trips - before == 1 + 4 + 2 * AT_ONCE
        for auth in (acme, other):
            events = (await world.events(auth))[start[auth.organization_id] :]
            assert [event.type for event in events] == [
                "customer.created",
                "subscription.created",
                "subscription_item.created",
                "balance.granted",
            ] * len(names), "one after the other, and none between those of one commit"
            for name in names:
                record = await world.store.customer(auth, name)
                assert record is not None
                assert len(record.subscriptions[0].items) == 1
        assert len(await world.lease(1000)) == 2 * len(names) + AT_ONCE


async def test_what_is_stale_or_taken_or_handled_fails_alone(fresh_database: Database) -> None:
    async with process(fresh_database) as (world, store):
        acme, other = await world.organization(), await world.organization("other")
        ada = stored((await world.customer(acme)).record.customer)
        bob = stored((await world.customer(acme, "bob")).record.customer)
        fact = fact_of(await world.session(acme), Attempt("ch_1", "pending"))
        await store.commit(world.work(acme, inbound(fact, "evt_told")))
        works = {
            **{f"new {n}": work for n, work in enumerate(await creating(world, acme, *"abcdefgh"))},
            "stale": renaming(world, acme, replace(bob, version=9), "stale"),
            "taken": (await creating(world, acme, "ada"))[0],
            "free elsewhere": (await creating(world, other, "ada"))[0],
            "renamed": renaming(world, acme, ada, "first"),
            "renamed too late": renaming(world, acme, ada, "second"),
            "told again": world.work(acme, inbound(fact, "evt_told")),
            "told": world.work(acme, inbound(fact, "evt_new")),
        }
        outcomes = await commit_together(world, store, fresh_database, list(works.values()))
        ended = dict(zip(works, outcomes, strict=True))
        assert {name: outcome for name, outcome in ended.items() if outcome != "stored"} == {
            "stale": "StaleState",
            "taken": "Conflict",
            "renamed too late": "StaleState",
            "told again": "StaleState",
        }
        record = await store.customer(acme, "ada")
        assert record is not None
        assert record.customer.name == "first"
        assert [await store.customer(acme, name) is None for name in "abcdefgh"] == [False] * 8
        assert (await store.fact_context(fact, "evt_new")).handled


BY_ID = tuple(NewCustomer(external_id=f"user-{number}") for number in range(60))
BY_EMAIL = tuple(NewCustomer(external_id=None, email=f"{number}@example.test") for number in range(60))
BY_EITHER = tuple(draft for pair in zip(BY_ID[:30], BY_EMAIL[:30], strict=True) for draft in pair)


@pytest.mark.parametrize("drafts", [BY_ID, BY_EMAIL, BY_EITHER], ids=["by id", "by e-mail", "by either"])
async def test_processes_that_meet_on_the_same_new_customers_never_deadlock(
    fresh_database: Database, drafts: tuple[NewCustomer, ...]
) -> None:
    async with process(fresh_database) as (one, _), process(fresh_database) as (two, _):
        auth = await one.organization()
        async with connected(fresh_database.admin_dsn) as admin, admin.transaction():
            await admin.execute("LOCK TABLE counterfoil.customers IN EXCLUSIVE MODE")
            asked = [asyncio.create_task(one.create_customer(draft, auth, REQUEST)) for draft in drafts]
            asked += [
                asyncio.create_task(two.create_customer(draft, auth, REQUEST)) for draft in reversed(drafts)
            ]
            async with connected(fresh_database.admin_dsn) as watch:
                await until_calls_wait(watch, 2)
        found = await asyncio.gather(*asked)
        assert sum(customer.created for customer in found) == len(drafts)
        assert len({customer.record.customer.id for customer in found}) == len(drafts)
        types = await one.event_types(auth)
        assert types.count("customer.created") == types.count("subscription.created") == len(drafts)
    assert await deadlocks(fresh_database) == 0
