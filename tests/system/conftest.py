"""The whole service for each test."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from tests.databases import Database
from tests.system.service import Service, running_service


@pytest.fixture
async def service(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    async with running_service(fresh_database, tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def only_errors_logged() -> Iterator[None]:
    """One line a request would bury what a failing test says."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.configure(**before)
