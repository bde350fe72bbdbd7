"""What a decision needs is looked up by key, however much there is of it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.ports import IntakeFilter
from application.usage.check_feature import NewCheck
from application.usage.correct_balance import CorrectionAsked
from application.usage.track_usage import NewTrack
from domain.attaching import NewAttachment
from domain.charging import AllCurrent
from domain.customer import CustomerData, NewCustomer
from domain.ids import (
    BalanceId,
    CustomerId,
    EntityId,
    IntakePaymentId,
    PaymentId,
    SubscriptionId,
)
from domain.intent import Attempt
from tests.contracts.worlds import REQUEST, World, fact_of
from tests.databases import Database, connected

_MANY = 2000
_FILL = """
SET session_replication_role = replica;  -- no foreign keys: only their number matters
INSERT INTO counterfoil.customers
    (organization_id, livemode, id, external_id, pricing_model_id, metadata, created_at, version)
    SELECT c.organization_id, c.livemode, 'cus_' || n, 'x' || n, c.pricing_model_id, '{{}}', now(), 1
    FROM counterfoil.customers c, generate_series(1, {many}) n;
INSERT INTO counterfoil.entities
    SELECT c.organization_id, c.livemode, 'ent_' || n, 'cus_' || n % 20, 'seat-' || n, NULL, NULL, now(),
        CASE n % 10 WHEN 0 THEN now() END, 1
    FROM counterfoil.customers c, generate_series(1, {many}) n WHERE c.external_id = 'ada';
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
        is_add_on, is_free, status, billing_anchor, current_period_start, created_at, overdue,
        cancel_at_period_end, version)
    SELECT c.organization_id, c.livemode, 'sub_' || n, 'cus_' || n % 100, 'pm_1', 'prod_1', 'x', '', true,
        false, CASE n WHEN 7 THEN 'past_due' ELSE 'active' END, now(), now(), now(), '[]', false, 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.subscription_items
    SELECT c.organization_id, c.livemode, 'si_' || n, 'sub_' || n, 'prod_1', NULL, 1, now(), 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.invoices
    (organization_id, livemode, id, customer_id, purchase_id, subscription_id, period_end, billed_to,
        currency, lines, total, amount_paid, amount_refunded, status, charge_attempts, created_at, version)
    SELECT c.organization_id, c.livemode, 'inv_' || n, 'cus_' || n % 100, 'pur_' || n, 'sub_' || n, now(),
        '{{}}', 'usd', '[]', 1, 0, 0, 'draft', 1, now(), 1
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.inbound_events
    SELECT c.organization_id, c.livemode, 'evt_' || n, 'x', now(), now(), NULL, NULL, NULL, 1, NULL
    FROM counterfoil.checkout_sessions c, generate_series(1, {many}) n;
INSERT INTO counterfoil.balances
    SELECT b.organization_id, b.livemode, 'bal_' || n, 'cus_' || n / 4, b.feature_id, b.feature,
        NULL, NULL, NULL, 100, false, false, false, 'month', now(), NULL, '[80]', now(), 1
    FROM counterfoil.balances b, generate_series(1, {many}) n;
INSERT INTO counterfoil.balance_levels
    SELECT organization_id, livemode, id, '', 100, 50, now() + interval '1 year', {many}
    FROM counterfoil.balances WHERE length(id) < 20;
INSERT INTO counterfoil.balance_entries
    SELECT c.organization_id, c.livemode, 'bal_28', '', n, 'usage', -1, -n, 'usage_' || n, now()
    FROM counterfoil.customers c, generate_series(1, {many}) n WHERE c.external_id = 'ada';
INSERT INTO counterfoil.usages
    SELECT c.organization_id, c.livemode, 'usage_' || n, 'cus_7', 'feat_1', NULL, 'usage', 1, 1, 'key-' || n,
        'print', '{{}}', now()
    FROM counterfoil.customers c, generate_series(1, {many}) n WHERE c.external_id = 'ada';
