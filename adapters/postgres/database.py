"""Calls of the database's functions: one call is one statement, one round trip, one transaction."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from adapters.postgres.errors import DatabaseSetupError
from domain.errors import Conflict, StaleState, Unavailable

# Raised by our own functions (sql/02_store.sql, sql/03_commit.sql).
_STALE = "CF001"


class Database:
    """A pool of connections that act as one role. `round_trips` counts what was asked of the server.

    Whoever finds all connections taken waits for one for `wait_seconds` at most.
    """

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float = 2.0) -> None:
        self._pool = pool
        self._wait_seconds = wait_seconds
        self._calls = 0
        self.round_trips = 0

    async def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401  (whatever it returns)
        """The function's result; `jsonb` comes as text, to be decoded straight into domain values.

        Raises StaleState; Conflict when a unique key is taken; Unavailable `database_unavailable` when the
        database does not answer, `database_busy` when no connection or lock was to be had in time.
        """
        places = ", ".join(f"${n}" for n in range(1, len(arguments) + 1))
        self.round_trips += 1
        self._calls += 1
        try:
            with _translated():
                if self._calls <= self._pool.get_max_size():  # one is free: no clock need be started
                    return await self._pool.fetchval(f"SELECT {function}({places})", *arguments)
                async with self._waited_for() as connection:
                    return await connection.fetchval(f"SELECT {function}({places})", *arguments)
        finally:
            self._calls -= 1

    @asynccontextmanager
    async def _waited_for(self) -> AsyncIterator[Any]:
        try:
            connection = await self._pool.acquire(timeout=self._wait_seconds)
        except TimeoutError as error:
            raise _busy() from error
        try:
            yield connection
        finally:
            await self._pool.release(connection)


def _busy() -> Unavailable:
    return Unavailable("database_busy", "The database is busy. Try again.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError) as error:
        raise Conflict("conflict", f"taken: {error.constraint_name}") from error
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
        raise StaleState("stale_state", "somebody else was faster") from error
    except (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as error:
        raise _busy() from error
    except (
        DatabaseSetupError,  # a new connection could not be made
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # a connection that was cut while idle
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.CannotConnectNowError,
        OSError,
        TimeoutError,
    ) as error:
        raise Unavailable("database_unavailable", "The database does not answer. Try again.") from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == _STALE:
            raise StaleState("stale_state", error.detail or "stale") from error
        raise
