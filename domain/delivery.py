"""Deliveries: an event on its way to an endpoint, and every attempt to bring it there."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from domain.errors import NotFound, Rejected
from domain.ids import DeliveryId, EventId, WebhookEndpointId

DeliveryStatus: TypeAlias = Literal["pending", "succeeded", "failed"]
"""`failed`: given up, until somebody asks for it again."""

LONGEST_RANGE = 10_000
"""Events that one request may have delivered again."""

PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=12),
    timedelta(hours=12),
    timedelta(hours=12),
)
"""After each attempt that has failed, until the next one: fifteen attempts in three days
(docs/webhooks.md)."""

_JITTER = 0.1

KEPT = timedelta(days=30)
"""How long what has been delivered, or given up, can be looked at."""


class Attempt(Struct, frozen=True):
    """One try: what was answered, or why nothing was. `number` counts from 1; one that is missing was begun
    by somebody who could not tell how it ended."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    duration_ms: int
    reply: str | None

    @property
    def succeeded(self) -> bool:
        return self.error is None


class Delivery(Struct, frozen=True):
    """An event for an endpoint. `attempts` are all there were, `tries` those since it was last asked for;
    `next_try_at` is null when none is to come."""

    id: DeliveryId
    endpoint_id: WebhookEndpointId
    event_id: EventId
    event_type: str
    sequence: int
    status: DeliveryStatus
    attempts: int
    tries: int
    next_try_at: datetime | None
    created_at: datetime
    settled_at: datetime | None


class Redelivery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be delivered again, also what has arrived: one event, those of a range of the feed that the
    endpoint wants, or all that was given up."""

    event: Annotated[EventId, Meta(pattern=r"\Aevt_[0-9a-z]{26}\Z")] | None = None
    from_sequence: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    to_sequence: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    failed: bool = False


def check_redelivery(wanted: Redelivery) -> None:
    """Raises Rejected `invalid_redelivery` unless it is one of the three."""
    begin, end = wanted.from_sequence, wanted.to_sequence
    has_range = begin is not None or end is not None
    if (wanted.event is not None) + has_range + wanted.failed != 1:
        raise Rejected(
            "invalid_redelivery", "Give an event, from_sequence and to_sequence, or failed: one of them."
        )
    if not has_range:
        return
    if begin is None or end is None or end < begin:
        raise Rejected(
            "invalid_redelivery",
            "A range has from_sequence and to_sequence, the first event and the last.",
            field="to_sequence",
        )
    if end - begin >= LONGEST_RANGE:
        raise Rejected(
            "invalid_redelivery", f"A range has {LONGEST_RANGE} events at most.", field="to_sequence"
        )


def next_try_after(tries: int, random: float) -> timedelta | None:
    """How long to wait after so many tries that have failed; None when it is given up. `random`, from 0 to 1,
    makes it up to a tenth shorter or longer, so that what failed together is not tried together."""
    if tries > len(PAUSES):
        return None
    return PAUSES[tries - 1] * (1 + _JITTER * (2 * random - 1))


def no_such() -> NotFound:
    """There is none, or it is somebody else's."""
    return NotFound("delivery_not_found", "There is no such delivery.")


def no_such_event() -> Rejected:
    """There is none, it has no number yet, or it is somebody else's."""
    return Rejected("event_not_found", "There is no such event.", field="event")


def delivery_id(event_id: EventId, endpoint_id: WebhookEndpointId) -> DeliveryId:
    """The same for the same event and endpoint, and beginning with the event's time. PostgreSQL makes the
    same of them, by the function of the same name."""
    hashed = hashlib.sha256(f"{event_id}{endpoint_id}".encode()).hexdigest()
    return DeliveryId(f"del_{event_id[4:14]}{hashed[:16]}")
