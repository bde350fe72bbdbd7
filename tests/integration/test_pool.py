"""Pools: the role is taken once, taking and giving back send nothing, unsafe databases are refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.errors import (
    DatabaseNotMigratedError,
    DatabaseRoleNotGrantedError,
    DatabaseRoleUnsafeError,
    DatabaseTooOldError,
    DatabaseUnreachableError,
)
from adapters.postgres.migration_files import SqlFiles
from adapters.postgres.pool import open_pool
from adapters.postgres.readiness import check_database, require_version
from adapters.postgres.roles import APP, PORTAL, SERVING
from tests.databases import SERVICE, Database, DatabaseServer, connected

SECRET = "hunter2"


@pytest.fixture
async def pool(fresh_database: Database) -> AsyncIterator[asyncpg.Pool]:
    async with open_pool(fresh_database.service_dsn, APP, max_size=2) as pool:
        yield pool


@pytest.mark.parametrize("role", SERVING)
async def test_a_connection_has_its_role_and_settings_from_the_start(
    fresh_database: Database, role: str
) -> None:
    async with open_pool(fresh_database.service_dsn, role, statement_seconds=4) as pool:
        assert await pool.fetchval("SELECT current_user") == role
        assert await pool.fetchval("SELECT session_user") == SERVICE
        for setting, value in {
            "search_path": "counterfoil",
            "TimeZone": "UTC",
            "statement_timeout": "4s",
            "lock_timeout": "2s",
            "application_name": role.replace("_", " "),
        }.items():
            assert await pool.fetchval("SELECT current_setting($1)", setting) == value


async def test_taking_and_giving_back_sends_nothing(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        sent: list[str] = []
        connection.add_query_logger(lambda query: sent.append(query.query))
    for number in range(3):
        async with pool.acquire() as connection:
            assert await connection.fetchval(f"SELECT {number} + 0") == number
    assert sent == ["SELECT 0 + 0", "SELECT 1 + 0", "SELECT 2 + 0"]


async def test_an_open_transaction_is_still_rolled_back_on_giving_back(
    pool: asyncpg.Pool, fresh_database: Database
) -> None:
    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report["message"]))
    async with connected(fresh_database.owner_dsn) as owner:
        await owner.execute("CREATE TABLE counterfoil.leaves (id int)")
        await owner.execute(f"GRANT SELECT, INSERT ON counterfoil.leaves TO {APP}")
    async with pool.acquire() as connection:
        await connection.execute("BEGIN; INSERT INTO leaves VALUES (1)")
    assert await pool.fetchval("SELECT count(*) FROM leaves") == 0
    assert len(reports) == 1  # and somebody hears of it


async def test_resetting_does_not_shed_the_role(pool: asyncpg.Pool) -> None:
    for statement in ("RESET ROLE", "RESET ALL", "SET SESSION AUTHORIZATION DEFAULT"):
        await pool.execute(statement)
        assert await pool.fetchval("SELECT current_user") == APP


async def test_a_new_connection_after_a_lost_one_has_the_role_too(
    pool: asyncpg.Pool, fresh_database: Database
) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        killed = await admin.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE usename = $1 AND datname = current_database()",
            SERVICE,
        )
    assert killed
    async with asyncio.timeout(10):
        while True:
            try:
                role = await pool.fetchval("SELECT current_user")
                break
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                continue
    assert role == APP


async def test_a_migrated_database_and_a_service_login_are_accepted(
    pool: asyncpg.Pool, fresh_database: Database
) -> None:
    await check_database(pool)
    async with connected(fresh_database.service_dsn) as connection:
        await check_database(connection)


async def test_a_superuser_is_refused_whatever_it_acts_as(fresh_database: Database) -> None:
    async with open_pool(fresh_database.admin_dsn, APP) as pool:
        assert await pool.fetchval("SELECT current_user") == APP
        with pytest.raises(DatabaseRoleUnsafeError, match=r"counterfoil migrate --grant-to") as refused:
            await check_database(pool)
    assert refused.value.code == "database_role_unsafe"


async def test_a_login_that_bypasses_policies_is_refused_directly_or_by_membership(
    fresh_database: Database, database_server: DatabaseServer
) -> None:
    logins = ("bypassing_login", "member_login")
    async with connected(fresh_database.admin_dsn) as admin:
        await admin.execute(
            f"CREATE ROLE bypassing_login LOGIN BYPASSRLS PASSWORD '{database_server.password}'"
        )
        await admin.execute(f"CREATE ROLE member_login LOGIN PASSWORD '{database_server.password}'")
        await admin.execute("GRANT bypassing_login TO member_login")
        try:
            for login in logins:
                async with connected(database_server.dsn(login, fresh_database.name)) as connection:
                    with pytest.raises(DatabaseRoleUnsafeError, match=f"^{login} is a superuser or bypasses"):
                        await check_database(connection)
        finally:
            for login in reversed(logins):
                await admin.execute(f"DROP ROLE {login}")


async def test_a_login_without_the_role_is_told_how_to_get_it(
    fresh_database: Database, database_server: DatabaseServer
) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        await admin.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{database_server.password}'")
        try:
            with pytest.raises(DatabaseRoleNotGrantedError, match=r"--grant-to stranger") as refused:
                async with open_pool(database_server.dsn("stranger", fresh_database.name), PORTAL):
                    pass
        finally:
            await admin.execute("DROP ROLE stranger")
    assert refused.value.code == "database_role_not_granted"
    assert database_server.password not in str(refused.value)


async def test_a_database_not_migrated_is_refused(
    blank_database: Database, fresh_database: Database, tmp_path: Path
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "9998_one.sql").write_text("SELECT 1;")
    (tmp_path / "migrations" / "9999_two.sql").write_text("SELECT 1;")
    newer = SqlFiles.read(tmp_path / "migrations", tmp_path / "sql")
    for database in (blank_database, fresh_database):
        async with open_pool(database.service_dsn, APP) as pool:
            with pytest.raises(
                DatabaseNotMigratedError, match=r"9998_one\.sql and 1 more: run .counterfoil migr"
            ):
                await check_database(pool, newer)


async def test_a_server_without_our_roles_is_not_migrated(blank_database: Database) -> None:
    with pytest.raises(DatabaseNotMigratedError, match=r"no role counterfoil_unheard_of yet: run") as refused:
        async with open_pool(blank_database.service_dsn, "counterfoil_unheard_of"):
            pass
    assert refused.value.code == "database_not_migrated"


@pytest.mark.parametrize("version", [90624, 140012, 149999])
def test_an_old_server_is_refused(version: int) -> None:
    with pytest.raises(
        DatabaseTooOldError, match=rf"^PostgreSQL {version // 10000} is too old: use 15"
    ) as refused:
        require_version(version)
    assert refused.value.code == "database_too_old"


@pytest.mark.parametrize("version", [150000, 180006])
def test_a_newer_server_is_accepted(version: int) -> None:
    require_version(version)


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        (
            f"postgresql://u:{SECRET}@127.0.0.1:1/db",
            r"^no connection to 127\.0\.0\.1:1 \(.*: check DATABASE_URL",
        ),
        (f"postgresql://u:{SECRET}@/db?host=/nowhere", r"^no connection to the database \("),
        (f"postgresql://u:{SECRET}/x@host/db", "cannot be read: expected postgresql://"),
        (f"u:{SECRET}@127.0.0.1/db", "cannot be read: expected postgresql://"),
        (f"postgresql://u@127.0.0.1:{SECRET}/db", "cannot be read: expected postgresql://"),
    ],
)
async def test_an_unreachable_server_is_named_without_its_password(dsn: str, message: str) -> None:
    with pytest.raises(DatabaseUnreachableError, match=message) as refused:
        async with open_pool(dsn, APP):
            pass
    assert refused.value.code == "database_unreachable"
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value.__cause__)


async def test_a_wrong_database_is_unreachable(database_server: DatabaseServer) -> None:
    with pytest.raises(DatabaseUnreachableError, match=r'database "nowhere" does not exist'):
        async with open_pool(database_server.dsn(SERVICE, "nowhere"), APP):
            pass
