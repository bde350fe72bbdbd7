"""Counts what goes over the wire to PostgreSQL, whatever the client believes it sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Wire:
    """A relay between client and server. `turns` counts how often the client spoke, then waited."""

    def __init__(self) -> None:
        self.turns = 0
        self.dsn = ""
        self._client_spoke_last = False

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_client: bool
    ) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                if from_client and not self._client_spoke_last:
                    self.turns += 1
                self._client_spoke_last = from_client
                writer.write(chunk)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def tapped(dsn: str) -> AsyncIterator[Wire]:
    """A wire to this database; only one connection at a time can be counted on it."""
    wire, parts = Wire(), urlsplit(dsn)
    folder = parse_qs(parts.query).get("host", [None])[0]
    tasks: set[asyncio.Task[None]] = set()

    async def relay(client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        if folder:
            port = parse_qs(parts.query).get("port", [str(parts.port or 5432)])[0]
            server = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        else:
            server = await asyncio.open_connection(parts.hostname, parts.port)
        for forward in (
            wire._forward(client_reader, server[1], from_client=True),
            wire._forward(server[0], client_writer, from_client=False),
        ):
            tasks.add(asyncio.create_task(forward))

    listener = await asyncio.start_server(relay, "127.0.0.1", 0)
    login = f"{parts.username}:{parts.password}" if parts.password else parts.username
    wire.dsn = (
        f"postgresql://{login}@127.0.0.1:{listener.sockets[0].getsockname()[1]}{parts.path}?sslmode=disable"
    )
    try:
        yield wire
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
