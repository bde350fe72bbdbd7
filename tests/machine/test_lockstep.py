"""Memory and PostgreSQL, driven by whatever Hypothesis comes up with: the same answers, the same books.

`MACHINE_EXAMPLES=2000 pytest tests/machine -s` is a long run, with examples of its own each time.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from adapters.memory.gateway import Moment
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from tests.databases import DatabaseServer, connected
from tests.machine import drawing
from tests.machine.books import PostgresBooks
from tests.machine.lockstep import SEEN, Lockstep
from tests.machine.operations import Apply, Introduce, OpenOrganization, OpenSession, Operation
from tests.machine.payments import Lease
from tests.world import CATALOG

_LONG = int(os.environ.get("MACHINE_EXAMPLES", "0"))
_SETTINGS = settings(
    max_examples=_LONG or 30,
    stateful_step_count=50 if _LONG else 25,
    derandomize=not _LONG,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


class TwoStores(RuleBasedStateMachine):
    """An organization with a catalog, and then anything, one after the other and two at once."""

    def __init__(self, make: Callable[[], Lockstep], runner: asyncio.Runner) -> None:
        super().__init__()
        self._lockstep = make()
        self._runner = runner

    @initialize(name=st.just("Acme"))
    def an_organization_that_sells(self, name: str) -> None:
        self._runner.run(self._lockstep.begin())
        self._alone(OpenOrganization(name, None))
        self._alone(Apply(0, CATALOG))
        self._alone(Introduce(0, "ada", "ada@example.test"))
        self._alone(Lease(1))
        self._alone(OpenSession(0, "book", None, 1))

    @rule(operation=drawing.organizations)
    def organization(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.applied)
    def catalog(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.introduced)
    def customer(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.sessions)
    def session(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.reports)
    def report(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.described | drawing.confirmed)
    def nothing_to_pay(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.movements | drawing.returns)
    def buyer(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.leases | drawing.performed | drawing.postponed | drawing.parked)
    def worker(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.numbered | drawing.feeds)
    def feed(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.customer_reads | drawing.catalog_reads | drawing.keys)
    def read(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(first=drawing.anything, second=drawing.anything)
    def two_at_once(self, first: Operation, second: Operation) -> None:
        self._at_once(first, second)

    @rule(first=drawing.rivals, second=drawing.rivals)
    def rivals_at_once(self, first: Operation, second: Operation) -> None:
        self._at_once(first, second)

    @rule(operation=drawing.rivals)
    def twice_at_once(self, operation: Operation) -> None:
        self._at_once(operation, operation)

    @rule(external_id=drawing.strangers, first=drawing.emails, second=drawing.emails)
    def one_customer_at_once(self, external_id: str, first: str | None, second: str | None) -> None:
        self._at_once(Introduce(0, external_id, first, model=0), Introduce(0, external_id, second))

    @rule(buyer=drawing.buyers, first=drawing.payments, second=drawing.payments)
    def two_payments_at_once(self, buyer: Operation, first: Operation, second: Operation) -> None:
        self._alone(buyer)
        self._at_once(first, second)

    @rule(buyer=drawing.free_buyers, first=drawing.confirmations, second=drawing.confirmations)
    def two_confirmations_at_once(self, buyer: Operation, first: Operation, second: Operation) -> None:
        self._alone(buyer)
        self._at_once(first, second)

    @rule(by=st.sampled_from((timedelta(seconds=1), timedelta(seconds=61), timedelta(days=1))))
    def time_passes(self, by: timedelta) -> None:
        self._lockstep.advance(by)

    @rule(moment=st.sampled_from(("before", "after")))
    def provider_fails(self, moment: Moment) -> None:
        self._lockstep.fail_next(moment)

    def _alone(self, operation: Operation) -> None:
        self._runner.run(self._lockstep.alone(operation))

    def _at_once(self, first: Operation, second: Operation) -> None:
        self._runner.run(self._lockstep.at_once(first, second))


@asynccontextmanager
async def _services(server: DatabaseServer) -> AsyncIterator[Callable[[], Lockstep]]:
    async with (
        server.fresh() as database,
        open_pool(database.service_dsn, APP, min_size=2, max_size=4) as app,
        open_pool(database.service_dsn, WORKER, min_size=2, max_size=4) as worker,
        connected(database.admin_dsn) as superuser,
    ):
        yield partial(Lockstep, PostgresStore(app), PostgresStore(worker), PostgresBooks(superuser))


def test_memory_and_postgres_answer_and_keep_the_same(database_server: DatabaseServer) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        services: Any = _services(database_server)
        make = runner.run(services.__aenter__())
        try:
            machine: Any = partial(TwoStores, make, runner)
            run_state_machine_as_test(machine, settings=_SETTINGS)
        finally:
            runner.run(services.__aexit__(None, None, None))
            if _LONG:
                for what, times in sorted(SEEN.items()):
                    print(f"{times:7} {what}")  # noqa: T201 (for whoever asked for a long run)
