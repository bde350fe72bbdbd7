"""Who did what."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import Authenticated
from domain.events import RecordedEvent

LOOKED_AT = 10_000
"""How many events are looked at for one page: asking for somebody who did little, long ago, takes several
pages, and holds nobody up."""


class AuditFilter(Struct, frozen=True):
    """Whose doings are asked for: a user's, an API key's, a request's (or whatever else was at the beginning:
    Stripe's event), of one kind of actor, of one type, about one subject."""

    actor: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    correlation_id: str | None = None
    type: str | None = None
    subject: str | None = None


class AuditPage(Struct, frozen=True):
    """What was found, newest first; `next_before` is where to go on, None where there is nothing older."""

    events: Sequence[RecordedEvent]
    next_before: int | None


class AuditLog(Protocol):
    """All that has happened, by who did it."""

    async def audit(
        self, auth: Authenticated, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Numbered events that are wanted, at most so many, newest first; with a sequence below `before`, if
        it is given. Of no more than `LOOKED_AT` events, so that a page may be short, or empty, and not the
        last."""
