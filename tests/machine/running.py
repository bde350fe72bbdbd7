"""Running the machine on a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from tests.databases import DatabaseServer, connected
from tests.machine.books import PostgresBooks
from tests.machine.lockstep import Lockstep
from tests.machine.meeting import MeetingStore
from tests.machine.two_stores import TwoStores
from tests.machine.watch import Watch


def sized(examples: int, steps: int, **other: Any) -> settings:
    """How long to run: so many examples of so many steps."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        **other,
    )


def run_machine(
    server: DatabaseServer,
    size: settings,
    *,
    random_seed: int | None = None,
    sabotage: str | None = None,
    watch: Watch | None = None,
) -> None:
    """Run it in a fresh database, on which the statement `sabotage` has been executed first."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        services: Any = _services(server, sabotage)
        make = runner.run(services.__aenter__())
        try:
            machine: Any = partial(TwoStores, make, runner, watch or Watch())
            if random_seed is not None:
                machine = seed(random_seed)(machine)
            run_state_machine_as_test(machine, settings=size)
        finally:
            runner.run(services.__aexit__(None, None, None))


@asynccontextmanager
async def _services(server: DatabaseServer, sabotage: str | None) -> AsyncIterator[Callable[[], Lockstep]]:
    async with (
        server.fresh() as database,
        connected(database.admin_dsn) as superuser,
        open_pool(database.service_dsn, APP, min_size=2, max_size=4) as app,
        open_pool(database.service_dsn, WORKER, min_size=2, max_size=4) as worker,
    ):
        if sabotage:
            await superuser.execute(sabotage)
        one, other = ((MeetingStore(app), MeetingStore(worker)) for _ in range(2))
        yield partial(Lockstep, one, other, PostgresBooks(superuser))
