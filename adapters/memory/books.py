"""The rows themselves, as of one moment, and how a commit turns them into those of the next."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace as with_fields

from adapters.memory.addressing import DeliveryKey, addressed
from adapters.memory.constraints import RowKey, UniqueKey, references, unique_keys
from adapters.memory.redaction import Redacting, is_begun_for_nobody, is_somebody_deleted
from application.causes import ApiRequest, CommandLine, DeliveryTried, InboundEvent, Task
from application.idempotency import KeptReply, repeated
from application.inbox_tries import next_try_at
from application.operator_ports import InboxRow
from application.ports import Tracked
from application.unit_of_work import TakenWork
from domain.change import State, stored
from domain.delivery import Attempt, Delivery
from domain.errors import Conflict, StaleState
from domain.events import RecordedEvent
from domain.ids import AccessRequestId, OrganizationId, TaskId, WebhookEndpointId
from domain.portal import AccessRequest, PortalLink, PortalSession
from domain.usage import Entry, Level, Usage

T = TypeVar("T")
InboxKey = tuple[OrganizationId, bool, str]
LevelKey = tuple[OrganizationId, bool, str, str]
"""Of a balance, and the entity whose level it is; empty for the customer's."""
ReplyKey = tuple[OrganizationId, bool, str, str]


