"""A read is as of one moment, also where it waits in the middle."""

import asyncio

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP
from adapters.postgres.store import PostgresStore
from tests import builders
from tests.contracts.worlds import World
from tests.databases import Database, connected

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
# Give what they have changed.
_WRITES = {
    "lease_tasks",
    "lease_unhandled",
    "correct_balance",
    "track_usages",
    "count_access_try",
    "lease_deliveries",
}


async def test_a_price_is_read_with_its_product_as_both_were(fresh_database: Database) -> None:
    async with (
        open_pool(fresh_database.service_dsn, APP) as app,
        connected(fresh_database.admin_dsn) as archiving,
        connected(fresh_database.admin_dsn) as watching,
    ):
        world = World(PostgresStore(app))
        auth = await world.organization()
        await world.store.opening_context(auth, builders.asked("course"))
        transaction = archiving.transaction()
        await transaction.start()
        for table in ("products", "prices"):
            await archiving.execute(f"UPDATE counterfoil.{table} SET archived_at = now()")
        await archiving.execute("LOCK TABLE counterfoil.products IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(world.store.opening_context(auth, builders.asked("course")))
        while not await watching.fetchval(_WAITING):  # it has read the price, and comes to the product
            await watching.execute("SELECT pg_sleep(0.01)")
        await transaction.commit()
        context = await reading
    assert context.price is not None
    assert context.product is not None
    assert (context.price.archived_at, context.product.archived_at) == (None, None)


async def test_every_read_sees_what_its_statement_sees(fresh_database: Database) -> None:
    """A function that is volatile looks anew for each of its statements, and may see a commit in between."""
    async with connected(fresh_database.admin_dsn) as admin:
        found = await admin.fetch(
            "SELECT proname, provolatile FROM pg_proc WHERE pronamespace = 'counterfoil'::regnamespace "
            "AND prorettype = 'jsonb'::regtype"
        )
    reads = {row["proname"]: row["provolatile"] for row in found if row["proname"] not in _WRITES}
    assert {"catalog", "creation_context", "opening_context", "fact_context"} <= reads.keys()
    assert {name for name, volatility in reads.items() if volatility not in (b"s", b"i")} == set()
