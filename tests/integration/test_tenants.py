"""Row-level security and tenant-first keys, read from the database's own catalog, for every table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import msgspec
import pytest
from asyncpg.pool import PoolConnectionProxy
from msgspec.structs import replace

from adapters.postgres.commits import TABLES
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.ports import Sent
from application.usage.track_usage import NewTrack
from domain.auth import Authenticated
from domain.entity import NewEntity
from domain.intake_payment import NewIntakePayment
from domain.intent import Attempt
from domain.portal import Seller
from domain.webhook_endpoint import NewWebhookEndpoint
from tests.contracts.test_reply_contract import named
from tests.contracts.worlds import CATALOG, REQUEST, World, fact_of, set_up
from tests.databases import Database, connected

# The closed list of what may be found before the tenant is known, the migrations' own records, and what
# belongs to this deployment as a whole: its key, and when its workers make their rounds.
ROUTING = {
    "route_organizations",
    "route_api_keys",
    "route_checkout_sessions",
    "route_invoices",
    "route_intake_payments",
}
RECORDS = {"schema_migrations", "schema_functions", "signing_key", "rounds"}
AT_THE_DOOR = {"access_requests", "portal_sessions", "portal_links"}
ACROSS_TENANTS = {
    *("tasks", "inbound_events", "events", "event_counters", "kept_replies"),
    *("deliveries", "delivery_attempts", "endpoint_failures"),
    *AT_THE_DOOR,
}
SEEN_ACROSS_TENANTS = {*ACROSS_TENANTS, "webhook_endpoints"}
"""By the worker: what it also writes there, and where it sends events."""


async def tables(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'counterfoil'::regnamespace "
        "AND relkind IN ('r', 'p')"
    )
    return {row["relname"] for row in rows}


@asynccontextmanager
async def two_tenants(database: Database) -> AsyncIterator[tuple[World, Authenticated, Authenticated]]:
    """Two organizations, each with something in every table, in both modes."""
    async with (
        open_pool(database.service_dsn, APP) as app,
        open_pool(database.service_dsn, WORKER) as worker,
    ):
        world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
        acme, other = await world.organization(), await world.organization("other")
        for auth in (acme, other):
            live = replace(auth, livemode=True)
            await world.apply_catalog(CATALOG, live, REQUEST)
            for mode in (auth, live):
                await world.customer(mode)
                await world.create_entity("ada", NewEntity(entity_id="seat-1"), mode, REQUEST)
                session = await world.session(mode)
                await world.report(fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded"))
                subscribing = await world.session(mode, price="pro")
                await world.report(set_up(subscribing), "evt_2")
                asked = NewIntakePayment(
                    email="bob@example.test", amount=2500, currency="usd", description="Consultation"
                )
                await world.ask_for_payment(asked, mode, REQUEST)
                track = NewTrack(customer="ada", feature="seats")
                await world.track_usage(track, mode, REQUEST)
                await sign_in_by_link(world, mode)
                await told_and_refused(world, mode)
                work = world.work(mode, named())
                work.answer("kept")
                await world.store.commit(work)
        yield world, acme, other


async def told_and_refused(world: World, auth: Authenticated) -> None:
    """An endpoint has been told of something, and has not taken it."""
    await world.create_webhook_endpoint(NewWebhookEndpoint(url="https://example.com"), auth, REQUEST)
    await world.events(auth)
    world.sender.answers = lambda _, __: Sent(500, "unexpected_status", 1, "no")
    await world.deliveries.begin_due()
    await world.deliveries.finish()


async def sign_in_by_link(world: World, auth: Authenticated) -> None:
    """The billing portal's door has seen somebody."""
    seller = Seller(auth.organization_id, "acme")
    await world.ask_for_access("ada@example.com", "home", seller, REQUEST, livemode=auth.livemode)
    link = await world.make_portal_link("ada", auth)
    await world.use_portal_link(link.secret, seller, livemode=auth.livemode)


