"""What somebody is leasing at this moment is left to them: no worker waits for another."""

import asyncio
from datetime import timedelta

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from tests.contracts.worlds import World, fact_of, inbound
from tests.databases import Database, connected


async def test_an_event_that_another_worker_is_about_to_lease_is_passed_over(
    fresh_database: Database,
) -> None:
    async with (
        open_pool(fresh_database.service_dsn, APP) as app,
        open_pool(fresh_database.service_dsn, WORKER) as worker,
        connected(fresh_database.admin_dsn) as other,
    ):
        world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
        auth = await world.organization()
        for number in range(2):
            event = inbound(fact_of(await world.session(auth)), f"evt_{number}", "not_yet")
            await world.store.commit(world.work(auth, event))
        world.clock.set(event.received_at + timedelta(hours=1))
        async with asyncio.timeout(5), other.transaction():
            await other.execute("SELECT FROM counterfoil.inbound_events WHERE id = 'evt_0' FOR UPDATE")
            leased = await world.worker_store.lease_unhandled(10, world.clock.now())
            assert [row.id for row in leased] == ["evt_1"]
        leased = await world.worker_store.lease_unhandled(10, world.clock.now())
        assert [row.id for row in leased] == ["evt_0"]