INSERT INTO counterfoil.intake_payments
    (organization_id, livemode, id, status, email, email_key, amount, currency, description, metadata,
        user_id, payment_id, created_at, version)
    SELECT c.organization_id, c.livemode, 'intake_' || n, CASE n WHEN 7 THEN 'failed' ELSE 'open' END,
        n % 100 || '@x.test', n % 100 || '@x.test', 1, 'usd', 'x', '{{}}', 'usr_' || n % 100, 'pay_' || n,
        now(), 1
    FROM counterfoil.customers c, generate_series(1, {many}) n WHERE c.external_id = 'ada';
INSERT INTO counterfoil.users
    (organization_id, livemode, id, external_id, email, email_key, created_at, version)
    SELECT c.organization_id, c.livemode, 'usr_' || n, 'u' || n, n || '@x.test', n || '@x.test', now(), 1
    FROM counterfoil.customers c, generate_series(1, {many}) n WHERE c.external_id = 'ada';
UPDATE counterfoil.customers SET user_id = 'usr_' || right(id, 2)::int WHERE length(id) = 6;
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
                draft = NewCustomer(
                    external_id=f"new-{n}",
                    email="new@example.com",
                    fingerprint="device-7",
                    stripe_customer_id="cus_S1",
                )
                await store.creation_context(auth, draft)
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