async def test_every_table_is_a_tenants_or_on_the_closed_list(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as connection:
        secured = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'counterfoil'::regnamespace AND relkind = 'r' "
            "AND relrowsecurity AND relforcerowsecurity"
        )
        assert {row["relname"] for row in secured} == await tables(connection) - ROUTING - RECORDS


async def test_every_key_of_a_tenant_table_starts_with_the_organization(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as connection:
        rows = await connection.fetch(
            "SELECT c.relname AS name, x.relname AS key, a.attname AS first FROM pg_index i "
            "JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
            "WHERE c.relnamespace = 'counterfoil'::regnamespace AND (i.indisunique OR i.indisexclusion)"
        )
        keys = {
            (row["name"], row["key"]): row["first"] for row in rows if row["name"] not in ROUTING | RECORDS
        }
        assert len(keys) > 25
        assert {key: first for key, first in keys.items() if first != "organization_id"} == {}


async def test_every_field_of_every_state_is_a_column_and_the_other_way_round(
    fresh_database: Database,
) -> None:
    async with connected(fresh_database.admin_dsn) as connection:
        rows = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'counterfoil'"
        )
        columns: dict[str, set[str]] = {}
        for row in rows:
            columns.setdefault(row["table_name"], set()).add(row["column_name"])
        for state, table in TABLES.items():
            assert columns[table] == {field.name for field in msgspec.structs.fields(state)}, table


async def test_every_reference_stays_within_its_organization_and_mode(fresh_database: Database) -> None:
    async with connected(fresh_database.admin_dsn) as connection:
        rows = await connection.fetch(
            "SELECT c.conname AS name, c.conrelid::regclass::text AS source, "
            "  c.confrelid::regclass::text AS target, "
            "  array(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, place) "
            "    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY place) AS given, "
            "  array(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (n, place) "
            "    JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n "
            "    ORDER BY place) AS wanted "
            "FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'counterfoil'::regnamespace"
        )
        references = [row for row in rows if row["source"].removeprefix("counterfoil.") not in ROUTING]
        assert len(references) > 20
        for row in references:
            to_organization = row["target"].removeprefix("counterfoil.") == "organizations"
            tenant = ["organization_id"] if to_organization else ["organization_id", "livemode"]
            assert row["given"][: len(tenant)] == row["wanted"][: len(tenant)] == tenant, row["name"]


async def test_no_row_of_another_organization_or_mode_is_there_in_any_table(fresh_database: Database) -> None:
    async with two_tenants(fresh_database) as (_, acme, _other):
        async with connected(fresh_database.admin_dsn) as admin:
            names = await tables(admin) - ROUTING - RECORDS
            for name in names:
                assert await admin.fetchval(f"SELECT count(*) FROM counterfoil.{name}") >= 2, (
                    f"{name} is empty"
                )
        for role, hidden in ((APP, names), (WORKER, names - SEEN_ACROSS_TENANTS)):
            async with open_pool(fresh_database.service_dsn, role) as pool, pool.acquire() as connection:
                for name in sorted(hidden):
                    assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0, (role, name)
                    for livemode in (False, True):
                        async with connection.transaction():
                            await connection.execute("SELECT enter($1, $2)", acme.organization_id, livemode)
                            seen = await connection.fetch(f"SELECT DISTINCT {_tenant(name)} FROM {name}")
                            assert [tuple(row) for row in seen] == [(acme.organization_id, livemode)], name


def _tenant(table: str) -> str:
    """An organization is one for both modes."""
    mode = "current_setting('app.livemode')::boolean" if table == "organizations" else "livemode"
    return f"organization_id::text, {mode}"


REFUSED = r"row-level security|permission"


