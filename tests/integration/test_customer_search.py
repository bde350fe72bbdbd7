"""A search reads what it finds, or what a page shows, and not everybody."""

import asyncio

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.ports import CustomerFilter
from tests.contracts.worlds import World
from tests.databases import Database, connected

_MANY = 20_000
_FILL = f"""
INSERT INTO counterfoil.customers
    (organization_id, livemode, id, external_id, external_id_key, email, email_key, name, name_key,
        pricing_model_id, metadata, created_at, version)
    SELECT c.organization_id, c.livemode, 'cus_' || lpad(n::text, 26, '0'), 'x' || n, 'x' || n,
        'user' || n || '@example.test', 'user' || n || '@example.test',
        CASE n WHEN 7 THEN 'Rare' ELSE 'Common ' || n END, CASE n WHEN 7 THEN 'rare' ELSE 'common ' || n END,
        c.pricing_model_id, '{{}}', now(), 1
    FROM counterfoil.customers c, generate_series(1, {_MANY}) n;
ANALYZE counterfoil.customers;
"""


async def test_a_search_reads_few_rows_however_many_customers_there_are(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            await admin.execute(_FILL)
        statistics = "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'customers'"
        before = await admin.fetchrow(statistics)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            store = PostgresStore(pool)
            for wanted, found in (
                (CustomerFilter(), 5),
                (CustomerFilter(search="rare"), 1),
                (CustomerFilter(search="nobody"), 0),
                (CustomerFilter(search="user1999"), 5),
                (CustomerFilter(search="common"), 5),
                (CustomerFilter(search="u"), 5),
                (CustomerFilter(search="x19999"), 1),
                (CustomerFilter(email="USER7@example.test"), 1),
                (CustomerFilter(external_id="x7"), 1),
            ):
                assert len(await store.customer_page(auth, wanted, 5)) == found, wanted
        await asyncio.sleep(0.1)
        after = await admin.fetchrow(statistics)
        assert before is not None
        assert after is not None
        assert after["seq_tup_read"] == before["seq_tup_read"]
        assert after["idx_tup_fetch"] - before["idx_tup_fetch"] < 200