async def test_entities_and_what_is_attached_are_looked_up_by_key(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            await world.session(auth)
            await admin.execute(_FILL.format(many=_MANY))
        tables = ("entities", "customers", "subscriptions", "subscription_items")
        before = await _read_in_passing(admin, *tables), await _read_by_index(admin)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            store = PostgresStore(pool)
            for _ in range(8):
                assert (await store.entity_context(auth, "cus_7", "seat-7")).entity is not None
                assert (await store.entity_context(auth, "cus_7", "ent_7", "seats")).feature is not None
                for before_id in (None, EntityId("ent_7")):
                    assert len(await store.entities(auth, "cus_7", 3, before_id)) == 3
                for customer in ("x7", "new"):
                    asked = NewAttachment(customer=customer, product="pro", customer_data=CustomerData())
                    assert len((await store.attach_context(auth, asked)).prices) == 2
        await asyncio.sleep(0.1)
        assert await _read_in_passing(admin, *tables) == before[0]
        assert await _read_by_index(admin) - before[1] < _MANY


async def test_what_is_changed_of_a_subscription_is_looked_up_by_key(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            await world.session(auth)
            await admin.execute(_FILL.format(many=_MANY))
        tables = ("customers", "subscriptions", "subscription_items", "invoices", "purchases")
        before = await _read_in_passing(admin, *tables), await _read_by_index(admin, *tables)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            store = PostgresStore(pool)
            for n in range(8):
                found = await store.managed_context(auth, SubscriptionId(f"sub_{n + 1}"))
                assert found is not None
                assert [one.purchase.id for one in found.owed if one.purchase] == [f"pur_{n + 1}"]
                found = await store.managed_context(auth, AllCurrent(CustomerId("cus_42")))
                assert found is not None
                assert (len(found.subscriptions), len(found.owed)) == (20, 20)
        await asyncio.sleep(0.1)
        assert await _read_in_passing(admin, *tables) == before[0]
        assert await _read_by_index(admin, *tables) - before[1] < _MANY


async def test_what_may_be_used_is_looked_up_by_key(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            await world.session(auth)
            await admin.execute(_FILL.format(many=_MANY))
        tables = (
            "customers",
            "entities",
            "subscriptions",
            "purchases",
            "balances",
            "balance_levels",
            "balance_entries",
            "usages",
        )
        before = await _read_in_passing(admin, *tables), await _read_by_index(admin, *tables)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            world.clock.set(datetime.now(UTC))
            store, now = world.store, world.clock.now()
            for n in range(8):
                for entity in (None, "seat-7"):
                    asked = NewCheck(customer="x7", feature="seats", entity=entity)
                    checked = await world.check_feature(asked, auth, REQUEST)
                    assert [line.balance.id for line in checked.lines] == [
                        "bal_28",
                        "bal_29",
                        "bal_30",
                        "bal_31",
                    ]
                track = NewTrack(customer="cus_7", feature="seats", idempotency_key=f"new-{n // 2}")
                recorded = await world.track_usage(track, auth, REQUEST)
                assert (recorded.usage.recorded, recorded.replayed) == (1, n % 2 == 1)
                correction = CorrectionAsked(amount=1)
                await world.correct_balance(BalanceId("bal_29"), correction, None, auth, REQUEST)
                assert len((await store.balances(auth, "x7", None, now)).lines) == 4
                assert len(await store.usages(auth, "x7", 3)) == 3
                found = await store.entries(auth, BalanceId("bal_28"), None, 3)
                assert found is not None
                assert len(found) == 3
        await asyncio.sleep(0.1)
        assert await _read_in_passing(admin, *tables) == before[0]
        assert await _read_by_index(admin, *tables) - before[1] < _MANY


async def test_what_was_asked_of_somebody_and_what_they_have_paid_is_looked_up_by_key(
    fresh_database: Database,
) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            await world.session(auth)
            await admin.execute(_FILL.format(many=_MANY))
        tables = ("intake_payments", "payments", "users", "customers")
        before = await _read_in_passing(admin, *tables), await _read_by_index(admin, *tables)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            store = PostgresStore(pool)
            for n in range(8):
                assert (await store.user_of_email(auth, f"{n + 1}@x.test")) is not None
                assert (await store.intake_payment(auth, IntakePaymentId(f"intake_{n + 1}"))) is not None
                wanted: list[dict[str, Any]] = [
                    {},
                    {"user": "u42"},
                    {"email": "42@X.test"},
                    {"user": "usr_42", "email": "42@x.test"},
                ]
                for given in wanted:
                    assert len(await store.intake_payments(auth, IntakeFilter(**given), 3)) == 3
                assert len(await store.intake_payments(auth, IntakeFilter(status="failed"), 3)) == 1
                assert len(await store.payments(auth, 3, user="u42")) == 3
        await asyncio.sleep(0.1)
        assert await _read_in_passing(admin, *tables) == before[0]
        assert await _read_by_index(admin, *tables) - before[1] < _MANY


async def test_what_waits_for_stripe_is_found_without_reading_what_does_not(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            session = await world.session(auth)
            await admin.execute(_FILL.format(many=_MANY))
        tables = ("checkout_sessions", "invoices", "intake_payments")
        before = await _read_in_passing(admin, *tables), await _read_by_index(admin, *tables)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            for _ in range(8):
                assert [row.id for row in await PostgresStore(pool).unsettled(auth, 100)] == [session.id]
        await asyncio.sleep(0.1)
        assert await _read_in_passing(admin, *tables) - before[0] < 16 * 8  # the one session, in its one page
        assert await _read_by_index(admin, *tables) - before[1] < _MANY


async def _read_in_passing(admin: asyncpg.Connection, *tables: str) -> int:
    """Rows that were read one after the other, in tables where something else was looked for."""
    read: int = await admin.fetchval(
        "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY ($1)",
        tables or ("customers", "payments", "subscriptions"),
    )
    return read


async def _read_by_index(admin: asyncpg.Connection, *tables: str) -> int:
    """Rows that an index led to, of whatever is listed."""
    read: int = await admin.fetchval(
        "SELECT sum(idx_tup_fetch) FROM pg_stat_user_tables WHERE relname = ANY ($1)",
        tables
        or (
            "payments",
            "purchases",
            "subscriptions",
            "subscription_items",
            "inbound_events",
            "entities",
        ),
    )
    return read
