"""Every test of the contract runs on each adapter."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.worlds import World, memory_world, postgres_world
from tests.databases import DatabaseServer


@pytest.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        async with memory_world() as memory:
            yield memory
    else:
        server: DatabaseServer = request.getfixturevalue("database_server")
        async with postgres_world(server) as postgres:
            yield postgres
