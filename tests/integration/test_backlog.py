"""The backlog on PostgreSQL: seen by the worker alone, cheap however much there is, and true to the end."""

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from tests.contracts.worlds import NOON, World
from tests.databases import Database, connected

_WITHOUT = """
ALTER TABLE counterfoil.customers ALTER COLUMN pricing_model_id DROP NOT NULL;
UPDATE counterfoil.customers SET pricing_model_id = NULL WHERE external_id = 'ada';
"""
_FILL = """
SET session_replication_role = replica;
INSERT INTO counterfoil.events SELECT e.organization_id, e.livemode, 'evt_' || n, e.type, e.occurred_at,
        e.subject_type, e.subject_id, '{}', '{}', NULL, '', NULL, '', 0, e.transaction_id, 1000 + n
    FROM (SELECT * FROM counterfoil.events LIMIT 1) e, generate_series(1, 20000) n;
INSERT INTO counterfoil.customers
    (organization_id, livemode, id, external_id, pricing_model_id, metadata, created_at, version)
    SELECT c.organization_id, c.livemode, 'cus_' || n, 'x' || n, c.pricing_model_id, '{}', now(), 1
    FROM (SELECT * FROM counterfoil.customers LIMIT 1) c, generate_series(1, 20000) n;
INSERT INTO counterfoil.inbound_events SELECT organization_id, livemode, 'evt_' || n, '', now(), now(),
        NULL, NULL, NULL, 1
    FROM (SELECT * FROM counterfoil.customers LIMIT 1) c, generate_series(1, 20000) n;
ANALYZE;
"""
_READ = (
    "SELECT coalesce(sum(seq_tup_read), 0)::int FROM pg_stat_xact_user_tables "
    "WHERE relname IN ('events', 'customers', 'inbound_events')"
)


async def test_a_customer_without_a_pricing_model_would_be_noticed(fresh_database: Database) -> None:
    async with (
        open_pool(fresh_database.service_dsn, APP) as app,
        open_pool(fresh_database.service_dsn, WORKER) as worker,
        connected(fresh_database.admin_dsn) as admin,
    ):
        world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
        for slug in ("acme", "other"):
            auth = await world.organization(slug)
            await world.customer(auth, "ada")
            await world.customer(auth, "grace")
        assert (await world.worker_store.backlog(NOON, 100)).customers_without_pricing_model == 0
        await admin.execute(_WITHOUT)
        assert (await world.worker_store.backlog(NOON, 100)).customers_without_pricing_model == 2
        assert (await world.store.backlog(NOON, 100)).customers_without_pricing_model == 0


async def test_what_does_not_wait_is_not_read(fresh_database: Database) -> None:
    async with (
        open_pool(fresh_database.service_dsn, WORKER, max_size=1) as worker,
        connected(fresh_database.admin_dsn) as admin,
    ):
        async with open_pool(fresh_database.service_dsn, APP) as app:
            world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            await world.events(auth)
        await admin.execute(_FILL)
        async with worker.acquire() as connection, connection.transaction():
            for _ in range(8):  # after five PostgreSQL may keep one plan for all values
                await connection.fetchval("SELECT backlog($1, 100)", NOON)
            assert await connection.fetchval(_READ) == 0
