"""Leasing reads what it takes, and counting what it counts, whatever PostgreSQL believes to be in a table:
neither all that waits, nor all that was there."""

import pytest

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from domain.webhook_endpoint import NewWebhookEndpoint
from tests.contracts.worlds import NOON, REQUEST, World
from tests.databases import Database, connected

WAITING = 1000
"""For each of 20 endpoints, and as many of the others."""
BATCH = 50
WAIT = {
    "deliveries": "'del_' || w.slot || '_' || n, w.id, 'evt_' || n, '', n, 'pending', 0, 0, $2, $2, NULL",
    "tasks": "'task_' || w.slot || '_' || n, '{\"type\": \"\"}', $2, $2, '', 'evt_' || n, 0, NULL, NULL",
    "inbound_events": "'evt_' || w.slot || '_' || n, '', $2, NULL, 'not_yet', NULL, NULL, 1, $2",
}
LEASE = {
    "deliveries": "lease_deliveries(50, 50, '{}', $1, $1::timestamptz + interval '1 min', $1)",
    "tasks": "lease_tasks(50, $1, $1::timestamptz + interval '1 min')",
    "inbound_events": "lease_unhandled(50, $1, interval '1 s', interval '1 h', interval '1 day')",
}
DONE = {
    "deliveries": "UPDATE counterfoil.deliveries SET status = 'failed', next_try_at = NULL, settled_at = "
    "now()",
    "tasks": "DELETE FROM counterfoil.tasks",
    "inbound_events": "UPDATE counterfoil.inbound_events SET next_try_at = NULL",
}
TAKEN = {"deliveries": "attempts = 1", "tasks": "attempts = 1", "inbound_events": "next_try_at > received_at"}
_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = $1"


@pytest.mark.parametrize("counted", ["when it was empty", "when all waited"])
@pytest.mark.parametrize("table", WAIT)
async def test_a_table_that_is_otherwise_than_when_it_was_last_counted(
    fresh_database: Database, table: str, counted: str
) -> None:
    async with (
        open_pool(fresh_database.service_dsn, APP) as app,
        open_pool(fresh_database.service_dsn, WORKER, max_size=1) as worker,
        connected(fresh_database.admin_dsn) as admin,
    ):
        world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
        auth = await world.organization()
        for _ in range(20):
            await world.create_webhook_endpoint(NewWebhookEndpoint(url="https://a.example"), auth, REQUEST)
        fill = (
            f"INSERT INTO counterfoil.{table} SELECT w.organization_id, w.livemode, {WAIT[table]} "
            f"FROM counterfoil.webhook_endpoints w, generate_series(1, $1::int) n"
        )
        await admin.execute(f"ALTER TABLE counterfoil.{table} SET (autovacuum_enabled = off)")
        await admin.execute(fill, WAITING, NOON)
        if counted == "when it was empty":
            await admin.execute(f"DELETE FROM counterfoil.{table}")
            await admin.execute(f"ANALYZE counterfoil.{table}")
            await admin.execute(fill, WAITING, NOON)
        else:
            await admin.execute(f"ANALYZE counterfoil.{table}")
            first = f"split_part(id, '_', 3)::int <= {WAITING * 4 // 5}"
            await admin.execute(f"{DONE[table]} WHERE {first}")
        async with worker.acquire() as connection, connection.transaction():
            for _ in range(8):  # after five PostgreSQL may keep one plan for all values
                await connection.fetchval(f"SELECT {LEASE[table]}", NOON)
            rows = await connection.fetchval(_READ, table)
            await connection.fetchval("SELECT backlog($1, $2)", NOON, BATCH)
            counted_too = await connection.fetchval(_READ, table) - rows
            taken = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {TAKEN[table]}")
        assert taken == 8 * BATCH
        assert rows < 10 * taken
        assert counted_too < WAITING
