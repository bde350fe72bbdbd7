"""All that a store holds, of whichever adapter, to be compared and to be started from."""

from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from adapters.memory.books import Books
from adapters.memory.constraints import unique_keys
from adapters.memory.store import MemoryStore
from adapters.postgres.commits import TABLES
from adapters.postgres.migrations import SCHEMA
from application.causes import Task
from application.idempotency import KeptReply
from application.operator_ports import InboxRow
from domain.change import State
from domain.events import RecordedEvent
from domain.ids import OrganizationId
from domain.usage import Usage
from tests.application.usage_promises import (
    LEDGER_ROWS,
    KeptAnswer,
    KeptEntry,
    KeptLevel,
    Ledger,
    books_of,
    ledger_in,
)
from tests.machine import delivery_rows
from tests.machine.delivery_rows import AttemptRow, Deliveries, DeliveryRow, FailureRow, deliveries_in


class Everything(Struct, frozen=True):
    """Every row of every tenant: states, tasks, inbox and replies in the order of their keys; events as they
    committed within each tenant, as far as they are numbered, then the others in the order of their ids;
    and what was used.
    """

    states: tuple[State, ...]
    events: tuple[RecordedEvent, ...]
    tasks: tuple[Task, ...]
    inbox: tuple[InboxRow, ...]
    replies: tuple[KeptReply, ...]
    levels: tuple[KeptLevel, ...]
    entries: tuple[KeptEntry, ...]
    usages: tuple[Usage, ...]
    answers: tuple[KeptAnswer, ...]
    told: Deliveries


class ForkableStore(MemoryStore):
    """A store in memory that others can be made of, and that can be started from somebody else's rows."""

    def fork(self) -> "ForkableStore":
        """Another store that holds the same; neither sees what the other does from now on."""
        twin = ForkableStore()
        twin._books = self._books
        return twin

    def load(self, found: Everything) -> None:
        """From now on it holds this, and nothing else."""
        states = {(type(s), s.organization_id, s.livemode, s.id): s for s in found.states}
        self._books = Books(
            states=states,
            taken={taken: key for key, state in states.items() for taken in unique_keys(state)},
            events=found.events,
            last_sequence=_last_sequences(found.events),
            tasks={task.id: task for task in found.tasks},
            inbox={(row.organization_id, row.livemode, row.id): row for row in found.inbox},
            replies={
                (kept.organization_id, kept.livemode, kept.route, kept.key): kept for kept in found.replies
            },
            **delivery_rows.books_of(found.told),
            **books_of(Ledger(found.levels, found.entries, found.usages, found.answers)),
        )

    def everything(self) -> Everything:
        """What it holds."""
        replies = list(self._books.replies.values())
        ledger = ledger_in(self._books)
        return _in_order(
            list(self.states),
            list(self.events),
            list(self.tasks),
            list(self.inbox),
            replies,
            ledger,
            deliveries_in(self._books),
        )


def _last_sequences(events: tuple[RecordedEvent, ...]) -> dict[tuple[OrganizationId, bool], int]:
    """Of each tenant; the machine forgets no events."""
    last: dict[tuple[OrganizationId, bool], int] = {}
    for event in events:
        tenant = event.organization_id, event.livemode
        last[tenant] = max(last.get(tenant, 0), event.sequence or 0)
    return last


_KINDS: dict[str, Any] = {
    **{table: kind for kind, table in TABLES.items()},
    "events": RecordedEvent,
    "tasks": Task,
    "inbound_events": InboxRow,
    "kept_replies": KeptReply,
    "deliveries": DeliveryRow,
    "delivery_attempts": AttemptRow,
    "endpoint_failures": FailureRow,
}
_OTHERS = (
    "route_organizations",
    "route_api_keys",
    "route_checkout_sessions",
    "route_invoices",
    "route_intake_payments",
    "event_counters",
    "access_requests",
    "portal_sessions",
    "portal_links",
    "balance_levels",
    "balance_entries",
    "usages",
)
_DECODER = msgspec.json.Decoder(
    msgspec.defstruct(
        "Rows",
        [
            *((table, list[kind]) for table, kind in _KINDS.items()),  # type: ignore[valid-type]
            ("ledger", Ledger),
        ],
    )
)
_EVENT = (
    "to_jsonb(t) || jsonb_build_object('subject', jsonb_build_object('type', subject_type, 'id', subject_id))"
)


class PostgresBooks:
    """Looks into a database past row-level security, and empties it."""

    def __init__(self, superuser: asyncpg.Connection) -> None:
        self._superuser = superuser
        rows = (
            f"'{table}', (SELECT coalesce(jsonb_agg({_EVENT if table == 'events' else 'to_jsonb(t)'}), '[]')"
            f" FROM {SCHEMA}.{table} t)"
            for table in _KINDS
        )
        ledger = (
            f"'{part}', (SELECT coalesce(jsonb_agg(row), '[]') FROM ({query.format(schema=SCHEMA)}) AS r)"
            for part, query in LEDGER_ROWS.items()
        )
        self._query = (
            f"SELECT jsonb_build_object({', '.join(rows)}, 'ledger', jsonb_build_object({', '.join(ledger)}))"
        )
        self._truncate = f"TRUNCATE {', '.join(f'{SCHEMA}.{table}' for table in (*_KINDS, *_OTHERS))}"

    async def everything(self) -> Everything:
        """What the database holds, as of one moment."""
        rows: Any = _DECODER.decode(await self._superuser.fetchval(self._query))
        states = [state for table in TABLES.values() for state in getattr(rows, table)]
        return _in_order(
            states,
            rows.events,
            rows.tasks,
            rows.inbound_events,
            rows.kept_replies,
            rows.ledger.in_order(),
            Deliveries(rows.deliveries, rows.delivery_attempts, rows.endpoint_failures).in_order(),
        )

    async def clear(self) -> None:
        """Nothing of it is left."""
        await self._superuser.execute(self._truncate)


def _in_order(
    states: list[State],
    events: list[RecordedEvent],
    tasks: list[Task],
    inbox: list[InboxRow],
    replies: list[KeptReply],
    ledger: Ledger,
    told: Deliveries,
) -> Everything:
    states.sort(key=lambda state: (type(state).__name__, state.organization_id, state.livemode, state.id))
    events.sort(
        key=lambda event: (event.organization_id, event.livemode, event.sequence or float("inf"), event.id)
    )
    tasks.sort(key=lambda task: task.id)
    inbox.sort(key=lambda row: (row.organization_id, row.livemode, row.id))
    replies.sort(key=lambda kept: (kept.organization_id, kept.livemode, kept.route, kept.key))
    return Everything(
        tuple(states),
        tuple(events),
        tuple(tasks),
        tuple(inbox),
        tuple(replies),
        ledger.levels,
        ledger.entries,
        ledger.usages,
        ledger.answers,
        told,
    )
