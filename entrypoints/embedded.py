"""Which database a command uses: the one DATABASE_URL names, else the embedded server of COUNTERFOIL_HOME.

An embedded server is ours alone, so it is brought up to date without asking. One that DATABASE_URL names is
migrated by `counterfoil migrate` and by nothing else.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from structlog.typing import FilteringBoundLogger

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.errors import DatabaseSetupError
from adapters.postgres.migrations import MigrationReport, migrate, pending
from adapters.postgres.pool import connect
from adapters.postgres.roles import (
    create_service_login,
    ensure_service_login,
    grant_service_login,
    login_exists,
)
from entrypoints.settings import Settings

__all__ = ["DatabaseChoice", "DatabaseSetupError", "MigrationReport", "ServiceDatabase"]

_SERVICE = "counterfoil_service"
_LOOK_SECONDS = 1.0

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DatabaseChoice:
    """What the settings say about the database. `url` may hold a password; `home` is a folder."""

    url: str | None = field(repr=False)
    home: Path
    bin_dir: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> "DatabaseChoice":
        """Where the settings lead."""
        url = settings.database_url.get_secret_value() if settings.database_url else None
        return cls(url, settings.home, settings.postgres_bin_dir)

    def apart(self, name: str) -> "DatabaseChoice":
        """An embedded server of its own, in a folder below the home, whatever DATABASE_URL says."""
        return DatabaseChoice(None, self.home / name, self.bin_dir)

    @contextmanager
    def service(self, *, lasting: bool) -> Iterator["ServiceDatabase"]:
        """Where to log in to serve, for as long as the block runs; the embedded server is started if need be.

        `lasting` says that this process stays up, so that other commands may share its server. Blocks, and
        belongs on the main thread before its event loop runs.
        """
        if self.url:
            yield ServiceDatabase(self.url)
            return
        server = self._server(lasting=lasting)
        try:
            owned = server.attach_or_start()
            asyncio.run(_brought_up_to_date(server.dsn(ADMIN)))
            yield ServiceDatabase(server.dsn(_SERVICE), server if owned else None)
        finally:
            server.stop()

    def migrate(self, grant_to: str | None, password: str | None = None) -> MigrationReport:
        """Bring the database up to date and let the login `grant_to` serve from it; with a `password` it is
        made where there is none, and has that one."""
        if self.url:
            return asyncio.run(_migrated(self.url, grant_to, password))
        with self._server(lasting=False) as server:
            report = asyncio.run(_migrated(server.dsn(ADMIN), grant_to, password))
            asyncio.run(_brought_up_to_date(server.dsn(ADMIN)))
            return report

    def _server(self, *, lasting: bool) -> EmbeddedServer:
        return EmbeddedServer(self.home, self.bin_dir, lasting=lasting)


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """Where to log in to serve; and the server, if it is this process's own."""

    dsn: str = field(repr=False)
    _own: EmbeddedServer | None = None

    async def kept_up(self, stop: asyncio.Event) -> None:
        """Start our own server again whenever it has died, until `stop` is set.

        On the event loop's thread, which must be the one that started it; nothing can be served meanwhile.
        """
        while self._own is not None and not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await stop.wait()
            if stop.is_set():
                return
            try:
                self._own.attach_or_start()
            except DatabaseSetupError as error:
                log.warning("embedded_server_down", code=error.code, reason=str(error))


async def _migrated(dsn: str, grant_to: str | None, password: str | None) -> MigrationReport:
    connection = await connect(dsn)
    try:
        report = await migrate(connection)
        if grant_to is not None and password is not None:
            await ensure_service_login(connection, grant_to, password)
        elif grant_to is not None:
            await grant_service_login(connection, grant_to)
    finally:
        await connection.close()
    return report


async def _brought_up_to_date(dsn: str) -> None:
    """Migrate, and make the login that serves, where either is missing; else only look."""
    connection = await connect(dsn)
    try:
        if not await login_exists(connection, _SERVICE) or await pending(connection):
            await migrate(connection)
            await create_service_login(connection, _SERVICE)
    finally:
        await connection.close()
