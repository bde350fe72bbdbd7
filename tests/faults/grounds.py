"""Where scenarios are run: on memory, and on PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from adapters.memory.ids import SequentialIds
from adapters.memory.secrets import SequentialSecrets
from adapters.memory.store import MemoryStore
from adapters.postgres.migrations import SCHEMA
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from tests.application.usage_promises import Ledger, ledger_in
from tests.databases import DatabaseServer, connected
from tests.faults.inspection import Inspection, inspected, ledger_of
from tests.faults.judgement import Books
from tests.faults.outside import Outside, Run
from tests.faults.scenario import Scenario
from tests.faults.schedules import Ground


def memory_ground() -> Ground:
    """What a scenario begins with is made once; each run gets a copy."""
    prepared: dict[str, Run] = {}

    async def begun(scenario: Scenario) -> Run:
        if scenario.name not in prepared:
            store = MemoryStore()
            first = Run(Outside(store, store, SequentialIds(), SequentialSecrets(), "acme"))
            await scenario.before(first)
            prepared[scenario.name] = first
        return prepared[scenario.name].cloned()

    async def books_of(outside: Outside) -> Books:
        store = outside.store
        assert isinstance(store, MemoryStore)
        return Inspection(store.states, store.events, tuple(store.tasks), tuple(store.inbox))  # copied once

    async def used(outside: Outside) -> Ledger:
        assert isinstance(outside.store, MemoryStore)
        return ledger_in(outside.store._books)

    return Ground(begun, books_of, used)


@asynccontextmanager
async def postgres_ground(server: DatabaseServer) -> AsyncIterator[Ground]:
    """One database; each run has an organization of its own on it."""
    numbers = count(1)
    ids, secrets = TypeIds(), SequentialSecrets()
    async with (
        server.fresh() as database,
        open_pool(database.service_dsn, APP, max_size=2) as app,
        open_pool(database.service_dsn, WORKER, max_size=2) as worker,
        connected(database.admin_dsn) as admin,
    ):

        async def begun(scenario: Scenario) -> Run:
            slug = f"acme-{next(numbers)}"
            run = Run(Outside(PostgresStore(app), PostgresStore(worker), ids, secrets, slug))
            await scenario.before(run)
            run.outside.provider.tell_at_once = None  # that was for what came before
            return run

        async def books_of(outside: Outside) -> Books:
            found = await inspected(admin, outside.slug)
            await admin.execute(f"DELETE FROM {SCHEMA}.tasks")  # none is due in somebody else's run
            return found

        async def used(outside: Outside) -> Ledger:
            return await ledger_of(admin, outside.slug)

        yield Ground(begun, books_of, used)
