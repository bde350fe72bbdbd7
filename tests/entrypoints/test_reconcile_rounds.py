"""Every so many hours one of the workers holds the books against Stripe."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from adapters.memory.store import MemoryStore
from application.ports import Period
from domain.errors import Unavailable
from entrypoints.findings import Finding
from entrypoints.metrics.counted import Reconciled
from entrypoints.reconcile_reading import Run
from entrypoints.reconcile_rounds import ReconcileRounds
from tests.contracts.worlds import fact_of
from tests.world import World

HOUR = timedelta(hours=1)


class Workers:
    """So many of them on one store, whose rounds are an hour apart."""

    def __init__(
        self, world: World[MemoryStore], number: int, *, every: timedelta | None = HOUR, live: bool = False
    ) -> None:
        self.registry = CollectorRegistry()
        counted = Reconciled(self.registry)
        self.rounds = [
            ReconcileRounds(
                world.store,
                world.reconciliation,
                world.clock,
                counted,
                lambda: [False, True] if live else [False],
                every,
                look_seconds=0.001,
                pause_seconds=0,
            )
            for _ in range(number)
        ]

    async def come(self) -> int:
        """All at once; how many rounds were made."""
        return sum(await asyncio.gather(*(one.run_due() for one in self.rounds)))

    def ended(self, outcome: str) -> float:
        """How many rounds ended so."""
        sample = self.registry.get_sample_value("counterfoil_reconcile_rounds_total", {"outcome": outcome})
        return sample or 0.0


@pytest.fixture
async def world() -> World[MemoryStore]:
    return await World.opened(MemoryStore())


async def lost(world: World[MemoryStore]) -> None:
    """Somebody has paid, and our webhook was not told."""
    session = await world.session()
    assert session.payment_intent_id is not None
    world.gateway.happens(world.gateway.succeed(session.payment_intent_id), world.clock.now())


async def paid(world: World[MemoryStore]) -> list[str]:
    return [payment.status for payment in await world.store.payments(world.auth, 10)]


async def test_one_of_them_books_what_was_lost_and_says_how_much(world: World[MemoryStore]) -> None:
    workers = Workers(world, 3)
    await lost(world)
    world.clock.advance(timedelta(minutes=1))
    with capture_logs() as logged:
        assert await workers.come() == 1
    assert await paid(world) == ["succeeded"]
    found = {"kind": "missing", "outcome": "applied"}
    assert workers.registry.get_sample_value("counterfoil_reconcile_findings_total", found) == 1
    assert workers.ended("ok") == 1
    said = [entry for entry in logged if entry["event"] == "reconciled"]
    assert [(entry["applied"], entry["in_inbox"]) for entry in said] == [(1, 0)]
    assert await workers.come() == 0
    world.clock.advance(HOUR)
    assert await workers.come() == 1
    assert await paid(world) == ["succeeded"]


async def test_what_a_failed_round_left_the_next_one_finds(world: World[MemoryStore]) -> None:
    workers = Workers(world, 2)
    await lost(world)
    world.clock.advance(timedelta(minutes=1))
    world.gateway.fail_next("before")
    assert await workers.come() == 1
    assert await paid(world) == []
    assert workers.ended("payment_provider_unavailable") == 1
    world.clock.advance(HOUR)
    assert await workers.come() == 1
    assert await paid(world) == ["succeeded"]


async def gone(world: World[MemoryStore]) -> None:
    """A session waits for an intent that is in no list, so that Stripe has to be asked for it."""
    session = await world.session()
    world.gateway.put(structs.replace(fact_of(session), livemode=True))


async def test_what_is_open_is_asked_for_once_a_day_however_often_rounds_are_made(
    world: World[MemoryStore],
) -> None:
    workers = Workers(world, 2)
    await gone(world)
    asked = []
    for _ in range(25):
        before = len(world.gateway.calls)
        assert await workers.come() == 1
        asked.append([call.name for call in world.gateway.calls[before:]].count("payment_intent"))
        world.clock.advance(HOUR)
    assert asked == [1, *[0] * 23, 1]


async def test_what_a_failed_round_did_not_ask_for_the_next_one_does(world: World[MemoryStore]) -> None:
    workers = Workers(world, 2)
    await gone(world)
    not_there = {"kind": "not_at_stripe", "outcome": "found"}
    world.gateway.fail_next("before")
    assert await workers.come() == 1
    assert workers.registry.get_sample_value("counterfoil_reconcile_findings_total", not_there) is None
    for _ in range(2):
        world.clock.advance(HOUR)
        assert await workers.come() == 1
        assert workers.registry.get_sample_value("counterfoil_reconcile_findings_total", not_there) == 1


async def test_a_round_looks_back_over_two(world: World[MemoryStore]) -> None:
    periods: list[Period] = []

    async def reconciliation(run: Run) -> AsyncIterator[Finding]:
        periods.append(run.wanted.period)
        async for finding in world.reconciliation(run):
            yield finding

    (one,) = Workers(world, 1).rounds
    await replace(one, reconciliation=reconciliation).run_due()
    now = world.clock.now()
    assert periods == [Period(now - 2 * HOUR, now)]


async def test_each_mode_with_a_stripe_has_its_own(world: World[MemoryStore]) -> None:
    assert await Workers(world, 2, live=True).come() == 2


async def test_unless_it_is_wanted_there_are_none(world: World[MemoryStore]) -> None:
    workers = Workers(world, 1, every=None)
    await lost(world)
    assert await workers.come() == 0
    assert await paid(world) == []


class Troubled:
    """A database that is away when it is asked first; the third time, it is time to stop."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self.asked = 0

    async def take_round(self, name: str, now: datetime, next_at: datetime) -> bool:
        if name.endswith("_open"):
            return True
        self.asked += 1
        if self.asked == 1:
            raise Unavailable("database_unavailable", "The database does not answer.")
        if self.asked == 3:
            self._stop.set()
        return self.asked == 2


async def test_it_goes_on_until_it_is_stopped_whatever_fails(world: World[MemoryStore]) -> None:
    workers = Workers(world, 1)
    stop = asyncio.Event()
    troubled = Troubled(stop)
    await lost(world)
    world.clock.advance(timedelta(minutes=1))
    await replace(workers.rounds[0], rounds=troubled).run(stop)
    assert troubled.asked == 3
    assert await paid(world) == ["succeeded"]
