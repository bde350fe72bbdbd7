"""Migrating: whole or not at all, once, by one at a time, and never over what somebody has changed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.errors import MigrationError, RoleError
from adapters.postgres.migration_files import SqlFiles
from adapters.postgres.migrations import migrate, pending
from adapters.postgres.roles import (
    APP,
    OWNER,
    PORTAL,
    WORKER,
    create_service_login,
    ensure_service_login,
    grant_service_login,
    quoted,
)
from tests.databases import SERVICE, Database, DatabaseServer, connected

FIRST = "CREATE TABLE coins (id int PRIMARY KEY); GRANT SELECT, INSERT ON coins TO counterfoil_app;"
SECOND = "ALTER TABLE coins ADD COLUMN name text NOT NULL DEFAULT '';"
FUNCTION = "CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT {}';"


class SqlFolder:
    """A folder of SQL files that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.migrations = folder / "migrations"
        self.functions = folder / "sql"
        self.migrations.mkdir()
        self.functions.mkdir()

    def migration(self, name: str, text: str) -> None:
        (self.migrations / name).write_text(text)

    def function(self, name: str, text: str) -> None:
        (self.functions / name).write_text(text)

    @property
    def files(self) -> SqlFiles:
        return SqlFiles.read(self.migrations, self.functions)


@pytest.fixture
def folder(tmp_path: Path) -> SqlFolder:
    folder = SqlFolder(tmp_path)
    folder.migration("0001_coins.sql", FIRST)
    folder.function("answer.sql", FUNCTION.format(41))
    return folder


@pytest.fixture
async def admin(blank_database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with connected(blank_database.admin_dsn) as connection:
        yield connection


async def test_applies_once_and_replaces_functions_each_time(
    admin: asyncpg.Connection, folder: SqlFolder
) -> None:
    assert await pending(admin, folder.files) == ["0001_coins.sql", "answer.sql"]
    first = await migrate(admin, folder.files)
    assert (first.applied, first.functions) == (("0001_coins.sql",), ("answer.sql",))
    assert await pending(admin, folder.files) == []

    folder.migration("0002_names.sql", SECOND)
    folder.function("answer.sql", FUNCTION.format(42))
    assert await pending(admin, folder.files) == ["0002_names.sql", "answer.sql"]
    second = await migrate(admin, folder.files)
    assert second.applied == ("0002_names.sql",)
    assert await admin.fetchval("SELECT counterfoil.answer()") == 42
    assert (await migrate(admin, folder.files)).applied == ()


async def test_everything_belongs_to_the_owner_and_the_connection_is_as_before(
    admin: asyncpg.Connection, folder: SqlFolder
) -> None:
    path = await admin.fetchval("SHOW search_path")
    await migrate(admin, folder.files)
    owners = await admin.fetch(
        "SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class "
        "WHERE relnamespace = 'counterfoil'::regnamespace"
    )
    assert [row["owner"] for row in owners] == [OWNER]
    assert await admin.fetchval("SELECT current_user") == ADMIN
    assert await admin.fetchval("SHOW search_path") == path


async def test_a_changed_migration_is_refused_by_name(admin: asyncpg.Connection, folder: SqlFolder) -> None:
    await migrate(admin, folder.files)
    folder.migration("0001_coins.sql", FIRST + " -- harmless?")
    with pytest.raises(MigrationError, match=r"0001_coins\.sql has changed since it was applied"):
        await migrate(admin, folder.files)


async def test_line_ends_are_no_change(admin: asyncpg.Connection, folder: SqlFolder) -> None:
    folder.migration("0001_coins.sql", "-- coins\n" + FIRST)
    await migrate(admin, folder.files)
    (folder.migrations / "0001_coins.sql").write_bytes(b"-- coins\r\n" + FIRST.encode())
    assert (await migrate(admin, folder.files)).applied == ()


async def test_a_newer_database_is_refused(admin: asyncpg.Connection, folder: SqlFolder) -> None:
    older = folder.files
    folder.migration("0002_names.sql", SECOND)
    await migrate(admin, folder.files)
    with pytest.raises(MigrationError, match=r"0002_names\.sql.*use a newer Counterfoil"):
        await migrate(admin, older)
    assert await pending(admin, older) == []  # but what already runs may go on


async def test_a_late_number_is_refused(admin: asyncpg.Connection, folder: SqlFolder) -> None:
    folder.migration("0003_names.sql", SECOND)
    await migrate(admin, folder.files)
    folder.migration("0002_late.sql", "SELECT 1;")
    with pytest.raises(MigrationError, match=r"0002_late\.sql comes before 0003_names\.sql"):
        await migrate(admin, folder.files)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1_coins.sql"], r"1_coins\.sql is not named like"),
        (["0001_a.sql", "0001_b.sql"], r"0001_a\.sql and 0001_b\.sql have one number"),
    ],
)
def test_bad_names_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    folder = SqlFolder(tmp_path)
    for name in names:
        folder.migration(name, "SELECT 1;")
    with pytest.raises(MigrationError, match=message):
        _ = folder.files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SECOND + "SELECT 1/0;", "0002_half.sql failed and nothing of it was stored: division by zero"),
        ("SELECT 1; COMMIT;", "0002_half.sql ends its own transaction"),
    ],
)
async def test_a_failed_migration_leaves_nothing_and_can_be_mended(
    admin: asyncpg.Connection, folder: SqlFolder, text: str, message: str
) -> None:
    folder.migration("0002_half.sql", text)
    with pytest.raises(MigrationError, match=message):
        await migrate(admin, folder.files)
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'coins'"
    assert await admin.fetchval(columns) == 1
    assert await admin.fetchval("SELECT max(version) FROM counterfoil.schema_migrations") == 1
    folder.migration("0002_half.sql", SECOND)
    assert (await migrate(admin, folder.files)).applied == ("0002_half.sql",)


