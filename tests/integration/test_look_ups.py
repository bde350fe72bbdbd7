"""What a decision needs is looked up by key, however much there is of it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
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
    (organization_id, livemode, id, external_id, pricing_model_id, metadata, created_at, version)
    SELECT c.organization_id, c.livemode, 'cus_' || n, 'x' || n, c.pricing_model_id, '{{}}', now(), 1
    FROM counterfoil.customers c, generate_series(1, {many}) n;
INSERT INTO counterfoil.payments
    (organization_id, livemode, id, payment_intent_id, checkout_session_id, amount, currency, endings,
        attempts, status, created_at, refunds, disputes, version)
    SELECT c.organization_id, c.livemode, 'pay_' || n, 'pi_x' || n, 'cs_' || n, 1, 'usd', '[]',
        '[]', 'open', now(), '[]', '[]', 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.purchases
    SELECT c.organization_id, c.livemode, 'pur_' || n, 'cs_' || n, 'cus_' || n % 100, 'price_1', 1, 1, 'usd',
        CASE n WHEN 7 THEN 'failed' ELSE 'paid' END, now(), now(), 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.subscriptions
    (organization_id, livemode, id, customer_id, pricing_model_id, product_id, product_slug, "group",
        is_add_on, is_free, status, billing_anchor, current_period_start, created_at, overdue, version)
    SELECT c.organization_id, c.livemode, 'sub_' || n, 'cus_' || n % 100, 'pm_1', 'prod_1', 'x', '', true,
        false, CASE n WHEN 7 THEN 'past_due' ELSE 'active' END, now(), now(), now(), '[]', 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.subscription_items
    SELECT c.organization_id, c.livemode, 'si_' || n, 'sub_' || n, 'prod_1', NULL, 1, now(), 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.inbound_events
    SELECT c.organization_id, c.livemode, 'evt_' || n, 'x', now(), now(), NULL, NULL, NULL, 1, NULL
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
UPDATE counterfoil.payments SET customer_id = 'cus_' || right(id, 2)::int WHERE length(id) > 5;
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


async def test_no_page_of_a_list_reads_more_than_the_page(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.session(auth)
            await world.customer(auth)
            await admin.execute(_FILL.format(many=_MANY))
        before = await _read_by_index(admin)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            store = PostgresStore(pool)
            lists: list[Any] = [store.payments, store.purchases, store.subscriptions]
            for _ in range(8):
                for page_of in lists:
                    assert len(await page_of(auth, 3)) == 3
                    assert len(await page_of(auth, 3, customer="cus_42")) == 3
                assert len(await store.purchases(auth, 3, status="failed")) == 1
                assert len(await store.purchases(auth, 3, status="paid", customer="cus_42")) == 3
                (late,) = await store.subscriptions(auth, 3, status="past_due")
                assert [item.id for item in late.items] == ["si_7"]
                assert await store.kept(auth, 3) == []
                assert await store.kept(auth, 3, (datetime.now(UTC), "evt_5")) == []
        async with open_pool(fresh_database.service_dsn, WORKER, max_size=1) as pool:
            for _ in range(8):
                assert await PostgresStore(pool).lease_unhandled(3, datetime.now(UTC)) == []
        await asyncio.sleep(0.1)
        assert await _read_by_index(admin) - before < _MANY
        listed = ("purchases", "subscriptions", "subscription_items", "inbound_events")
        assert await _read_in_passing(admin, *listed) == 0


async def _read_in_passing(admin: asyncpg.Connection, *tables: str) -> int:
    """Rows that were read one after the other, in tables where something else was looked for."""
    read: int = await admin.fetchval(
        "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY ($1)",
        tables or ("customers", "payments"),
    )
    return read


async def _read_by_index(admin: asyncpg.Connection) -> int:
    """Rows that an index led to, of whatever is listed."""
    read: int = await admin.fetchval(
        "SELECT sum(idx_tup_fetch) FROM pg_stat_user_tables "
        "WHERE relname IN ('payments', 'purchases', 'subscriptions', 'subscription_items', 'inbound_events')"
    )
    return read
