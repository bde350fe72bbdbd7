"""Real PostgreSQL for tests: one server a session, one migrated template on it, a fresh copy for each test.

`TEST_DATABASE` says where it comes from: `testcontainers` (and nothing else will do), `embedded`, or `auto`:
testcontainers where a Docker engine answers, else embedded.
"""

import asyncio
import contextlib
import importlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

import asyncpg

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.migrations import migrate
from adapters.postgres.pool import connect
from adapters.postgres.roles import OWNER, create_service_login, quoted

SERVICE = "counterfoil_service"
DEFAULT_IMAGE = "postgres:18-alpine"

_PING_SECONDS = 3
_UNSAFE = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
)  # a crash of the machine may lose it


@dataclass(frozen=True, slots=True)
class Choice:
    """Which server the tests use, and why."""

    kind: Literal["testcontainers", "embedded"]
    why: str


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a test, and how to reach it."""

    name: str
    service_dsn: str
    """As the service logs in: no superuser, may act as app, worker and portal."""
    owner_dsn: str
    """Acting as the owner of the tables, for whom row-level security holds too."""
    admin_dsn: str
    """As superuser: sees everything, for assertions."""


@dataclass(frozen=True)
class DatabaseServer:
    """A server for one test session; `dsn(login, database)` says how to reach it."""

    dsn: Callable[[str, str], str]
    password: str
    template: str = "counterfoil_template"
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextlib.asynccontextmanager
    async def fresh(self) -> AsyncIterator[Database]:
        """A copy of the migrated template, dropped afterwards."""
        async with self._made(self.template) as database:
            yield database

    @contextlib.asynccontextmanager
    async def blank(self) -> AsyncIterator[Database]:
        """A database that nobody has migrated."""
        async with self._made("template0") as database:
            yield database

    async def prepare(self) -> None:
        """Make the service's login and the migrated template."""
        await self._as_admin(f"CREATE DATABASE {self.template}")
        async with connected(self.dsn(ADMIN, self.template)) as connection:
            await migrate(connection)
            await create_service_login(connection, SERVICE)
            await connection.execute(f"ALTER ROLE {SERVICE} PASSWORD '{self.password}'")

    @contextlib.asynccontextmanager
    async def _made(self, template: str) -> AsyncIterator[Database]:
        name = f"test_{next(self.numbers)}"
        await self._as_admin(f"CREATE DATABASE {name} TEMPLATE {quoted(template)}")
        admin = self.dsn(ADMIN, name)
        joint = "&" if "?" in admin else "?"
        try:
            yield Database(name, self.dsn(SERVICE, name), f"{admin}{joint}role={OWNER}", admin)
        finally:
            await self._as_admin(f"DROP DATABASE {name} WITH (FORCE)")

    async def _as_admin(self, statement: str) -> None:
        async with connected(self.dsn(ADMIN, "postgres")) as connection:
            await connection.execute(statement)


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection for as long as the block runs."""
    connection = await connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def choose() -> Choice:
    """What `TEST_DATABASE` and this machine lead to."""
    wanted = os.environ.get("TEST_DATABASE", "auto")
    match wanted:
        case "testcontainers" | "embedded":
            return Choice(wanted, f"TEST_DATABASE={wanted}")
        case "auto":
            if _engine_answers():
                return Choice("testcontainers", "a Docker engine answers")
            return Choice("embedded", "no Docker engine answers")
        case _:
            raise ValueError(f"TEST_DATABASE={wanted}: say auto, testcontainers or embedded")


@contextlib.contextmanager
def running_server(choice: Choice) -> Iterator[DatabaseServer]:
    """A server with its template, for as long as the block runs."""
    start = _container if choice.kind == "testcontainers" else _embedded
    with start() as server:
        _on_a_loop_of_its_own(server.prepare())
        yield server


@contextlib.contextmanager
def _embedded() -> Iterator[DatabaseServer]:
    binaries = os.environ.get("POSTGRES_BIN_DIR")
    with (
        tempfile.TemporaryDirectory(prefix="counterfoil-tests-", ignore_cleanup_errors=True) as home,
        EmbeddedServer(Path(home), Path(binaries) if binaries else None, fast_and_unsafe=True) as server,
    ):
        yield DatabaseServer(server.dsn, secrets.token_hex())


@contextlib.contextmanager
def _container() -> Iterator[DatabaseServer]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 (slow, and rarely needed)

    image = os.environ.get("TEST_POSTGRES_IMAGE", DEFAULT_IMAGE)
    password = secrets.token_hex()
    container = PostgresContainer(image, username=ADMIN, password=password, dbname="counterfoil", driver=None)
    container.with_tmpfs_mount("/var/lib/postgresql")  # as tests/conftest.py does with all else
    container.with_command("postgres " + " ".join(f"-c {setting}" for setting in _UNSAFE))
    try:
        container.start()
    except Exception as error:
        raise RuntimeError(
            f"testcontainers could not start {image} ({error}): set TEST_POSTGRES_IMAGE to an image that "
            "this engine has or can pull, or TEST_DATABASE=embedded"
        ) from error

    def dsn(login: str, database: str) -> str:
        place = f"{container.get_container_host_ip()}:{container.get_exposed_port(5432)}"
        return f"postgresql://{login}:{password}@{place}/{database}"

    try:
        yield DatabaseServer(dsn, password)
    finally:
        container.stop()


def _engine_answers() -> bool:
    named = "DOCKER_HOST" in os.environ or (Path.home() / ".testcontainers.properties").exists()
    if not named and not Path("/var/run/docker.sock").exists():
        return False  # without importing docker, which takes longer than most tests
    docker: Any = importlib.import_module("docker")
    try:
        client = docker.from_env(timeout=_PING_SECONDS)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except docker.errors.DockerException:
        return False


def _on_a_loop_of_its_own(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end without touching the loop that pytest-asyncio keeps for this thread."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()
