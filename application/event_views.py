"""An event as it is published: in the feed and, the same, in webhooks. Add fields, never rename."""

from datetime import datetime
from typing import Self

from msgspec import Struct

from domain.auth import Actor
from domain.events import EventData, EventType, RecordedEvent, Subject
from domain.ids import EventId, RequestId


class EventView(Struct, frozen=True, kw_only=True):
    """A consumer that has seen the `hash` has seen the event."""

    id: EventId
    type: EventType
    sequence: int | None
    occurred_at: datetime
    livemode: bool
    subject: Subject
    data: EventData
    actor: Actor
    request_id: RequestId | None
    correlation_id: str
    causation_id: str | None
    hash: str

    @classmethod
    def of(cls, event: RecordedEvent) -> Self:
        """The event, as it is published."""
        return cls(**{name: getattr(event, name) for name in cls.__struct_fields__})
