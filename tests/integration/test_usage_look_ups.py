"""What may be used is looked up by key, also by a connection that has served since nothing was used."""

import asyncio

import asyncpg
import msgspec

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.usage.check_feature import NewCheck
from application.usage.track_usage import NewTrack
from domain.auth import Authenticated
from tests.contracts.test_usage_contract import catalog, messages
from tests.contracts.worlds import REQUEST, World
from tests.databases import Database, connected

_MANY = 3000
_COPIES = """
    INSERT INTO counterfoil.{table} SELECT made.*
    FROM counterfoil.{table} AS one, generate_series(1, $1) AS n,
        LATERAL jsonb_populate_record(one, jsonb_build_object({changes})) AS made
    WHERE one.ctid = (SELECT min(ctid) FROM counterfoil.{table})
"""
_CUSTOMERS = {
    "customers": "'id', 'cus_' || n, 'external_id', 'x' || n",
    "subscriptions": "'id', 'sub_' || n, 'customer_id', 'cus_' || n",
    "balances": "'id', 'bal_' || n, 'customer_id', 'cus_' || n, 'subscription_id', 'sub_' || n",
}
_USED = {"usages": "'id', 'usage_' || n, 'key', 'k' || n"}
_BALANCES_USED = {
    "balance_levels": "'balance_id', 'bal_' || n",
    "balance_entries": "'balance_id', 'bal_' || n",
}
_OTHERS_CONNECTED = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


async def test_what_may_be_used_is_looked_up_by_key_however_much_is_used(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        await admin.execute("SET session_replication_role = replica")  # only their number matters
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization(catalog=catalog(messages(1000)))
            await world.customer(auth)
            await use(world, auth, "ada", "k0")
            await fill(admin, _CUSTOMERS | _USED)
            await admin.execute("ANALYZE")
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            for number in range(8):  # plans are made, and kept
                await use(world, auth, "ada", f"first-{number}")
            await fill(admin, _BALANCES_USED)
            before = await _read(admin)
            for number in range(1, 9):
                await use(world, auth, f"x{number}", f"later-{number}")
        # A connection tells its statistics when it ends, and is gone after that.
        while await admin.fetchval(_OTHERS_CONNECTED):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert await _read(admin) - before < _MANY


async def fill(admin: asyncpg.Connection, tables: dict[str, str]) -> None:
    for table, changes in tables.items():
        await admin.execute(_COPIES.format(table=table, changes=changes), _MANY)


async def use(world: World, auth: Authenticated, customer: str, key: str) -> None:
    await world.check_feature(NewCheck(customer=customer, feature="messages"), auth, REQUEST)
    draft = msgspec.convert({"customer": customer, "feature": "messages", "idempotency_key": key}, NewTrack)
    assert not (await world.track_usage(draft, auth, REQUEST)).replayed
    assert await world.store.balances(auth, customer, None, world.clock.now())


async def _read(admin: asyncpg.Connection) -> int:
    """Rows that were looked at, in whatever way."""
    await admin.execute("SELECT pg_stat_force_next_flush()")
    read: int = await admin.fetchval(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables "
        "WHERE relname = ANY ($1)",
        [*_CUSTOMERS, *_USED, *_BALANCES_USED],
    )
    return read
