"""Schemathesis reads the description and tries to prove it wrong: on PostgreSQL, over a socket, with a key.

The same requests each time; with `SCHEMATHESIS_EXAMPLES=1000`, so many for each operation, and new ones.
"""

import asyncio
import logging
import os
import re
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest
import schemathesis
import structlog
from dependency_injector import providers
from hypothesis import HealthCheck, Phase, settings

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.http.server import serving
from entrypoints.settings import Settings
from tests.databases import DatabaseServer
from tests.entrypoints.http.conftest import CATALOG, in_memory, organization
from tests.entrypoints.http.described import description_of

T = TypeVar("T")

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES")
UNREADABLE = {"unknown_field", "missing_field", "wrong_type", "invalid_value", "invalid_id"}
"""What nobody is told who keeps to the schema."""

schema = schemathesis.openapi.from_dict(description_of(create_app(in_memory(FixedClock())[0])))
schema.config.generation.update(with_security_parameters=False)  # ours is a real key
schema.config.checks.update(excluded_check_names=["positive_data_acceptance"])  # ours is below


@dataclass(frozen=True)
class Api:
    """Where it is served, and a key."""

    url: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def api(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The service on a database of its own, in a thread, so that it serves while Schemathesis waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    @asynccontextmanager
    async def served() -> Any:
        home = tmp_path_factory.mktemp("home")
        async with database_server.fresh() as database:
            container = Container(
                settings=providers.Object(Settings.read(home=home)),
                database_url=providers.Object(database.service_dsn),
                gateway=providers.Object(MemoryGateway()),
            )
            async with serving(container) as server:
                made = await organization(container, "Acme")
                yield Api(server.url, {"Authorization": f"Bearer {made.test_key}"})

    # The thread would write into pytest's own output, between two tests.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    stack = AsyncExitStack()
    try:
        served_api: Api = run(stack.enter_async_context(served()))
        httpx.put(f"{served_api.url}/v1/catalog", json=CATALOG, headers=served_api.headers).raise_for_status()
        yield served_api
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        structlog.reset_defaults()


@schemathesis.check
def what_fits_the_schema_can_be_read(_: object, response: Any, case: Any) -> None:
    """It may be refused, by a rule that no schema can tell; never as something that cannot be read. (A page
    is for people, and tells no codes.)"""
    if case.operation.path.startswith(("/checkout/", "/pay/")):
        return
    if case.meta is not None and case.meta.generation.mode.is_positive and response.status_code == 422:
        problem = response.json()
        # To JSON Schema 1.0 is an integer, to us it is none.
        written_with_a_fraction = re.search(r"must be an integer( or null)?, not a number", problem["detail"])
        assert written_with_a_fraction or problem["code"] not in UNREADABLE, problem


@schema.parametrize()
@settings(
    max_examples=int(EXAMPLES or 30),
    derandomize=EXAMPLES is None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_what_the_description_says_holds(case: Any, api: Api) -> None:
    case.call_and_validate(base_url=api.url, headers=api.headers)
