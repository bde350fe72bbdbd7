"""Calls of the database's functions: one call is one statement, one round trip, one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from adapters.postgres.errors import DatabaseSetupError
from application.idempotency import repeated
from domain.entity import does_not_fit
from domain.errors import Conflict, StaleState, Unavailable

_SYSTEM = {"db.system.name": "postgresql"}
# Raised by our own functions (sql/02_store.sql, sql/03_commit.sql).
_STALE = "CF001"
_REPEATED = "CF002"
_DOES_NOT_FIT = "CF003"


class Database:
    """A pool of connections that act as one role. `round_trips` counts what was asked of the server.

    Whoever finds all connections taken waits for one for `wait_seconds` at most.
    """

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float = 2.0) -> None:
        self._pool = pool
        self.wait_seconds = wait_seconds
        self.round_trips = 0
        # OpenTelemetry's, if it is on: asking each time would cost more than the rest of a call here.
        is_off = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        self._tracer = None if is_off else trace.get_tracer("counterfoil")

    async def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401  (whatever it returns)
        """The function's result; `jsonb` comes as text, to be decoded straight into domain values.

        Raises StaleState; Repeated; Conflict when a unique key is taken; Unavailable `database_unavailable`
        when the database does not answer, `database_busy` when no connection or lock was to be had in time.
        """
        places = ", ".join(f"${n}" for n in range(1, len(arguments) + 1))
        (result,) = await self._results(f"SELECT {function}({places})", arguments)
        return result

    async def rows(self, function: str, *arguments: object) -> Sequence[Any]:
        """The rows of a function that has several, in order; raises as `call` does."""
        places = ", ".join(f"${n}" for n in range(1, len(arguments) + 1))
        return await self._results(f"SELECT {function}({places})", arguments)

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
        query = f"SELECT {function}({names}) FROM unnest({columns}) AS asked({names})"  # noqa: S608
        return await self._results(query, tuple(zip(*rows, strict=True)))

    async def _results(self, query: str, arguments: Sequence[object]) -> list[Any]:
        with _translated():
            try:
                connection = await self._pool.acquire(timeout=self.wait_seconds)
            except TimeoutError as error:
                raise busy() from error
            try:
                return [row[0] for row in await self._fetched(connection, query, arguments)]
            finally:
                await self._pool.release(connection)

    async def _fetched(
        self, connection: PoolConnectionProxy, query: str, arguments: Sequence[object]
    ) -> Sequence[asyncpg.Record]:
        self.round_trips += 1
        rows: list[asyncpg.Record]
        if self._tracer is None or not trace.get_current_span().is_recording():
            # A statement by itself is a worker's that looks for something to do, several times a second.
            rows = await connection.fetch(query, *arguments)
        else:
            with _statement_span(self._tracer, query.partition("(")[0]):
                rows = await connection.fetch(query, *arguments)
        return rows


@contextmanager
def _statement_span(tracer: trace.Tracer, name: str) -> Iterator[None]:
    """What PostgreSQL refuses is told by its code: its words may quote a row."""
    with tracer.start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=_SYSTEM,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as error:
            refused = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
            span.set_attribute("error.type", refused or type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise


def busy() -> Unavailable:
    """No connection, or no lock, was to be had in time: it will be, when others are done."""
    return Unavailable("database_busy", "The database is busy. Try again.")


def gone() -> Unavailable:
    """The database does not answer: whether it has done what was asked is not known."""
    return Unavailable("database_unavailable", "The database does not answer. Try again.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError) as error:
        raise Conflict("conflict", f"taken: {error.constraint_name}") from error
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
        raise StaleState("stale_state", "somebody else was faster") from error
    except (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as error:
        raise busy() from error
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
        raise gone() from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == _STALE:
            raise StaleState("stale_state", error.detail or "stale") from error
        if error.sqlstate == _REPEATED:
            raise repeated() from error
        if error.sqlstate == _DOES_NOT_FIT:
            raise does_not_fit() from error
        raise
