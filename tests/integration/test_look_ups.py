"""What a decision needs is looked up by key, however much there is of it."""

import asyncio

import asyncpg

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from domain.ids import PaymentId
from domain.intent import Attempt
from tests.contracts.worlds import World, fact_of
from tests.databases import Database, connected

_MANY = 2000
_FILL = """
SET session_replication_role = replica;  -- no foreign keys: only their number matters
INSERT INTO counterfoil.customers
    SELECT c.organization_id, c.livemode, 'cus_' || n, 'x' || n, NULL, NULL, NULL, NULL, c.pricing_model_id,
        NULL, '{{}}', now(), 1
    FROM counterfoil.customers c, generate_series(1, {many}) n;
INSERT INTO counterfoil.payments
    SELECT c.organization_id, c.livemode, 'pay_' || n, 'pi_x' || n, 'cs_' || n, NULL, NULL, 1, 'usd', '[]',
        '[]', 'open', now(), '[]', '[]', 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
ANALYZE;
"""


async def test_no_decision_reads_a_whole_table(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            session = await world.session(auth)
            await admin.execute(_FILL.format(many=_MANY))
        before = await _read_in_passing(admin)
        # A connection of its own: it plans on what is there now, and tells its statistics when it ends.
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            store = PostgresStore(pool)
            fact = fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded")
            for n in range(8):  # after five PostgreSQL may keep one plan for all values
                await store.fact_context(fact, f"evt_{n}")
                await store.creation_context(auth, f"new-{n}", None)
                await store.customer(auth, f"x{n}")
                assert [p.id for p in await store.payments(auth, 2, PaymentId("pay_1002"))] == [
                    "pay_1001",
                    "pay_1000",
                ]
                assert await store.payment(auth, PaymentId(f"pay_{n + 1}")) is not None
        await asyncio.sleep(0.1)
        assert await _read_in_passing(admin) - before < _MANY


async def _read_in_passing(admin: asyncpg.Connection) -> int:
    read: int = await admin.fetchval(
        "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('customers', 'payments')"
    )
    return read
