"""When what Stripe told us, and did not fit, is tried again by itself: the same on every store."""

import zlib
from datetime import datetime, timedelta

SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=3)
"""Counted from when it first came. From then on it waits in the inbox for a person."""


def next_try_at(id: str, received_at: datetime, now: datetime) -> datetime | None:
    """When to try an event again that did not fit just now; None when it is given up.

    It waits as long again as it has waited already: twice as long each time. Up to half of that is taken off,
    by its id, so that what came together is not tried together.
    """
    waited = now - received_at
    if waited >= GIVEN_UP_AFTER:
        return None
    whole = min(max(waited, SHORTEST_PAUSE), LONGEST_PAUSE)
    return now + whole * (1 - zlib.crc32(id.encode()) / 2**33)


def leased_until(received_at: datetime, now: datetime) -> datetime | None:
    """When an event is due again that somebody begins to try now, should nothing come of it."""
    waited = now - received_at
    return None if waited >= GIVEN_UP_AFTER else now + min(max(waited, SHORTEST_PAUSE), LONGEST_PAUSE)
