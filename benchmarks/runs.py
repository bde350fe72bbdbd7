"""One case, run once: what the generator saw, what it cost, and proof that nothing was lost."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import asyncpg

from adapters.postgres.combining import TOGETHER
from benchmarks.generators import Load, pgbench, wrk
from benchmarks.measuring import Meter, Reading, children_seconds
from benchmarks.proof import check_run, count
from benchmarks.stage import Stage
from benchmarks.workload import Recorded, Statement, take_tokens, write_requests

_FLUSH_SECONDS = 1.2  # an idle backend reports its statistics after a second; then all that was begun is done
_MOST_PER_SECOND = 4000


@dataclass(frozen=True)
class Case:
    """What is measured: by pgbench `commit`, `pair` (read and commit) and `together` (one call commits the
    work of many requests), or `http`."""

    flow: str
    way: str
    connections: int

    @property
    def name(self) -> str:
        """For the tables."""
        what = {
            "commit": "pgbench, commit_work",
            "pair": "pgbench, read + commit_work",
            "together": f"pgbench, commit_work of {TOGETHER}",
            "http": "HTTP",
        }
        return f"{self.flow}: {what[self.way]}, {self.connections}"


@dataclass(frozen=True)
class Result:
    """Times in milliseconds, CPU in microseconds per request, memory in MB; `others` is how many cores
    were busy with what is not ours."""

    per_second: float
    p50: float
    p99: float
    service_us: float
    postgres_us: float
    round_trips: float
    others: float
    memory: int
    load: float


def cases(flows: tuple[str, ...], connections: tuple[int, ...]) -> list[Case]:
    """In the order in which each repeat takes them."""
    return [
        Case(flow, way, n)
        for flow in flows
        for way, numbers in (("commit", (32,)), ("pair", (32,)), ("together", (4,)), ("http", connections))
        for n in numbers
        if (flow, way) != ("webhook", "together")
    ]


@dataclass
class Runner:
    """Runs cases on one stage, against one service."""

    stage: Stage
    admin: asyncpg.Connection
    url: str
    meter: Meter
    recorded: dict[str, Recorded]
    seconds: int

    async def run(self, case: Case) -> Result:
        """Raises Lost, and RuntimeError when a request failed."""
        go = await self._prepared(case)
        before = await count(self.admin)
        load_before, children, start = os.getloadavg()[0], children_seconds(), self.meter.read()
        load = go()
        end, generator = self.meter.read(), children_seconds() - children
        time.sleep(_FLUSH_SECONDS)
        after = await count(self.admin)
        if load.failed:
            raise RuntimeError(f"{case.name}: {load.failed} requests failed")
        # pgbench and the service wait for all they have begun; wrk hangs up.
        unanswered = case.connections if case.way == "http" else 0
        check_run(before, after, load.requests, unanswered, webhook=case.flow == "webhook")
        made = after.customers - before.customers
        asked = after.transactions - before.transactions
        return _result(load, made, asked / made, start, end, generator, load_before, self.meter)

    async def _prepared(self, case: Case) -> Callable[[], Load]:
        webhook = case.flow == "webhook"
        if case.way == "http":
            file = self.stage.folder / "requests"
            most = self.seconds * min(_MOST_PER_SECOND, 1500 * case.connections)
            await write_requests(self.stage, self.admin, file, most, webhook=webhook)
            path = "/v1/stripe/webhooks" if webhook else "/v1/customers"
            header = "Stripe-Signature" if webhook else "Authorization"
            return lambda: wrk(
                self.url, path, file, header, connections=case.connections, seconds=self.seconds
            )
        recorded = self.recorded[case.flow]
        if case.way == "together":
            return self._many_at_a_time(recorded.together, case.connections)
        statements = (recorded.commit,) if case.way == "commit" else (recorded.read, recorded.commit)
        if not webhook:
            return lambda: pgbench(self.stage, statements, clients=case.connections, seconds=self.seconds)
        each = self.seconds * _MOST_PER_SECOND // 2 // case.connections
        await take_tokens(self.stage, self.admin, each * case.connections, with_sessions=True)
        return lambda: pgbench(self.stage, statements, clients=case.connections, each=each)

    def _many_at_a_time(self, statement: Statement, clients: int) -> Callable[[], Load]:
        def load() -> Load:
            seen = pgbench(self.stage, (statement,), clients=clients, seconds=self.seconds)
            return replace(seen, requests=seen.requests * TOGETHER)

        return load


def _result(
    load: Load,
    made: int,
    round_trips: float,
    start: Reading,
    end: Reading,
    generator: float,
    load_before: float,
    meter: Meter,
) -> Result:
    service, postgres = end.service - start.service, end.postgres - start.postgres
    others = (end.machine - start.machine - service - postgres - generator) / (end.at - start.at)
    return Result(
        per_second=load.requests / load.seconds,
        p50=load.p50,
        p99=load.p99,
        service_us=service / made * 1e6,
        postgres_us=postgres / made * 1e6,
        round_trips=round_trips,
        others=max(others, 0.0),
        memory=meter.memory()[0],
        load=load_before,
    )
