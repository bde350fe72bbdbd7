"""An event is brought to an endpoint, at least once."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from application.causes import DeliveryTried
from application.ports import (
    Clock,
    DeliveryQueue,
    EventOutbox,
    LeasedDelivery,
    Sent,
    WebhookEndpointRepository,
    WebhookSender,
)
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import webhook_endpoint
from domain.auth import Anonymous
from domain.delivery import Attempt, next_try_after
from domain.ids import Ids
from domain.webhook_endpoint import DisabledReason, has_failed_for_too_long

_GONE = 410

_random = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True)
class DeliverEvent:
    """Send an event, and record what came of it: it has arrived, is tried again, or is given up.

    At least once: whoever crashes between sending and recording has it sent again, under the same id. An
    endpoint that says it is gone, or at which nothing has arrived for days, is disabled; that comes before
    the record, so that a crash in between has it found out again.
    """

    sender: WebhookSender
    queue: DeliveryQueue
    endpoints: WebhookEndpointRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    random: Callable[[], float] = _random

    async def __call__(self, leased: LeasedDelivery) -> Attempt:
        """Raises what commits and the queue do; then the delivery is due again when its lease ends."""
        begun = self.clock.now()
        sent = await self.sender.send(leased.endpoint, leased.event, begun)
        attempt = Attempt(
            leased.delivery.attempts, begun, sent.status, sent.error, sent.duration_ms, sent.reply
        )
        if (reason := self._reason_to_disable(leased, sent)) is not None:
            await self._disable(leased, reason)
        now = self.clock.now()
        pause = next_try_after(leased.delivery.tries, self.random())
        is_last = attempt.succeeded or pause is None
        await self.queue.record_attempt(leased, attempt, None if is_last or pause is None else now + pause)
        return attempt

    def _reason_to_disable(self, leased: LeasedDelivery, sent: Sent) -> DisabledReason | None:
        if sent.status == _GONE:
            return "gone"
        if sent.error is not None and has_failed_for_too_long(
            leased.endpoint, leased.failing_since, self.clock.now()
        ):
            return "failing"
        return None

    @retry_on_stale()
    async def _disable(self, leased: LeasedDelivery, reason: DisabledReason) -> None:
        endpoint, event = leased.endpoint, leased.event
        record = await self.endpoints.webhook_endpoint(
            Anonymous(endpoint.organization_id, endpoint.livemode), endpoint.id
        )
        # Somebody has changed it meanwhile: maybe so that it works.
        if record is None or record.endpoint.url != endpoint.url:
            return
        if record.endpoint.enabled_at != endpoint.enabled_at:
            return
        now = self.clock.now()
        disabling = webhook_endpoint.disable(record.endpoint, reason, now)
        if disabling is None:
            return
        work = UnitOfWork(DeliveryTried(event.correlation_id, event.id), None, self.ids, now)
        work.record(disabling)
        await self.outbox.commit(work)
