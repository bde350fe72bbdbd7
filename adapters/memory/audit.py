"""Who did what, in memory; the promises stand in `application.ports.audit`."""

import asyncio

from adapters.memory.books import Books, copied
from application.ports.audit import LOOKED_AT, AuditFilter, AuditPage
from domain.auth import Authenticated
from domain.events import RecordedEvent


class AuditReads:
    """The part of the store that tells who did what."""

    _books: Books

    async def audit(
        self, auth: Authenticated, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        tenant = auth.organization_id, auth.livemode
        numbered = {
            event.sequence: event
            for event in self._books.events
            if (event.organization_id, event.livemode) == tenant and event.sequence is not None
        }
        top = before if before is not None else max(numbered, default=0) + 1
        bottom = max(top - LOOKED_AT, 1)
        looked_at = (numbered[n] for n in sorted(numbered, reverse=True) if bottom <= n < top)
        found = [copied(event) for event in looked_at if _is_wanted(event, wanted)][:limit]
        await asyncio.sleep(0)
        if len(found) == limit:
            last = found[-1].sequence or 1
            return AuditPage(found, last if last > 1 else None)
        return AuditPage(found, bottom if bottom > 1 else None)


def _is_wanted(event: RecordedEvent, wanted: AuditFilter) -> bool:
    actor = event.actor
    pairs = (
        (wanted.actor, actor.type),
        (wanted.user_id, actor.user_id),
        (wanted.api_key_id, actor.api_key_id),
        (wanted.correlation_id, event.correlation_id),
        (wanted.type, event.type),
        (wanted.subject, event.subject.id),
    )
    return all(asked is None or asked == has for asked, has in pairs)
