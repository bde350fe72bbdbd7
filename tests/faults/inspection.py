"""All the books of one organization in PostgreSQL, read past row-level security: the rows as they stand."""

from collections.abc import Sequence
from typing import TypeVar

import asyncpg
import msgspec
from msgspec import Struct

from adapters.memory.books import InboxRow
from adapters.postgres.migrations import SCHEMA
from adapters.postgres.store import TABLES
from application.causes import Task
from domain.change import State
from domain.events import RecordedEvent

T = TypeVar("T")

_EVENTS = f"""
    SELECT coalesce(jsonb_agg(to_jsonb(e)
        || jsonb_build_object('subject', jsonb_build_object('type', subject_type, 'id', subject_id))
        ORDER BY transaction_id, position), '[]')
    FROM {SCHEMA}.events e WHERE organization_id = $1
"""


class Inspection(Struct, frozen=True):
    """Everything there is of one organization, in both modes, as of one moment."""

    states: tuple[State, ...]
    events: tuple[RecordedEvent, ...]
    """In the order in which they were committed."""
    tasks: tuple[Task, ...]
    inbox: tuple[InboxRow, ...]


async def inspected(admin: asyncpg.Connection, slug: str) -> Inspection:
    """The organization called `slug`, and all that is its own."""
    async with admin.transaction(isolation="repeatable_read", readonly=True):
        organization_id = await admin.fetchval(
            f"SELECT organization_id FROM {SCHEMA}.organizations WHERE slug = $1", slug
        )
        states: list[State] = []
        for kind, table in TABLES.items():
            states += await _rows(admin, table, kind, organization_id)
        events = await admin.fetchval(_EVENTS, organization_id)
        return Inspection(
            tuple(states),
            tuple(msgspec.json.decode(events, type=list[RecordedEvent])),
            tuple(await _rows(admin, "tasks", Task, organization_id)),
            tuple(await _rows(admin, "inbound_events", InboxRow, organization_id)),
        )


async def _rows(
    admin: asyncpg.Connection, table: str, kind: type[T], organization_id: str | None
) -> Sequence[T]:
    rows = await admin.fetchval(
        f"SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM {SCHEMA}.{table} t WHERE organization_id = $1",
        organization_id,
    )
    return msgspec.json.decode(rows, type=list[kind])  # type: ignore[valid-type]
