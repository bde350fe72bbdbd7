"""/v1/stripe/inbox: what Stripe told us of this organization, and did not fit."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from application.operator_ports import InboxFeed, InboxPlace, InboxRow
from entrypoints.http.field_errors import CURSOR
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit
from entrypoints.http.refusals import refusals
from entrypoints.http.requests import Call

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class InboxEntry(Struct, frozen=True, kw_only=True):
    """Stripe's event: why it is not in the books, and when it is tried again; null when it was given up."""

    id: str
    type: str
    livemode: bool
    received_at: datetime
    attempts: int
    refusal: str | None
    reason: str | None
    next_try_at: datetime | None

    @classmethod
    def of(cls, row: InboxRow) -> "InboxEntry":
        """The row without the fact, which may hold a buyer's address."""
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


class InboxPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[InboxEntry, ...]
    next_cursor: str | None


class InboxController(Controller):
    """What is kept until it fits."""

    path = "/stripe/inbox"
    tags = ("stripe",)

    @get(
        operation_id="list_inbox",
        summary="What Stripe told and did not fit, newest first",
        response_description="A page of what is not handled",
        responses=refusals(PAGED),
    )
    async def page(
        self,
        request: Call,
        inbox_feed: Injected[InboxFeed],
        limit: Limit = 50,
        cursor: Annotated[
            str | None,
            QueryParameter(pattern=CURSOR, description="Those that came before it: `next_cursor` of a page."),
        ] = None,
    ) -> InboxPage:
        """Of the key's organization and mode. It is tried again by itself, for three days. What does not say
        whose it is, only the operator sees."""
        found = await inbox_feed.kept(request.auth, limit, _place(cursor) if cursor else None)
        next_cursor = _cursor(found[-1]) if len(found) == limit else None
        return InboxPage(tuple(map(InboxEntry.of, found)), next_cursor)


def _cursor(row: InboxRow) -> str:
    return f"{(row.received_at - _EPOCH) // _MICROSECOND}.{row.id}"


def _place(cursor: str) -> InboxPlace:
    microseconds, event_id = cursor.split(".")
    return _EPOCH + int(microseconds) * _MICROSECOND, event_id
