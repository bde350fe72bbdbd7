"""Calls of the database's functions: one call is one statement, one round trip, one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg

from adapters.postgres.errors import DatabaseSetupError
from domain.errors import Conflict, StaleState, Unavailable

# Raised by our own functions (sql/02_store.sql, sql/03_commit.sql).
_STALE = "CF001"


class Database:
    """A pool of connections that act as one role. `round_trips` counts what was asked of the server."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.round_trips = 0

    async def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401  (whatever it returns)
        """The function's result; `jsonb` comes as text, to be decoded straight into domain values.

        Raises StaleState, Conflict when a unique key is taken, Unavailable when the database does not answer.
        """
        places = ", ".join(f"${n}" for n in range(1, len(arguments) + 1))
        self.round_trips += 1
        with _translated():
            return await self._pool.fetchval(f"SELECT {function}({places})", *arguments)

    async def call_each(
        self, function: str, types: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> Sequence[Any]:
        """The function's result for each row of arguments, all as of one moment; `types` are the arguments'.

        Raises as `call` does; then there is no result for any.
        """
        if len(rows) == 1:
            return [await self.call(function, *rows[0])]
        columns = ", ".join(f"${n}::{name}[]" for n, name in enumerate(types, 1))
        names = ", ".join(f"a{n}" for n in range(1, len(types) + 1))
        self.round_trips += 1
        with _translated():
            found = await self._pool.fetch(
                f"SELECT {function}({names}) FROM unnest({columns}) AS asked({names})",  # noqa: S608
                *zip(*rows, strict=True),
            )
        return [row[0] for row in found]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError) as error:
        raise Conflict("conflict", f"taken: {error.constraint_name}") from error
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
        raise StaleState("stale_state", "somebody else was faster") from error
    except (
        DatabaseSetupError,  # a new connection could not be made
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # a connection that was cut while idle
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.CannotConnectNowError,
        asyncpg.LockNotAvailableError,
        OSError,
        TimeoutError,
    ) as error:
        raise Unavailable("database_unavailable", "The database does not answer. Try again.") from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == _STALE:
            raise StaleState("stale_state", error.detail or "stale") from error
        raise
