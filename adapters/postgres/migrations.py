"""Brings a database to the schema of this version: roles, schema, migrations in order, then functions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from adapters.postgres.errors import MigrationError
from adapters.postgres.migration_files import SqlFile, SqlFiles
from adapters.postgres.roles import OWNER, SERVING, ensure_roles

__all__ = ["MigrationReport", "SqlFiles", "migrate", "pending"]

SCHEMA = "counterfoil"

_LOCK = 0x636F756E746572  # "counter": one advisory lock per database
_RECORDS = f"""
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    int PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS schema_functions (
    name        text PRIMARY KEY,
    sha256      text NOT NULL,
    replaced_at timestamptz NOT NULL DEFAULT now()
);
GRANT USAGE ON SCHEMA {SCHEMA} TO {", ".join(SERVING)};
GRANT SELECT ON schema_migrations, schema_functions TO {", ".join(SERVING)};
"""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What one run changed."""

    applied: tuple[str, ...]
    """Names of the migrations that were applied, in order."""
    functions: tuple[str, ...]
    """Names of the function files that were replaced."""


async def migrate(connection: asyncpg.Connection, sql: SqlFiles | None = None) -> MigrationReport:
    """Bring the database up to date, as a login that may create roles and schemas.

    The connection must be one of its own, not a pool's: it holds a session lock and acts as the owner
    meanwhile. Two runs at once wait for each other. Each migration is stored whole or not at all.
    """
    sql = sql or SqlFiles.shipped()
    async with _alone(connection):
        await ensure_roles(connection)
        await _ensure_schema(connection)
        async with _as_owner(connection):
            await connection.execute(_RECORDS)
            to_apply = _unapplied(sql.migrations, await _recorded(connection))
            for file in to_apply:
                await _apply(connection, file)
            await _replace_functions(connection, sql.functions)
    return MigrationReport(tuple(file.name for file in to_apply), tuple(file.name for file in sql.functions))


async def pending(
    connection: asyncpg.Connection | PoolConnectionProxy, sql: SqlFiles | None = None
) -> list[str]:
    """The files that `migrate` would still have to apply or replace; empty when the database is up to date.

    Any of the roles may ask. A database that is ahead of this version has nothing pending: while a newer
    version is rolled out, the older one goes on.
    """
    sql = sql or SqlFiles.shipped()
    known = await connection.fetchval(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 "
        "AND c.relname IN ('schema_migrations', 'schema_functions') AND has_schema_privilege(n.oid, 'USAGE')",
        SCHEMA,
    )
    if known != 2:
        return [file.name for file in (*sql.migrations, *sql.functions)]
    migrations = await connection.fetch("SELECT version FROM counterfoil.schema_migrations")
    functions = await connection.fetch("SELECT name, sha256 FROM counterfoil.schema_functions")
    applied = {row["version"] for row in migrations}
    replaced = {row["name"]: row["sha256"] for row in functions}
    newest = max((file.version for file in sql.migrations), default=0)
    ahead = any(version > newest for version in applied)
    missing = [file.name for file in sql.migrations if file.version not in applied]
    stale = [file.name for file in sql.functions if replaced.get(file.name) != file.sha256]
    return missing if ahead else missing + stale


@asynccontextmanager
async def _alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


@asynccontextmanager
async def _as_owner(connection: asyncpg.Connection) -> AsyncIterator[None]:
    await connection.execute(f"SET ROLE {OWNER}; SET search_path = {SCHEMA}")
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("RESET ROLE; RESET search_path")


async def _ensure_schema(connection: asyncpg.Connection) -> None:
    owner = await connection.fetchval(
        "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = $1", SCHEMA
    )
    if owner is None:
        try:
            await connection.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {OWNER}")
        except asyncpg.InsufficientPrivilegeError as error:
            login, database = await connection.fetchrow("SELECT current_user, current_database()") or ("", "")
            raise MigrationError(
                f"{login} may not create schemas here: let an administrator run "
                f'GRANT CREATE ON DATABASE "{database}" TO "{login}"'
            ) from error
    elif owner != OWNER:
        raise MigrationError(
            f"the schema {SCHEMA} belongs to {owner}: choose another database, or let an administrator run "
            f"ALTER SCHEMA {SCHEMA} OWNER TO {OWNER}"
        )


async def _recorded(connection: asyncpg.Connection) -> dict[int, tuple[str, str]]:
    rows = await connection.fetch("SELECT version, name, sha256 FROM schema_migrations")
    return {row["version"]: (row["name"], row["sha256"]) for row in rows}


def _unapplied(migrations: tuple[SqlFile, ...], recorded: dict[int, tuple[str, str]]) -> list[SqlFile]:
    """What is still to be applied, once everything that was applied is known to be what we have."""
    shipped = {file.version: file for file in migrations}
    for version, (name, sha256) in sorted(recorded.items()):
        if version not in shipped:
            raise MigrationError(
                f"the database has {name}, which this version does not know: use a newer Counterfoil"
            )
        if shipped[version].sha256 != sha256:
            raise MigrationError(
                f"{shipped[version].name} has changed since it was applied: restore it, write a new one"
            )
    newest = max(recorded, default=0)
    unapplied = [file for file in migrations if file.version not in recorded]
    for file in unapplied:
        if file.version < newest:
            raise MigrationError(
                f"{file.name} comes before {recorded[newest][0]}, already applied: renumber it"
            )
    return unapplied


async def _apply(connection: asyncpg.Connection, file: SqlFile) -> None:
    async with connection.transaction():
        await _run(connection, file)
        await connection.execute(
            "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
            file.version,
            file.name,
            file.sha256,
        )


async def _replace_functions(connection: asyncpg.Connection, functions: tuple[SqlFile, ...]) -> None:
    async with connection.transaction():
        await connection.execute("DELETE FROM schema_functions")
        for file in functions:
            await _run(connection, file)
            await connection.execute(
                "INSERT INTO schema_functions (name, sha256) VALUES ($1, $2)", file.name, file.sha256
            )


async def _run(connection: asyncpg.Connection, file: SqlFile) -> None:
    try:
        await connection.execute(file.text)
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{file.name} failed and nothing of it was stored: {error}") from error
    if not connection.is_in_transaction():
        raise MigrationError(f"{file.name} ends its own transaction: take COMMIT and ROLLBACK out of it")
