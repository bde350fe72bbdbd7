"""What must hold of a database before anything is served from it."""

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from adapters.postgres.errors import (
    DatabaseNotMigratedError,
    DatabaseRoleUnsafeError,
    DatabaseTooOldError,
)
from adapters.postgres.migrations import SqlFiles, pending

OLDEST_VERSION = 15
"""The oldest major version of PostgreSQL that the schema works with."""

# Also a role that the login could change into counts, not only what it is.
_UNSAFE = """
SELECT session_user AS login, current_user AS role, EXISTS (
    SELECT FROM pg_roles
    WHERE (rolsuper OR rolbypassrls)
      AND (pg_has_role(session_user, oid, 'MEMBER') OR pg_has_role(current_user, oid, 'MEMBER'))
) AS unsafe
"""


async def check_database(
    database: asyncpg.Pool | asyncpg.Connection | PoolConnectionProxy, sql: SqlFiles | None = None
) -> None:
    """Refuse a server too old, a role that row-level security would not hold, a schema not migrated.

    An unreachable one is refused by the pool itself, when it is opened. To be called at every start.
    """
    if isinstance(database, asyncpg.Pool):
        async with database.acquire() as connection:
            await check_database(connection, sql)
        return
    require_version(int(await database.fetchval("SHOW server_version_num")))
    await _require_safe_role(database)
    missing = await pending(database, sql)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DatabaseNotMigratedError(f"the database lacks {missing[0]}{more}: run `counterfoil migrate`")


def require_version(version: int) -> None:
    """Refuse a `server_version_num` (150004 is 15.4) below the oldest one."""
    if version < OLDEST_VERSION * 10_000:
        raise DatabaseTooOldError(
            f"PostgreSQL {version // 10_000} is too old: use {OLDEST_VERSION} or newer, "
            "or leave DATABASE_URL empty for the embedded one"
        )


async def _require_safe_role(connection: asyncpg.Connection | PoolConnectionProxy) -> None:
    row = await connection.fetchrow(_UNSAFE)
    if row is None or row["unsafe"]:
        login = row["login"] if row else "this login"
        raise DatabaseRoleUnsafeError(
            f"{login} is a superuser or bypasses row-level security, so one tenant could see another: make a "
            "login for the service (CREATE ROLE counterfoil_service LOGIN PASSWORD '…'), run "
            "`counterfoil migrate --grant-to counterfoil_service`, and use it in DATABASE_URL"
        )
