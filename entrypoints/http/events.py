"""/v1/events"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from application.ports import EventFeed, EventFilter
from domain.auth import Actor, Authenticated
from domain.events import SUBJECT_ID, EventData, EventType, RecordedEvent, Subject
from domain.ids import EventId, RequestId
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit
from entrypoints.http.refusals import refusals
from entrypoints.http.requests import Call

LONGEST_WAIT = 15
"""Seconds: a server that is to stop answers in time all that it has begun."""
_LOOKS_EVERY = 0.25
_LAST_SEQUENCE = 2**53 - 1  # the largest integer that every reader of JSON knows exactly


class EventReply(Struct, frozen=True, kw_only=True):
    """An event, here and in webhooks. A consumer that has seen the `hash` has seen the event."""

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
    def of(cls, event: RecordedEvent) -> "EventReply":
        """The event, as it is published."""
        return cls(**{name: getattr(event, name) for name in cls.__struct_fields__})


class EventPage(Struct, frozen=True):
    """`next_cursor` is the `after` of the next page; null when this one was not full. Whoever waits for more
    asks again after the `sequence` of the last event they have.
    """

    data: tuple[EventReply, ...]
    next_cursor: int | None


class EventController(Controller):
    """What has happened, in the order in which it was stored, without gaps."""

    path = "/events"
    tags = ("events",)

    @get(
        operation_id="list_events",
        summary="Events, oldest first",
        response_description="A page of events",
        responses=refusals(PAGED),
    )
    async def page(
        self,
        request: Call,
        events: Injected[EventFeed],
        after: Annotated[
            int, QueryParameter(ge=0, le=_LAST_SEQUENCE, description="Those with a higher sequence.")
        ] = 0,
        limit: Limit = 50,
        type: Annotated[EventType | None, QueryParameter(description="Only those of this type.")] = None,
        subject: Annotated[
            str | None, QueryParameter(pattern=SUBJECT_ID, description="Only those about what has this id.")
        ] = None,
        wait: Annotated[
            float,
            QueryParameter(
                ge=0,
                le=LONGEST_WAIT,
                description="Where there is none yet, how many seconds to wait for the first one.",
            ),
        ] = 0,
    ) -> EventPage:
        """Of one type, or about one subject, if that is asked for. With `wait`, whoever has read all is
        answered as soon as there is more."""
        found = await _awaited(events, request.auth, EventFilter(after, limit, type, subject), wait)
        return EventPage(tuple(map(EventReply.of, found)), _cursor(found, limit))


async def _awaited(
    events: EventFeed, auth: Authenticated, wanted: EventFilter, seconds: float
) -> Sequence[RecordedEvent]:
    until = asyncio.get_running_loop().time() + seconds
    while True:
        found = await events.page(auth, wanted)
        left = until - asyncio.get_running_loop().time()
        if found or left <= 0:
            return found
        await asyncio.sleep(min(_LOOKS_EVERY, left))


def _cursor(found: Sequence[RecordedEvent], limit: int) -> Any:  # noqa: ANN401
    return found[-1].sequence if len(found) == limit else None