async def test_no_row_can_be_written_for_another_organization_or_mode(fresh_database: Database) -> None:
    async with two_tenants(fresh_database) as (_, acme, other):
        for stranger in (other, replace(acme, livemode=True)):
            rows = await _one_row_of_each_table(fresh_database, stranger)
            if stranger.organization_id == acme.organization_id:
                del rows["organizations"]  # it is one for both modes
            assert len(rows) > 17
            for role in (APP, WORKER):
                async with open_pool(fresh_database.service_dsn, role) as pool, pool.acquire() as connection:
                    for table, row in rows.items():
                        if role == APP or table not in ACROSS_TENANTS:
                            await _nothing_is_written(connection, acme, stranger, table, row)


async def _nothing_is_written(
    connection: PoolConnectionProxy, acting: Authenticated, stranger: Authenticated, table: str, row: str
) -> None:
    """Neither is the stranger's row made or changed, nor one of those who act given to the stranger."""
    mine = [acting.organization_id, acting.livemode]
    theirs = [stranger.organization_id, stranger.livemode]
    copied = f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, $1)"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=REFUSED):
        async with connection.transaction():
            await connection.execute("SELECT enter($1, $2)", *mine)
            await connection.execute(copied, row)
    mode = "" if table == "organizations" else ", livemode = $2"
    given_away = f"UPDATE {table} SET organization_id = $1{mode}"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=REFUSED):
        async with connection.transaction():
            await connection.execute("SELECT enter($1, $2)", *mine)
            await connection.execute(given_away, *(theirs if mode else theirs[:1]))
    of_theirs = "organization_id = $1" + (" AND livemode = $2" if mode else "")
    unchanged = f"UPDATE {table} SET organization_id = organization_id WHERE {of_theirs}"
    with suppress(asyncpg.InsufficientPrivilegeError):  # some tables nobody may change
        async with connection.transaction():
            await connection.execute("SELECT enter($1, $2)", *mine)
            assert await connection.execute(unchanged, *(theirs if mode else theirs[:1])) == "UPDATE 0", table


async def _one_row_of_each_table(database: Database, auth: Authenticated) -> dict[str, str]:
    async with connected(database.admin_dsn) as admin:
        found = {
            name: await admin.fetchval(
                f"SELECT to_jsonb(t) FROM counterfoil.{name} t WHERE organization_id = $1"
                + ("" if name == "organizations" else f" AND livemode = {auth.livemode}")
                + " LIMIT 1",
                auth.organization_id,
            )
            for name in await tables(admin) - ROUTING - RECORDS
        }
        assert None not in found.values(), f"not every table has a row of {auth}"
        return found


async def test_the_worker_sees_across_tenants_only_what_it_works_on(fresh_database: Database) -> None:
    async with two_tenants(fresh_database) as (_, _acme, _other):
        async with connected(fresh_database.admin_dsn) as admin:
            names = await tables(admin) - ROUTING - RECORDS
        async with open_pool(fresh_database.service_dsn, WORKER) as pool, pool.acquire() as connection:
            seen = {n for n in names if await connection.fetchval(f"SELECT count(*) FROM {n}")}
            assert seen == SEEN_ACROSS_TENANTS


async def test_events_are_immutable_and_nothing_is_deleted(fresh_database: Database) -> None:
    async with two_tenants(fresh_database) as (_, acme, _other):
        for role in (APP, WORKER):
            async with open_pool(fresh_database.service_dsn, role) as pool, pool.acquire() as connection:
                for statement in (
                    "UPDATE events SET type = 'x'",
                    "UPDATE events SET data = '{}'",
                    "DELETE FROM events",
                    "DELETE FROM customers",
                    "DELETE FROM inbound_events",
                    "SELECT * FROM route_api_keys",
                    "SELECT * FROM route_checkout_sessions",
                    "INSERT INTO route_organizations VALUES ('x', 'org_x')",
                ):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        async with connection.transaction():
                            await connection.execute("SELECT enter($1, false)", acme.organization_id)
                            await connection.execute(statement)