def copied(value: T) -> T:
    """The same value, sharing nothing that could be changed: as if it had been through a database."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value))


@dataclass(frozen=True, slots=True)
class Books:
    """Every row there is. Never changed: a commit makes new books, or none."""

    states: dict[RowKey, State] = field(default_factory=dict)
    taken: dict[UniqueKey, RowKey] = field(default_factory=dict)
    events: tuple[RecordedEvent, ...] = ()
    last_sequence: dict[tuple[OrganizationId, bool], int] = field(default_factory=dict)
    tasks: dict[TaskId, Task] = field(default_factory=dict)
    inbox: dict[InboxKey, InboxRow] = field(default_factory=dict)
    replies: dict[ReplyKey, KeptReply] = field(default_factory=dict)
    levels: dict[LevelKey, Level] = field(default_factory=dict)
    entries: tuple[tuple[OrganizationId, bool, Entry], ...] = ()
    usages: tuple[Usage, ...] = ()
    access: dict[AccessRequestId, AccessRequest] = field(default_factory=dict)
    portal_sessions: dict[str, PortalSession] = field(default_factory=dict)
    portal_links: dict[str, PortalLink] = field(default_factory=dict)
    """By the hash of what the browser holds; these and the requests are not the books, but stand beside
    them."""
    answers: dict[InboxKey, tuple[str, Tracked]] = field(default_factory=dict)
    deliveries: dict[DeliveryKey, Delivery] = field(default_factory=dict)
    attempts: dict[DeliveryKey, tuple[Attempt, ...]] = field(default_factory=dict)
    failing: dict[tuple[OrganizationId, bool, WebhookEndpointId], datetime] = field(default_factory=dict)
    """Endpoints at which nothing has arrived since then."""

    def after(self, work: TakenWork) -> "Books":
        """The books with this work in them. Raises Repeated, StaleState or Conflict; these books stay as they
        are."""
        changed = any(part.states for part in work.parts)
        replies = self._with_reply(work.reply)
        tasks, inbox = dict(self.tasks), dict(self.inbox)
        _settle(work, tasks, inbox, changed=changed)
        states, taken = self._with_states([copied(state) for part in work.parts for state in part.states])
        events = tuple(copied(event) for part in work.parts for event in part.events)
        tasks.update((task.id, copied(task)) for part in work.parts for task in part.tasks)
        books = replace(
            self,
            states=states,
            taken=taken,
            events=(*self.events, *events),
            tasks=tasks,
            inbox=inbox,
            replies=replies,
        )
        for part in work.parts:
            for redaction in part.redactions:
                tenant = part.organization_id, part.livemode
                books = books._without_traces(Redacting(redaction, tenant, books.states))
        return books

    def _without_traces(self, redacting: Redacting) -> "Books":
        return replace(
            self,
            states={key: redacting.row(state) for key, state in self.states.items()},
            events=tuple(map(redacting.event, self.events)),
            tasks=redacting.tasks(self.tasks),
            inbox={key: redacting.inbox(row) for key, row in self.inbox.items()},
            replies={key: redacting.reply(kept) for key, kept in self.replies.items()},
            usages=tuple(map(redacting.usage, self.usages)),
            access={key: row for key, row in self.access.items() if not redacting.is_theirs(row)},
            portal_sessions={
                key: row for key, row in self.portal_sessions.items() if not redacting.is_theirs(row)
            },
            portal_links={key: row for key, row in self.portal_links.items() if not redacting.is_theirs(row)},
            answers={
                key: (fingerprint, answer)
                for key, (fingerprint, answer) in self.answers.items()
                if answer.usage is None or redacting.usage(answer.usage) == answer.usage
            },
            attempts=redacting.attempts(self.attempts, self.deliveries, self.events),
        )

    def without_replies(self, before: datetime, limit: int) -> tuple["Books", int]:
        """The books without the oldest replies that were kept before then, and how many those were."""
        old = sorted(
            (key for key, kept in self.replies.items() if kept.created_at < before),
            key=lambda key: self.replies[key].created_at,
        )[:limit]
        left = {key: kept for key, kept in self.replies.items() if key not in old}
        return replace(self, replies=left), len(old)

    def _with_reply(self, kept: KeptReply | None) -> dict[ReplyKey, KeptReply]:
        if kept is None:
            return self.replies
        key = kept.organization_id, kept.livemode, kept.route, kept.key
        before = self.replies.get(key)
        if before is not None and (before.reply is not None or kept.reply is None):
            raise repeated()
        if is_somebody_deleted(kept, self.states):
            raise StaleState("stale_state", "the customer was deleted")
        if before is None:
            return {**self.replies, key: copied(kept)}
        return {**self.replies, key: with_fields(before, reply=copied(kept.reply))}

    def with_tasks(self, tasks: list[Task]) -> "Books":
        """The books with these tasks as they are now."""
        return replace(self, tasks={**self.tasks, **{task.id: task for task in tasks}})

    def with_inbox(self, rows: list[InboxRow]) -> "Books":
        """The books with these rows of the inbox as they are now."""
        changed = {(row.organization_id, row.livemode, row.id): row for row in rows}
        return replace(self, inbox={**self.inbox, **changed})

    def numbered(self, limit: int) -> tuple["Books", int]:
        """With the first `limit` events that have no sequence given theirs, and addressed to whoever wants
        them; and how many those were."""
        last = dict(self.last_sequence)
        given = 0
        events: list[RecordedEvent] = []
        for event in self.events:
            tenant = event.organization_id, event.livemode
            sequence = event.sequence
            if sequence is None and given < limit:
                given += 1
                sequence = last[tenant] = last.get(tenant, 0) + 1
            events.append(with_fields(event, sequence=sequence))
        known = {event.id for event in self.events if event.sequence is not None}
        new = [event for event in events if event.sequence is not None and event.id not in known]
        deliveries = {**self.deliveries, **addressed(new, self.states)}
        numbered = replace(self, events=tuple(events), last_sequence=last, deliveries=deliveries)
        return numbered, given

    def without_events(self, before: datetime, limit: int) -> tuple["Books", int]:
        """The books without the oldest numbered events of each organization and mode from before then, but
        for those that are still needed; and how many those were."""
        needed = {task.causation_id for task in self.tasks.values()}
        needed |= {one.event_id for one in self.deliveries.values() if one.status == "pending"}
        counted: Counter[tuple[OrganizationId, bool]] = Counter()
        left = []
        for event in self.events:
            tenant = event.organization_id, event.livemode
            is_old = event.sequence is not None and event.occurred_at < before
            if is_old and event.id not in needed and counted[tenant] < limit:
                counted[tenant] += 1
            else:
                left.append(event)
        return replace(self, events=tuple(left)), counted.total()

    def _with_states(self, changed: list[State]) -> tuple[dict[RowKey, State], dict[UniqueKey, RowKey]]:
        states, taken = dict(self.states), dict(self.taken)
        for state in changed:
            before = self._checked(state)
            for key in unique_keys(before) if before else ():
                del taken[key]
            states[_key(state)] = stored(state)
        # Judged only now that everything is written: within a commit, one row may give up what another takes.
        for state in changed:
            for key in unique_keys(state):
                if taken.setdefault(key, _key(state)) != _key(state):
                    raise Conflict("conflict", f"{key[0]} is taken")
            if is_begun_for_nobody(state, states):
                raise StaleState("stale_state", "the customer was deleted")
            for reference in references(state):
                if reference not in states:
                    raise AssertionError(
                        f"{_name(_key(state))} refers to {_name(reference)}, which is not there"
                    )
        return states, taken

    def _checked(self, state: State) -> State | None:
        before = self.states.get(_key(state))
        if state.version == 0 and before is not None:
            raise Conflict("conflict", f"{_name(_key(state))} is taken")
        if state.version != (before.version if before else 0):
            raise StaleState("stale_state", f"{_name(_key(state))} has changed since it was read")
        return before


def _key(state: State) -> RowKey:
    return type(state), state.organization_id, state.livemode, state.id


def _name(key: RowKey) -> str:
    kind, *_, row_id = key
    return f"{kind.__name__} {row_id}"


def _settle(
    work: TakenWork, tasks: dict[TaskId, Task], inbox: dict[InboxKey, InboxRow], *, changed: bool
) -> None:
    match work.cause:
        case InboundEvent(organization_id=organization_id, livemode=livemode, id=id):
            key = organization_id, livemode, id
            inbox[key] = _received(copied(work.cause), inbox.get(key), work.decided_at)
        case Task(id=task_id):
            if tasks.pop(task_id, None) is None and changed:
                raise StaleState("stale_state", f"{task_id} has been done by somebody else")
        case ApiRequest() | CommandLine() | DeliveryTried():
            pass


def _received(event: InboundEvent, before: InboxRow | None, now: datetime) -> InboxRow:
    if before is not None and before.handled_at is not None:
        raise StaleState("stale_state", f"{event.id} has been handled already")
    return InboxRow(
        id=event.id,
        type=before.type if before else event.type,
        organization_id=event.organization_id,
        livemode=event.livemode,
        received_at=before.received_at if before else event.received_at,
        attempts=before.attempts + 1 if before else 1,
        handled_at=now if event.refusal is None else None,
        refusal=event.refusal,
        reason=event.reason,
        fact=event.fact,
        next_try_at=next_try_at(event.id, event.received_at, now) if event.refusal else None,
    )
