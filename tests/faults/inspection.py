"""All the books of one organization in PostgreSQL, read past row-level security: the rows as they stand."""

from typing import TypeVar

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres.commits import TABLES
from adapters.postgres.migrations import SCHEMA
from application.causes import Task
from application.operator_ports import InboxRow
from domain.change import State
from domain.events import RecordedEvent
from tests.application.usage_promises import LEDGER_ROWS, Ledger

T = TypeVar("T")

_ROWS = "SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM {table} t WHERE organization_id = $1"
_EVENTS = """
    SELECT coalesce(jsonb_agg(to_jsonb(e)
        || jsonb_build_object('subject', jsonb_build_object('type', subject_type, 'id', subject_id))
        ORDER BY transaction_id, position), '[]')
    FROM events e WHERE organization_id = $1
"""
_PARTS = {table: _ROWS.format(table=table) for table in (*TABLES.values(), "tasks", "inbound_events")}
_PARTS["events"] = _EVENTS
_FIELDS = ", ".join(f"'{name}', ({query})" for name, query in _PARTS.items())
_ALL = f"SELECT jsonb_build_object({_FIELDS})"


class Inspection(Struct, frozen=True):
    """Everything there is of one organization, in both modes, as of one moment."""

    states: tuple[State, ...]
    events: tuple[RecordedEvent, ...]
    """In the order in which they were committed."""
    tasks: tuple[Task, ...]
    inbox: tuple[InboxRow, ...]


async def inspected(admin: asyncpg.Connection, slug: str) -> Inspection:
    """The organization called `slug`, and all that is its own."""
    await admin.execute(f"SET search_path = {SCHEMA}")
    organization_id = await admin.fetchval("SELECT organization_id FROM organizations WHERE slug = $1", slug)
    found = msgspec.json.decode(await admin.fetchval(_ALL, organization_id), type=dict[str, msgspec.Raw])
    states: list[State] = []
    for kind, table in TABLES.items():
        states += _decoded(found[table], kind)
    return Inspection(
        tuple(states),
        tuple(_decoded(found["events"], RecordedEvent)),
        tuple(_decoded(found["tasks"], Task)),
        tuple(_decoded(found["inbound_events"], InboxRow)),
    )


async def ledger_of(admin: asyncpg.Connection, slug: str) -> Ledger:
    """What was used of the organization called `slug`."""
    parts = ", ".join(
        f"'{part}', (SELECT coalesce(jsonb_agg(row), '[]') FROM ({query.format(schema=SCHEMA)}) AS r"
        " WHERE row ->> 'organization_id' = o.organization_id)"
        for part, query in LEDGER_ROWS.items()
    )
    found = await admin.fetchval(
        f"SELECT jsonb_build_object({parts}) FROM {SCHEMA}.organizations o WHERE o.slug = $1", slug
    )
    return msgspec.json.decode(found, type=Ledger).in_order()


def _decoded(rows: msgspec.Raw, kind: type[T]) -> list[T]:
    return msgspec.json.decode(rows, type=list[kind])  # type: ignore[valid-type]
