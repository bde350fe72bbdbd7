"""One case, run once: what the generator saw, what it cost, and proof that nothing was lost."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import asyncpg

from adapters.postgres.combining import TOGETHER
from benchmarks.bodies import take_tokens, write_requests
from benchmarks.flows import Case, Way
from benchmarks.generators import Load, pgbench, wrk
from benchmarks.measuring import Meter, Reading, children_seconds
from benchmarks.proof import count
from benchmarks.stage import Stage
from benchmarks.workload import Recorded

_FLUSH_SECONDS = 1.2  # an idle backend reports its statistics after a second; then all that was begun is done
_MOST_PER_SECOND = 6000
_MOST_BOOKED = 2000


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


@dataclass(frozen=True)
class Service:
    """One process of it."""

    url: str
    meter: Meter


@dataclass
class Runner:
    """Runs cases on one stage, against the services, in books that began with so many customers."""

    stage: Stage
    admin: asyncpg.Connection
    services: Mapping[Way, Service]
    recorded: Mapping[str, Recorded]
    customers: int
    seconds: int

    async def run(self, case: Case) -> Result:
        """Raises Lost, and RuntimeError when a request failed."""
        go = await self._prepared(case)
        meter = self.services[case.way if case.is_http else "http"].meter
        before = await count(self.admin)
        load_before, children, start = os.getloadavg()[0], children_seconds(), meter.read()
        load = go()
        end, generator = meter.read(), children_seconds() - children
        time.sleep(_FLUSH_SECONDS)
        came = (await count(self.admin)).since(before)
        if load.failed:
            raise RuntimeError(f"{case.name}: {load.failed} requests failed")
        # pgbench and the service wait for all they have begun; wrk hangs up.
        made = came.check(case.flow, load.requests, case.connections if case.is_http else 0)
        return _result(load, made, came.transactions / made, start, end, generator, load_before, meter)

    async def _prepared(self, case: Case) -> Callable[[], Load]:
        flow = case.flow
        if case.is_http:
            file, url = self.stage.folder / "requests", self.services[case.way].url
            most = self.seconds * min(_MOST_PER_SECOND, 1500 * case.connections)
            header = await write_requests(self.stage, self.admin, file, most, flow, self.customers)
            return lambda: wrk(
                url, flow.path, file, header, connections=case.connections, seconds=self.seconds
            )
        run = partial(
            pgbench,
            self.stage,
            self.recorded[flow.name][case.way],
            clients=case.connections,
            blocks=max(1, self.customers // TOGETHER),
        )
        if case.way == "together":
            return lambda: _of_many(run(seconds=self.seconds))
        if not flow.is_webhook:
            return lambda: run(seconds=self.seconds)
        each = self.seconds * _MOST_BOOKED // case.connections
        await take_tokens(self.stage, self.admin, each * case.connections, with_sessions=True)
        return lambda: run(each=each)


def _of_many(load: Load) -> Load:
    return replace(load, requests=load.requests * TOGETHER)


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
