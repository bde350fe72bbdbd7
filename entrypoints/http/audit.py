"""/v1/audit"""

from datetime import datetime
from typing import Annotated, Literal

from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from application.ports.audit import AuditFilter, AuditLog
from domain.auth import Actor
from domain.events import SUBJECT_ID, EventType, RecordedEvent, Subject
from domain.ids import ApiKeyId, EventId, RequestId, UserId, id_pattern
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit
from entrypoints.http.refusals import refusals
from entrypoints.http.requests import Call

_LARGEST = 2**53 - 1  # the largest integer that every reader of JSON knows exactly


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what, to what, and by which request. The event itself has the number `sequence` in the feed."""

    sequence: int | None
    occurred_at: datetime
    type: EventType
    subject: Subject
    actor: Actor
    request_id: RequestId | None
    correlation_id: str
    causation_id: str | None
    event_id: EventId

    @classmethod
    def of(cls, event: RecordedEvent) -> "AuditEntry":
        """The event, without what it has done."""
        return cls(
            sequence=event.sequence,
            occurred_at=event.occurred_at,
            type=event.type,
            subject=event.subject,
            actor=event.actor,
            request_id=event.request_id,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
            event_id=event.id,
        )


class AuditReply(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page, null on the last one. A page may have fewer entries
    than it was asked for, or none, and not be the last: each looks at ten thousand events."""

    data: tuple[AuditEntry, ...]
    next_cursor: int | None


class AuditController(Controller):
    """Who did what: each event's actor, API key and request."""

    path = "/audit"
    tags = ("events",)

    @get(
        operation_id="list_audit",
        summary="Who did what, newest first",
        response_description="A page of the audit log",
        responses=refusals(PAGED),
    )
    async def page(
        self,
        request: Call,
        audit_log: Injected[AuditLog],
        limit: Limit = 50,
        cursor: Annotated[
            int | None, QueryParameter(ge=1, le=_LARGEST, description="`next_cursor` of a page.")
        ] = None,
        actor: Annotated[
            Literal["user", "buyer", "anonymous", "worker"] | None,
            QueryParameter(
                description="What was done through the API or a command, in the billing portal, by "
                "whoever paid without being known, or by the worker."
            ),
        ] = None,
        user_id: Annotated[
            UserId | None, QueryParameter(pattern=id_pattern(UserId), description="By this user.")
        ] = None,
        api_key_id: Annotated[
            ApiKeyId | None, QueryParameter(pattern=id_pattern(ApiKeyId), description="With this API key.")
        ] = None,
        correlation_id: Annotated[
            str | None,
            QueryParameter(
                max_length=255,
                pattern=r"\A[A-Za-z0-9_]+\Z",
                description="All that one cause has brought about: a request (its `X-Request-Id`), or "
                "an event of Stripe's.",
            ),
        ] = None,
        type: Annotated[EventType | None, QueryParameter(description="Only this type of event.")] = None,
        subject: Annotated[
            str | None, QueryParameter(pattern=SUBJECT_ID, description="Only about what has this id.")
        ] = None,
    ) -> AuditReply:
        """Of the key's organization and mode. Keys are made and revoked, catalogs applied and customers
        deleted by somebody: this says by whom."""
        wanted = AuditFilter(actor, user_id, api_key_id, correlation_id, type, subject)
        found = await audit_log.audit(request.auth, wanted, limit, cursor)
        return AuditReply(tuple(map(AuditEntry.of, found.events)), found.next_before)