async def test_two_at_once_apply_each_file_once(blank_database: Database, folder: SqlFolder) -> None:
    # A sleep inside the migration holds the first run open while the second one arrives.
    folder.migration("0002_slow.sql", "SELECT pg_sleep(0.2);" + SECOND)
    async with connected(blank_database.admin_dsn) as one, connected(blank_database.admin_dsn) as two:
        reports = await asyncio.gather(migrate(one, folder.files), migrate(two, folder.files))
    assert sorted(len(report.applied) for report in reports) == [0, 2]


async def test_a_role_that_another_database_is_just_making_is_waited_for(
    tmp_path: Path, folder: SqlFolder
) -> None:
    with EmbeddedServer(tmp_path / "home", fast_and_unsafe=True) as server:
        async with (
            connected(server.dsn(ADMIN)) as here,
            connected(server.dsn(ADMIN, "postgres")) as there,
            connected(server.dsn(ADMIN, "postgres")) as watcher,
            asyncio.timeout(30),
        ):
            making = there.transaction()
            await making.start()
            await there.execute(f"CREATE ROLE {OWNER}")
            migrating = asyncio.create_task(migrate(here, folder.files))
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while not await watcher.fetchval(waiting):
                assert not migrating.done()
            await making.commit()
            assert (await migrating).applied == ("0001_coins.sql",)


async def test_a_login_that_may_create_roles_but_is_no_superuser_can_migrate(
    database_server: DatabaseServer, admin: asyncpg.Connection, blank_database: Database, folder: SqlFolder
) -> None:
    password = database_server.password
    await admin.execute(f"CREATE ROLE operator LOGIN CREATEROLE PASSWORD '{password}'")
    await admin.execute(f"GRANT CREATE ON DATABASE {blank_database.name} TO operator")
    owner = [OWNER, "operator"]
    # As if the operator had made the groups: since PostgreSQL 16 that is the right to grant them.
    if admin.get_server_version() >= (16,):
        for role in (OWNER, APP, WORKER, PORTAL):
            await admin.execute(f"GRANT {role} TO operator WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    try:
        async with connected(database_server.dsn("operator", blank_database.name)) as connection:
            assert (await migrate(connection, folder.files)).applied == ("0001_coins.sql",)
            await grant_service_login(connection, SERVICE)
            assert await connection.fetchval("SELECT pg_has_role($2, $1, 'MEMBER')", *owner)
    finally:
        await admin.execute("DROP OWNED BY operator CASCADE")
        await admin.execute("DROP ROLE operator")


async def test_who_may_not_is_told_what_to_ask_for(
    database_server: DatabaseServer, blank_database: Database, folder: SqlFolder
) -> None:
    async with connected(database_server.dsn(SERVICE, blank_database.name)) as connection:
        with pytest.raises(
            RoleError, match=f"{SERVICE} may not act as {OWNER}: let an administrator run GRANT"
        ):
            await migrate(connection, folder.files)
        with pytest.raises(RoleError, match="there is no login nobody_here"):
            await grant_service_login(connection, "nobody_here")
        with pytest.raises(RoleError, match=f"{ADMIN} is a superuser or bypasses row-level security"):
            await grant_service_login(connection, ADMIN)


async def test_a_login_is_made_with_its_password_and_an_administrator_is_left_alone(
    admin: asyncpg.Connection, database_server: DatabaseServer, blank_database: Database, folder: SqlFolder
) -> None:
    await migrate(admin, folder.files)
    login, secret = "made_for'it", 'it\'s \\ "secret"'
    try:
        for password in ("first", secret):
            await ensure_service_login(admin, login, password)
        kept = await admin.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", login)
        assert kept.startswith("SCRAM-SHA-256$")
        assert await admin.fetchval("SELECT pg_has_role($1, $2, 'MEMBER')", login, APP)
    finally:
        await admin.execute(f"DROP ROLE {quoted(login)}")
    known = await admin.fetchrow("SELECT rolsuper, rolpassword FROM pg_authid WHERE rolname = $1", ADMIN)
    with pytest.raises(RoleError, match="must not serve"):
        await ensure_service_login(admin, ADMIN, "other")
    assert known == await admin.fetchrow(
        "SELECT rolsuper, rolpassword FROM pg_authid WHERE rolname = $1", ADMIN
    )


async def test_a_service_login_can_serve_and_nothing_more(
    admin: asyncpg.Connection, database_server: DatabaseServer, blank_database: Database, folder: SqlFolder
) -> None:
    await migrate(admin, folder.files)
    await admin.execute(f"ALTER ROLE {SERVICE} CREATEROLE BYPASSRLS")  # whatever somebody did to it
    await create_service_login(admin, SERVICE)
    async with connected(database_server.dsn(SERVICE, blank_database.name)) as connection:
        facts = await connection.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles "
            "WHERE rolname = session_user"
        )
        assert facts is not None
        assert not any(facts.values())
        for role in (APP, WORKER, PORTAL):
            await connection.execute(f"SET ROLE {role}")
        for role in (OWNER, ADMIN):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SET ROLE {role}")
        await connection.execute(f"SET ROLE {APP}")
        assert await connection.fetchval("SELECT count(*) FROM counterfoil.coins") == 0
        assert await pending(connection, folder.files) == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DROP TABLE counterfoil.coins")
