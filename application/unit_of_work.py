"""The two things every use case shares: the unit of work, and deciding again when somebody else was first."""

import functools
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ParamSpec, TypeVar, assert_never, final

import msgspec
from msgspec import Struct

from application.causes import ApiRequest, Cause, CommandLine, DeliveryTried, InboundEvent, Task
from application.idempotency import IdempotencyKey, KeptReply, Reply
from application.views import previous_of, snapshot_of, subject_of
from domain.auth import Authenticated, Caller, actor_of
from domain.change import Change, S, State
from domain.customer import Customer
from domain.customer_changes import Redaction
from domain.effects import due_at, effects_of
from domain.errors import Conflict
from domain.events import Event, EventData, RecordedEvent
from domain.ids import EventId, Ids, OrganizationId, TaskId

P = ParamSpec("P")
R = TypeVar("R")

conflicts_retried: Counter[str] = Counter()
"""How often each use case of this process has decided again, as somebody else was first."""


class Part(Struct, frozen=True):
    """What a unit of work stores for one organization in one mode."""

    organization_id: OrganizationId
    livemode: bool
    states: tuple[State, ...]
    events: tuple[RecordedEvent, ...]
    tasks: tuple[Task, ...]
    redactions: tuple[Redaction, ...] = ()


class TakenWork(Struct, frozen=True):
    """A unit of work as the store gets it: to be stored whole, or not at all; with what is answered to a
    request that has a key."""

    cause: Cause
    decided_at: datetime
    parts: tuple[Part, ...]
    reply: KeptReply | None = None


@final
class UnitOfWork:
    """What one use case decided. It can be stored whole, once, or not at all.

    `auth` says who acts (nobody does when the worker performs an effect), `now` when it was decided.
    """

    def __init__(self, cause: Cause, auth: Caller | None, ids: Ids, now: datetime) -> None:
        self._cause = cause
        self._actor = actor_of(auth)
        self._ids = ids
        self._now = now
        self._auth = auth
        self._changes: list[Change[Any]] = []
        self._redacted: list[Customer] = []
        self._kept: tuple[str | None, Reply | None] | None = None
        self._taken = False

    def record(self, change: Change[S]) -> S:
        """Take the change, and all that belongs together with it, into this work."""
        assert not self._taken, "recorded after commit: this change would be lost"
        self._changes.append(change)
        for part in change.together_with:
            self.record(part)
        return change.after

    def redact(self, customer: Customer) -> None:
        """With this work, all that identifies the customer is taken out of whatever else the books hold of
        them; `customer` as they were known before. Raises StaleState at the commit where they have begun
        something since."""
        assert not self._taken, "redacted after commit: it would not be done"
        self._redacted.append(customer)

    def answer(self, result: object) -> None:
        """What the use case results in. A caller who has named the request gets the same reply again."""
        if (key := _key_of(self._cause)) is not None:
            self._kept = None, key.encode(result)

    def begin(self, subject_id: str) -> None:
        """There is no reply yet: whoever sends a named request again goes on with this."""
        self._kept = subject_id, None

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to commit: a change, or a row of the cause's own."""
        has_no_row = (
            isinstance(self._cause, ApiRequest | CommandLine | DeliveryTried) and _key_of(self._cause) is None
        )
        return bool(self._changes) or not has_no_row

    @property
    def tells(self) -> tuple[str, ...]:
        """What has happened by it: the types of its events, in their order."""
        return tuple(event.type for change in self._changes for event in change.events)

    def take(self) -> TakenWork:
        """For the store: the latest state of each subject, every event in order, and the events' effects."""
        assert not self._taken, "a unit of work is committed once"
        self._taken = True
        parts: dict[tuple[OrganizationId, bool], _OpenPart] = {}
        for change in self._changes:
            after = change.after
            part = parts.setdefault((after.organization_id, after.livemode), _OpenPart())
            part.states[type(after), after.id] = after
            for event in change.events:
                recorded = self._recorded(event, change)
                part.events.append(recorded)
                part.tasks += self._tasks(event, change, recorded)
        for known in self._redacted:
            redacted = parts.setdefault((known.organization_id, known.livemode), _OpenPart()).redactions
            redacted.append(Redaction(known.id, known.email_key, known.stripe_customer_id))
        return TakenWork(
            self._cause,
            self._now,
            tuple(
                Part(
                    organization_id,
                    livemode,
                    tuple(p.states.values()),
                    tuple(p.events),
                    tuple(p.tasks),
                    tuple(p.redactions),
                )
                for (organization_id, livemode), p in parts.items()
            ),
            self._kept_reply(),
        )

    def _kept_reply(self) -> KeptReply | None:
        key = _key_of(self._cause)
        if key is None:
            return None
        assert self._kept is not None, (
            "a named request is committed without a reply, and could not be repeated"
        )
        assert isinstance(self._auth, Authenticated)
        subject_id, reply = self._kept
        return KeptReply(
            organization_id=self._auth.organization_id,
            livemode=self._auth.livemode,
            route=key.route,
            key=key.key,
            fingerprint=key.fingerprint,
            subject_id=subject_id,
            reply=reply,
            created_at=self._now,
        )

    def _recorded(self, event: Event, change: Change[Any]) -> RecordedEvent:
        after = change.after
        subject = subject_of(after)
        request_id, correlation_id, causation_id = _origin(self._cause)
        return RecordedEvent(
            id=self._ids.new(EventId),
            organization_id=after.organization_id,
            livemode=after.livemode,
            type=event.type,
            occurred_at=self._now,
            subject=subject,
            data=EventData(snapshot_of(after), previous_of(change.before, after) if change.before else None),
            actor=self._actor,
            request_id=request_id,
            correlation_id=correlation_id,
            causation_id=causation_id,
            hash=event_hash(event, subject.id, after.version + 1),
        )

    def _tasks(self, event: Event, change: Change[Any], recorded: RecordedEvent) -> list[Task]:
        return [
            Task(
                id=self._ids.new(TaskId),
                organization_id=recorded.organization_id,
                livemode=recorded.livemode,
                effect=effect,
                created_at=recorded.occurred_at,
                due_at=due_at(effect, recorded.occurred_at),
                correlation_id=recorded.correlation_id,
                causation_id=recorded.id,
            )
            for effect in effects_of(event, change.after, change.before)
        ]


