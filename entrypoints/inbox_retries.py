"""What Stripe told us and did not fit is tried again: by the worker when it is time, by a command at any."""

import asyncio
from dataclasses import dataclass

import structlog
from structlog.typing import FilteringBoundLogger

from application.causes import InboundEvent, StripeFact
from application.operator_ports import InboxQueue, InboxRow
from application.ports import Clock
from domain.errors import DomainError, Rejected
from entrypoints.logs import code_of, telling_of
from entrypoints.metrics.counted import Tries
from entrypoints.news import News

_AT_ONCE = 8
_PATIENCE_SECONDS = 20.0  # less than the shortest pause, so that nobody else begins meanwhile

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InboxRetries:
    """Through the use cases that the webhook drives: what is booked already stays as it is, so another try
    changes nothing, and one that is cut off is made again."""

    queue: InboxQueue
    news: News
    clock: Clock
    tries: Tries

    async def run_due(self, stop: asyncio.Event | None = None) -> int:
        """Try all that is due, and say how much that was; once `stop` is set, begin nothing more."""
        total = 0
        while stop is None or not stop.is_set():
            rows = await self.queue.lease_unhandled(_AT_ONCE, self.clock.now())
            await asyncio.gather(*map(self._try, rows))
            total += len(rows)
            if len(rows) < _AT_ONCE:
                break
        return total

    async def retry(self, row: InboxRow) -> str | None:
        """The code of why it does not fit yet; None once it is in the books."""
        if row.handled_at is not None:
            return None
        refusal = (await self.news(*again(row))).refusal
        if refusal is None and not row.organization_id:
            # It was nobody's when it was kept, and has been booked as somebody's.
            await self.queue.settle(row, self.clock.now())
        return refusal

    async def _try(self, row: InboxRow) -> None:
        with telling_of(
            correlation_id=row.id,
            stripe_event_id=row.id,
            organization_id=row.organization_id or None,
            livemode=row.livemode,
        ):
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    outcome = await self.retry(row)
            except Exception as error:  # it is due again when its lease ends
                outcome = code_of(error)
                ours = None if isinstance(error, DomainError) else error
                log.warning("inbound_event_left", code=outcome, exc_info=ours)
            self.tries.note(outcome or "handled")
            if outcome is None:
                log.info("inbound_event_handled", type=row.type)
            elif row.next_try_at is None:
                log.error("inbound_event_given_up", type=row.type, code=outcome)
            else:
                log.info("inbound_event_still_kept", type=row.type, code=outcome)


def again(row: InboxRow) -> tuple[StripeFact, InboundEvent]:
    """The news, as it came. Raises Rejected `inbound_event_without_fact`."""
    if row.fact is None:
        raise Rejected("inbound_event_without_fact", f"Nothing was kept of '{row.id}' that could be tried.")
    cause = InboundEvent(row.id, row.type, row.organization_id, row.livemode, row.received_at)
    return row.fact, cause
