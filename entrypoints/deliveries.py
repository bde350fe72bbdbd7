"""The worker's hands for deliveries: which are begun, how many at once, and what is told of them."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import perf_counter

import structlog
from structlog.typing import FilteringBoundLogger

from application.ports import Clock, DeliveryQueue, LeasedDelivery
from application.webhooks.deliver_event import DeliverEvent
from domain.errors import DomainError
from domain.ids import WebhookEndpointId
from entrypoints.logs import code_of, telling_of
from entrypoints.metrics.counted import Timings

MOST_OF_ONE = 8
"""Deliveries to one endpoint at once: however slow it is, it holds up nobody but itself."""

log: FilteringBoundLogger = structlog.get_logger()


class Deliveries:
    """Begins what is due, as far as hands are free. Of each endpoint only so many are in hand at once."""

    def __init__(
        self,
        queue: DeliveryQueue,
        deliver: DeliverEvent,
        clock: Clock,
        timings: Timings,
        *,
        concurrency: int = 256,
        each: int = MOST_OF_ONE,
        lease: timedelta = timedelta(seconds=60),
    ) -> None:
        self._queue = queue
        self._deliver = deliver
        self._clock = clock
        self._timings = timings
        self._concurrency = concurrency
        self._each = each
        self._lease = lease
        self._running: set[asyncio.Task[None]] = set()
        self._of_endpoint: Counter[WebhookEndpointId] = Counter()
        self.when_done: Callable[[], None] = lambda: None
        """Called when hands are free again."""

    @property
    def running(self) -> int:
        """How many it has in hand."""
        return len(self._running)

    async def begin_due(self) -> int:
        """Lease what there are hands free for, and begin it."""
        free = self._concurrency - len(self._running)
        if free <= 0:
            return 0
        in_hand = {endpoint: held for endpoint, held in self._of_endpoint.items() if held}
        leased = await self._queue.lease_deliveries(free, self._each, in_hand, self._clock.now(), self._lease)
        for one in leased:
            self._of_endpoint[one.endpoint.id] += 1
            sending = asyncio.create_task(self._told(one))
            self._running.add(sending)
            sending.add_done_callback(partial(self._done, one.endpoint.id))
        return len(leased)

    async def finish(self) -> None:
        """Until nothing is in hand."""
        while self._running:
            await asyncio.wait(self._running)

    async def finish_soon(self, grace_seconds: float) -> None:
        """Let go of what is not finished in time: it is due again when its lease ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self.finish()
        for sending in self._running:
            sending.cancel()
        await self.finish()

    def _done(self, endpoint: WebhookEndpointId, sent: asyncio.Task[None]) -> None:
        self._running.discard(sent)
        self._of_endpoint[endpoint] -= 1
        left = self._of_endpoint[endpoint]
        if not left:
            del self._of_endpoint[endpoint]
        if left <= self._each // 2:  # a lease for several, not one for each
            self.when_done()

    async def _told(self, leased: LeasedDelivery) -> None:
        begun = perf_counter()
        with telling_of(**_ids_of(leased)):
            try:
                attempt = await self._deliver(leased)
            except Exception as error:  # it could not be recorded: it is due again when its lease ends
                self._timings.note(("not_recorded",), perf_counter() - begun)
                ours = None if isinstance(error, DomainError) else error
                log.warning("delivery_left", code=code_of(error), exc_info=ours)
                return
            self._timings.note((attempt.error or "succeeded",), perf_counter() - begun)
            tell = log.info if attempt.succeeded else log.warning
            tell(
                "delivery_tried",
                status=attempt.status,
                code=attempt.error,
                duration_ms=attempt.duration_ms,
            )


def _ids_of(leased: LeasedDelivery) -> dict[str, object]:
    """Neither the address, which may hold a secret, nor what the event says."""
    return {
        "delivery_id": leased.delivery.id,
        "endpoint_id": leased.endpoint.id,
        "event_id": leased.event.id,
        "organization_id": leased.endpoint.organization_id,
        "livemode": leased.endpoint.livemode,
        "correlation_id": leased.event.correlation_id,
        "attempts": leased.delivery.attempts,
    }