class _OpenPart:
    def __init__(self) -> None:
        self.states: dict[tuple[type, str], State] = {}
        self.events: list[RecordedEvent] = []
        self.tasks: list[Task] = []
        self.redactions: list[Redaction] = []


def _key_of(cause: Cause) -> IdempotencyKey | None:
    return cause.idempotency if isinstance(cause, ApiRequest) else None


def event_hash(event: Event, subject_id: str, version: int) -> str:
    """The same for the same event, however often it is told: of (type, subject, version or fact)."""
    identity = msgspec.json.encode((event.type, subject_id, event.fact or version))
    return hashlib.sha256(identity).hexdigest()


def _origin(cause: Cause) -> tuple[Any, str, str | None]:
    """Request, correlation and causation id of what this cause brings about."""
    match cause:
        case ApiRequest(request_id=request_id) | CommandLine(request_id=request_id):
            return request_id, request_id, None
        case InboundEvent(id=id):
            return None, id, id
        case Task(correlation_id=correlation_id, causation_id=causation_id):
            return None, correlation_id, causation_id
        case DeliveryTried(correlation_id=correlation_id, event_id=event_id):
            return None, correlation_id, event_id
        case _:
            assert_never(cause)


def retry_on_stale(attempts: int = 10) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Read again and decide again when the commit found that somebody else was first.

    Safe, as deciding is pure and gateway calls carry idempotency keys. After `attempts` the conflict is
    the caller's to see.
    """

    def decorate(use_case: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        name = use_case.__qualname__.partition(".")[0]  # the class, whichever of its methods it is

        @functools.wraps(use_case)
        async def decided_again(*args: P.args, **kwargs: P.kwargs) -> R:
            for _ in range(attempts - 1):
                try:
                    return await use_case(*args, **kwargs)
                except Conflict:
                    conflicts_retried[name] += 1
            return await use_case(*args, **kwargs)

        return decided_again

    return decorate
