"""Connection pools, one per role. A connection takes its role and settings when it is made, and keeps them:
nothing is set or reset when it is taken from the pool or given back, which would cost a round trip each."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from adapters.postgres.errors import (
    DatabaseNotMigratedError,
    DatabaseRoleNotGrantedError,
    DatabaseSetupError,
    DatabaseUnreachableError,
)
from adapters.postgres.migrations import SCHEMA
from adapters.postgres.roles import PORTAL

_LOOKING = {"default_transaction_read_only": "on", "default_transaction_isolation": "repeatable read"}
"""Of a role that writes nothing: each statement sees the books as of one moment, also where a function reads
them several times."""


def open_pool(
    dsn: str,
    role: str,
    *,
    min_size: int = 1,
    max_size: int = 6,
    statement_seconds: float = 10.0,
    connect_seconds: float = 10.0,
) -> asyncpg.Pool:
    """A pool whose connections act as `role`; not yet open: that is what `async with` is for.

    Must be called while the event loop runs. A statement is given up after `statement_seconds`, and in half
    that time if it waits for a lock. Whoever uses a connection must not set session state on it, listen, or
    take session locks. A connection that cannot be made raises a `DatabaseSetupError`, at any time.
    """
    statement = round(statement_seconds * 1000)
    return asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        connect=_connect,
        reset=_keep_as_it_is,
        loop=asyncio.get_running_loop(),
        max_queries=1_000_000,
        max_cached_statement_lifetime=0,  # seconds; 0 is for ever: the statements are few and always the same
        timeout=connect_seconds,
        command_timeout=statement_seconds + 5,  # for a server that has gone silent
        server_settings={
            # As part of the start-up message the role costs no round trip and outlives RESET ALL.
            "role": role,
            "application_name": role.replace("_", " "),
            "search_path": SCHEMA,
            "timezone": "UTC",
            "statement_timeout": f"{statement}ms",
            "lock_timeout": f"{statement // 2}ms",
            "idle_in_transaction_session_timeout": f"{statement}ms",
            "jit": "off",
            **(_LOOKING if role == PORTAL else {}),
        },
    )


async def connect(dsn: str, *, connect_seconds: float = 10.0) -> asyncpg.Connection:
    """One connection outside any pool, as the login itself: for migrations and checks."""
    settings = {"application_name": "counterfoil", "timezone": "UTC"}
    return await _connect(dsn, timeout=connect_seconds, server_settings=settings)


async def _keep_as_it_is(_: asyncpg.Connection) -> None:
    return None


async def _connect(dsn: str | None = None, **options: Any) -> asyncpg.Connection:  # noqa: ANN401
    """Connect, and say what is wrong in words that help; asyncpg's pool calls this for each connection."""
    try:
        return await asyncpg.connect(dsn, **options)
    except (ValueError, asyncpg.InterfaceError):
        # Without its cause, which may quote a part of the address that was meant as the password.
        raise DatabaseUnreachableError(
            "the database's address cannot be read: expected postgresql://user:password@host:port/database, "
            "with special characters percent-encoded"
        ) from None
    except (OSError, asyncpg.PostgresError) as error:
        raise _explained(error, dsn or "", options["server_settings"].get("role")) from error


def _explained(error: Exception, dsn: str, role: str | None) -> DatabaseSetupError:
    login = _login(dsn)
    if isinstance(error, asyncpg.InvalidParameterValueError) and role is not None:
        return DatabaseNotMigratedError(f"the database has no role {role} yet: run `counterfoil migrate`")
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return DatabaseRoleNotGrantedError(
            f"{login} may not act as {role} here: run `counterfoil migrate --grant-to {login}`"
        )
    reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
    return DatabaseUnreachableError(
        f"no connection to {_place(dsn)} ({reason}): check DATABASE_URL and that PostgreSQL is running there"
    )


def _login(dsn: str) -> str:
    return urlsplit(dsn).username or "the login"


def _place(dsn: str) -> str:
    """Where the DSN points, for people; nothing that could be a piece of a mistyped password."""
    parts = urlsplit(dsn)
    if "@" in parts.path or "@" in parts.query or parts.hostname is None:
        return "the database"
    return f"{parts.hostname}:{parts.port or 5432}"
