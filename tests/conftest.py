"""Fixtures for every test. PostgreSQL starts only for a run in which some test asks for it."""

import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.databases import Choice, Database, DatabaseServer, choose, running_server

gc.set_threshold(50_000, 20, 100)  # as the service itself does: else a third of the tests' time goes into it

_chosen = cache(choose)

_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own is made in it)
_ROOM = 6_000_000_000


def _write_to_memory() -> None:
    """Where there is room, and nobody has said otherwise: a database is a thousand files, and a disk may take
    a third of a second to make them."""
    if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # looked up anew


_write_to_memory()


_LONGEST = ("machine", "faults", "orders")
"""Folders whose files take minutes: begun first, so that nobody waits for one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; else the order stays."""

    def place(item: pytest.Item) -> int:
        folder = item.path.parent.name
        return _LONGEST.index(folder) if folder in _LONGEST else len(_LONGEST)

    items.sort(key=place)


def pytest_report_collectionfinish(items: list[pytest.Item]) -> list[str]:
    """Say which PostgreSQL the tests use. (The header proper is hidden by `-q`.)"""
    if not any("database_server" in getattr(item, "fixturenames", ()) for item in items):
        return []
    choice = _chosen()
    return [f"PostgreSQL: {choice.kind} ({choice.why})"]


@pytest.fixture(scope="session")
def database_choice() -> Choice:
    """Where this session's PostgreSQL comes from."""
    return _chosen()


@pytest.fixture(scope="session")
def database_server(database_choice: Choice) -> Iterator[DatabaseServer]:
    """One PostgreSQL server for the session; `fresh()` makes databases on it."""
    with running_server(database_choice) as server:
        yield server


@pytest.fixture
async def fresh_database(database_server: DatabaseServer) -> AsyncIterator[Database]:
    """A migrated database of the test's own."""
    async with database_server.fresh() as database:
        yield database


@pytest.fixture
async def blank_database(database_server: DatabaseServer) -> AsyncIterator[Database]:
    """A database of the test's own that nobody has migrated."""
    async with database_server.blank() as database:
        yield database
