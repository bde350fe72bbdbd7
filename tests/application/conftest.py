"""A world on the store in memory, whose books are checked at the end of every scenario."""

from collections.abc import AsyncIterator

import pytest

from adapters.memory.store import MemoryStore
from tests.application.promises import check_books
from tests.world import MemoryWorld, World


@pytest.fixture
async def world() -> AsyncIterator[MemoryWorld]:
    """An organization with a catalog in test mode, and nobody in it yet."""
    opened = await World.opened(MemoryStore())
    yield opened
    check_books(opened.store)
