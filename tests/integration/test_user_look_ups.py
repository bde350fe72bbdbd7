"""Users are found by key, however many there are of them."""

import asyncio

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.ports import CustomerFilter, UserFilter
from domain.ids import UserId
from domain.sign_up import NewUser
from domain.user_changes import UserChanges
from tests.contracts.worlds import World
from tests.databases import Database, connected
from tests.integration.test_look_ups import _read_by_index, _read_in_passing

_MANY = 5000
_FILL = f"""
SET session_replication_role = replica;  -- no foreign keys: only their number matters
INSERT INTO counterfoil.users
    (organization_id, livemode, id, external_id, email, email_key, email_verified_at, stripe_customer_id,
        created_at, version)
    SELECT u.organization_id, u.livemode, 'usr_' || n, 'x' || n, 'u@' || n, 'u@' || n,
        CASE n % 2 WHEN 0 THEN now() END, CASE WHEN n < {_MANY} THEN 'cus_S' || n END, now(), 1
    FROM counterfoil.users u, generate_series(1, {_MANY}) n;
INSERT INTO counterfoil.customers
    (organization_id, livemode, id, external_id, pricing_model_id, user_id, metadata, created_at, version)
    SELECT c.organization_id, c.livemode, 'cus_' || n, 'x' || n, c.pricing_model_id, 'usr_' || n % 1000,
        '{{}}', now(), 1
    FROM counterfoil.customers c, generate_series(1, {_MANY}) n;
ANALYZE;
"""


async def test_no_user_is_looked_for_among_all(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            world = World(PostgresStore(pool), ids=TypeIds())
            auth = await world.organization()
            await world.customer(auth)
            await admin.execute(_FILL)
        tables = ("users", "customers")
        before = await _read_in_passing(admin, *tables), await _read_by_index(admin)
        async with open_pool(fresh_database.service_dsn, APP, max_size=1) as pool:
            store = PostgresStore(pool)
            for n in range(8):  # after five PostgreSQL may keep one plan for all values
                for reference in (f"x{n + 1}", f"usr_{n + 1}"):
                    assert await store.user(auth, reference) is not None
                    update = UserChanges(external_id="new", email="new@example.test")
                    assert await store.user_update_context(auth, reference, update) is not None
                    page = await store.customer_page(auth, CustomerFilter(user=reference), 3)
                    assert len(page) == 3
                found = await store.sign_up_context(auth, NewUser(email=f"u@{n + 1}", external_id="new"))
                assert (found.proven is None) != (found.claimed is None)
                for wanted in (
                    UserFilter(email=f"u@{n + 1}"),
                    UserFilter(stripe_customer_id=f"cus_S{n + 1}"),
                ):
                    assert len(await store.user_page(auth, wanted, 3)) == 1
                assert len(await store.user_page(auth, UserFilter(), 3, UserId("usr_4000"))) == 3
                unknown = await store.user_page(auth, UserFilter(without_stripe_customer=True), 100)
                assert len(unknown) == 2  # and the owner
                assert len(await store.users_without_stripe_customer(auth, 100)) == 2
        await asyncio.sleep(0.1)
        assert await _read_in_passing(admin, *tables) == before[0]
        assert await _read_by_index(admin) - before[1] < _MANY
