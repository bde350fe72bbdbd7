"""Every so many hours the books are held against Stripe, by one worker of however many there are."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from structlog.typing import FilteringBoundLogger

from application.operator_ports import Rounds
from application.ports import Clock, Period
from entrypoints.findings import Finding
from entrypoints.logs import code_of, telling_of
from entrypoints.metrics.counted import Reconciled
from entrypoints.reconcile_reading import Run, Wanted

_LOOK_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
_OPEN_EVERY = timedelta(days=1)

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReconcileRounds:
    """Each round looks back over two, so that one that failed, or whose worker died, is made up for by the
    next. Stripe's lists tell what has happened meanwhile, so it is asked for what is open here, which is a
    call each, once a day. `modes` says which have a Stripe at the moment. Without `every` there are none."""

    rounds: Rounds
    reconciliation: Callable[[Run], AsyncIterator[Finding]]
    clock: Clock
    counted: Reconciled
    modes: Callable[[], list[bool]]
    every: timedelta | None
    look_seconds: float = _LOOK_SECONDS
    pause_seconds: float = _PAUSE_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Nothing that fails on the way ends it."""
        while not stop.is_set():
            try:
                await self.run_due(stop)
            except Exception as error:  # most of all, a database that is away: it will be back
                log.warning("reconcile_round_failed", code=code_of(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self.look_seconds):
                    await stop.wait()

    async def run_due(self, stop: asyncio.Event | None = None) -> int:
        """Make the rounds that are due and that nobody else has taken; how many those were."""
        every, made = self.every, 0
        if every is None:
            return made
        for livemode in self.modes():
            now = self.clock.now()
            if await self.rounds.take_round(_name(livemode), now, now + every):
                opens, period = f"{_name(livemode)}_open", Period(now - 2 * every, now)
                asks = await self.rounds.take_round(opens, now, now + _OPEN_EVERY)
                wanted = Wanted(
                    period, livemode, apply=True, asks_for_open=asks, pause_seconds=self.pause_seconds
                )
                with telling_of(livemode=livemode):
                    is_done = await self._round(Run(wanted, stop or asyncio.Event()))
                if asks and not is_done:  # then the next one asks
                    await self.rounds.take_round(opens, now + _OPEN_EVERY, now)
                made += 1
        return made

    async def _round(self, run: Run) -> bool:
        """Whether it came to its end."""
        outcomes: Counter[str] = Counter()
        ending = "ok"
        try:
            async for finding in self.reconciliation(run):
                outcomes[finding.outcome] += 1
                self.counted.found(finding.kind, finding.outcome)
                log.warning(
                    "difference_from_stripe",
                    kind=finding.kind,
                    outcome=finding.outcome,
                    code=finding.code,
                    organization_id=finding.organization_id,
                    subject_id=finding.id,
                    stripe_id=finding.stripe_id,
                )
        except Exception as error:
            ending = code_of(error)
            log.warning("reconcile_round_failed", code=ending)
        if run.stop.is_set():
            ending = "interrupted"
        self.counted.ended(ending)
        log.info("reconciled", looked_at=run.looked_at, in_inbox=run.in_inbox, **outcomes)
        return ending == "ok"


def _name(livemode: bool) -> str:
    return "reconcile_live" if livemode else "reconcile_test"
