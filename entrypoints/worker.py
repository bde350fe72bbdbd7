"""The worker: numbers the events that have committed and brings them to endpoints, performs the effects they
asked for, tries again what Stripe told and did not fit, and forgets what has been kept for long enough."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from structlog.typing import FilteringBoundLogger

from application.causes import Task
from application.idempotency import KEPT
from application.ports import Clock, EventSequencer, TaskQueue
from domain.delivery import KEPT as DELIVERIES_KEPT
from domain.errors import Conflict, DomainError, Forbidden, NotFound, ProviderRefused, Rejected, Unavailable
from domain.portal import KEPT as KEPT_AT_THE_DOOR
from entrypoints.deliveries import Deliveries
from entrypoints.effects import Effects
from entrypoints.inbox_retries import InboxRetries
from entrypoints.logs import code_of, telling_of
from entrypoints.tracing import task_span

LAST_ATTEMPT = 20
"""After as many failures (some seven hours) a task is parked, for a person to look at."""

GRACE_SECONDS = 20.0
"""How long a worker that has to stop goes on with the tasks it has begun."""

_FAREWELL_SECONDS = 2.0
_FORGET_SECONDS = 600.0
_RETRY_SECONDS = 5.0
_LONGEST_DELAY = timedelta(hours=1)
_NOT_SET_UP = (
    "payment_provider_not_configured",
    "payment_provider_misconfigured",
    "mail_server_misconfigured",
)
_UNTIL_SET_UP = timedelta(minutes=1)
_LONGEST_PAUSE_SECONDS = 10.0

_random = secrets.SystemRandom().random

log: FilteringBoundLogger = structlog.get_logger()


def next_try(attempts: int, random: float) -> timedelta:
    """How long to wait after this many attempts: twice as long each time, at most an hour.

    `random`, from 0 to 1, takes off up to half of it, so that what failed together is not tried together.
    """
    whole = min(timedelta(seconds=2 ** min(attempts, 20)), _LONGEST_DELAY)
    return whole * (1 - random / 2)


class Forgets(Protocol):
    """What is kept for some time only; see the ports of kept replies, of the portal's door, and of
    deliveries."""

    async def forget_replies(self, before: datetime, limit: int) -> int: ...
    async def forget_access(self, before: datetime, limit: int) -> int: ...
    async def forget_deliveries(self, before: datetime, limit: int) -> int: ...
    async def forget_events(self, before: datetime, limit: int) -> int: ...


class Worker:
    """Any number of workers may run, in any number of processes; each task is leased to one of them.

    A task that succeeds is deleted by the commit of its own use case. One that is performed twice all the
    same (its lease ran out, or the process died after Stripe had acted) finds what the first run left.
    """

    def __init__(
        self,
        sequencer: EventSequencer,
        queue: TaskQueue,
        kept: Forgets,
        effects: Effects,
        retries: InboxRetries,
        deliveries: Deliveries,
        clock: Clock,
        *,
        concurrency: int = 32,
        batch: int = 1000,
        lease: timedelta = timedelta(seconds=60),
        poll_seconds: float = 0.25,
        grace_seconds: float = GRACE_SECONDS,
        random: Callable[[], float] = _random,
        keep_events: timedelta | None = None,
    ) -> None:
        self._sequencer = sequencer
        self._queue = queue
        self._kept = kept
        self._effects = effects
        self._retries = retries
        self._deliveries = deliveries
        self._clock = clock
        self._concurrency = concurrency
        self._batch = batch
        self._lease = lease
        self._poll_seconds = poll_seconds
        self._grace_seconds = grace_seconds
        self._random = random
        self._keep_events = keep_events
        self._running: set[asyncio.Task[None]] = set()
        self._to_sequence = asyncio.Event()
        self._to_perform = asyncio.Event()
        self._to_deliver = asyncio.Event()
        self._to_retry = asyncio.Event()
        self._to_forget = asyncio.Event()
        deliveries.when_done = self._to_deliver.set

    @property
    def tasks_running(self) -> int:
        """How many tasks it has in hand."""
        return len(self._running)

    def nudge(self) -> None:
        """There may be something to do: look now, not at the next poll. For the same event loop."""
        self._to_sequence.set()
        self._to_perform.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what was begun, or let go of what takes long. Nothing that
        fails on the way ends it."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._repeat("sequence", self._sequence, self._to_sequence, stop))
            loops.create_task(self._repeat("perform", self._begin_due, self._to_perform, stop))
            deliver = self._deliveries.begin_due
            loops.create_task(self._repeat("deliver", deliver, self._to_deliver, stop))
            retry = partial(self._retries.run_due, stop)
            loops.create_task(self._repeat("retry", retry, self._to_retry, stop, _RETRY_SECONDS))
            loops.create_task(self._repeat("forget", self._forget, self._to_forget, stop, _FORGET_SECONDS))
            await stop.wait()
            self.nudge()
            for waiting in (self._to_deliver, self._to_retry, self._to_forget):
                waiting.set()
        await asyncio.gather(self._finish_soon(), self._deliveries.finish_soon(self._grace_seconds))

    async def drain(self) -> None:
        """Work until every event has its number, nothing is due, also to be delivered, and nothing is kept
        for too long; what failed waits for its next try."""
        await self._forget()
        await self._retries.run_due()
        while True:
            begun = await self._begin_due() + await self._deliveries.begin_due()
            await self._finish()
            await self._deliveries.finish()
            if not begun and not await self._sequence():
                return

    async def _repeat(
        self,
        name: str,
        step: Callable[[], Awaitable[int]],
        wake: asyncio.Event,
        stop: asyncio.Event,
        seconds: float | None = None,
    ) -> None:
        failures = 0
        while not stop.is_set():
            wake.clear()
            pause = seconds or self._poll_seconds
            try:
                await step()
                failures = 0
            except Exception as error:  # most of all, a database that is away: it will be back
                failures += 1
                pause = min(self._poll_seconds * 2**failures, _LONGEST_PAUSE_SECONDS)
                log.warning("worker_step_failed", step=name, failures=failures, **_of(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await wake.wait()

    async def _sequence(self) -> int:
        """Number what has committed, in as many batches as it takes."""
        total = 0
        while True:
            numbered = await self._sequencer.sequence(self._batch)
            total += numbered
            if numbered:
                self._to_deliver.set()
            if numbered < self._batch:
                return total

    async def _forget(self) -> int:
        """Forget what has been kept for long enough: the replies to named requests, who was at the portal's
        door, what was delivered, and events, if they are not kept for good."""
        now = self._clock.now()
        replies = await self._in_batches(partial(self._kept.forget_replies, now - KEPT))
        access = await self._in_batches(partial(self._kept.forget_access, now - KEPT_AT_THE_DOOR))
        delivered = partial(self._kept.forget_deliveries, now - DELIVERIES_KEPT)
        forgotten = replies + access + await self._in_batches(delivered)
        if self._keep_events is not None:
            forgotten += await self._in_batches(partial(self._kept.forget_events, now - self._keep_events))
        return forgotten

    async def _in_batches(self, forget: Callable[[int], Awaitable[int]]) -> int:
        total = 0
        while True:
            forgotten = await forget(self._batch)
            total += forgotten
            if forgotten < self._batch:
                return total

    async def _begin_due(self) -> int:
        """Lease as many due tasks as there are hands free for, and begin them all: no lease is spent waiting.

        One task that is slow holds up nobody but itself.
        """
        free = self._concurrency - len(self._running)
        if free == 0:
            return 0
        tasks = await self._queue.lease(free, self._clock.now(), self._lease)
        for task in tasks:
            performing = asyncio.create_task(self._perform(task))
            self._running.add(performing)
            performing.add_done_callback(self._done)
        return len(tasks)

    def _done(self, performed: asyncio.Task[None]) -> None:
        self._running.discard(performed)
        self.nudge()  # a hand is free, and there are new events

    async def _finish(self) -> None:
        while self._running:
            await asyncio.wait(self._running)

    async def _finish_soon(self) -> None:
        """Let go of what is not finished in time: the tasks are due again at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace_seconds):
                await self._finish()
        for performing in self._running:
            performing.cancel()
        await self._finish()

    async def _perform(self, task: Task) -> None:
        ids = _ids_of(task)
        with telling_of(**ids), task_span(str(ids["kind"]), ids):
            try:
                await self._tried(task)
            except Exception as error:  # its failure could not be noted: it is due again when its lease ends
                log.warning("task_left", **_of(error))

    async def _tried(self, task: Task) -> None:
        try:
            async with asyncio.timeout(self._lease.total_seconds()):
                await self._effects(task)
            log.info("task_done")
        except asyncio.CancelledError:  # we have to stop: whoever is up takes it, and finds what we left
            log.warning("task_let_go")
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._queue.postpone(task, "interrupted", self._clock.now(), counted=False)
            raise
        except Exception as error:
            await self._failed(task, error)

    async def _failed(self, task: Task, error: Exception) -> None:
        """Try again later, or give up for good. A task that somebody else has finished is not there to be
        postponed or parked, and that is fine."""
        code, now = code_of(error), self._clock.now()
        delay = next_try(task.attempts, self._random())
        match error:
            case Unavailable(code=code) if code in _NOT_SET_UP:  # a person has to act, and the task waits
                await self._queue.postpone(task, code, now + _UNTIL_SET_UP, counted=False)
            case NotFound() | ProviderRefused() | Rejected() | Forbidden():
                await self._park(task, error)
            case _ if task.attempts >= LAST_ATTEMPT:
                await self._park(task, error)
            case Conflict():
                await self._queue.postpone(task, code, now + delay)
            case _:
                log.warning("task_postponed", **_of(error))
                await self._queue.postpone(task, code, now + delay)

    async def _park(self, task: Task, error: Exception) -> None:
        log.error("task_parked", **_of(error))
        await self._queue.park(task, code_of(error), self._clock.now())


def _of(error: Exception) -> dict[str, object]:
    """For the log: where a fault of ours comes from too (the log leaves its words out)."""
    known = isinstance(error, DomainError)
    return {"code": code_of(error)} if known else {"code": code_of(error), "exc_info": error}


def _ids_of(task: Task) -> dict[str, str | int | bool]:
    return {
        "task_id": task.id,
        "kind": str(type(task.effect).__struct_config__.tag),
        "organization_id": task.organization_id,
        "livemode": task.livemode,
        "correlation_id": task.correlation_id,
        "attempts": task.attempts,
    }
