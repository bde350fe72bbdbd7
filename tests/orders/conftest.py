"""Shops on each adapter."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import DatabaseServer
from tests.orders.shop import Ground, memory_ground, postgres_ground


@pytest.fixture(params=["memory", "postgres"])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Ground]]:
    """The adapter's name, and how a shop is opened on it."""
    if request.param == "memory":
        yield "memory", memory_ground
    else:
        server: DatabaseServer = request.getfixturevalue("database_server")
        async with postgres_ground(server) as opened:
            yield "postgres", opened
