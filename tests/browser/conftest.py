"""A browser, and the service that it visits: one of each for these tests, which share an event loop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser import chromium
from tests.browser.buyers import Visit, visiting
from tests.browser.shop import Shop, running_shop
from tests.databases import DatabaseServer
from tests.system.conftest import only_errors_logged

__all__ = ["only_errors_logged"]

_HERE = Path(__file__).parent
_LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a Chromium these tests are left out, and it is said; where they are required, that fails."""
    ours = [item for item in items if _HERE in item.path.parents]
    if not ours or chromium.find() is not None:
        return
    if chromium.is_required():
        raise pytest.UsageError(f"{len(ours)} tests need Chromium: {chromium.HOW_TO_GET_ONE}")
    items[:] = [item for item in items if item not in ours]
    config.hook.pytest_deselected(items=ours)
    config.stash[_LEFT_OUT] = len(ours)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say which browser is driven. (The header proper is hidden by `-q`.)"""
    if left_out := config.stash.get(_LEFT_OUT, 0):
        return [f"Chromium: none here, so {left_out} tests are left out; {chromium.HOW_TO_GET_ONE}"]
    found = chromium.find()
    driven = found is not None and any(_HERE in item.path.parents for item in items)
    return [f"Chromium: {found}"] if driven else []


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.ARGUMENTS)
        )
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shop(
    database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    async with (
        database_server.fresh() as database,
        running_shop(database, tmp_path_factory.mktemp("shop")) as running,
    ):
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def states(shop: Shop) -> dict[str, str]:
    """Pages to be looked at, by the state that they show."""
    return await shop.every_state()


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(browser: Browser) -> AsyncIterator[Visit]:
    """Somebody at a desk, by day."""
    async with visiting(browser) as visit:
        yield visit
