"""What must hold of what customers may use, after every scenario: each level is what its entries say."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from adapters.memory.books import Books
from application.ports import Tracked
from domain.ids import BalanceId, OrganizationId, UsageId
from domain.usage import Entry, EntryKind, Level, Usage


class KeptLevel(Struct, frozen=True, kw_only=True):
    """A level as its row says; `entity_id` is empty for the customer's."""

    organization_id: OrganizationId
    livemode: bool
    balance_id: BalanceId
    entity_id: str
    granted: int
    remaining: int
    period_end: datetime | None
    entries: int


class KeptEntry(Struct, frozen=True, kw_only=True):
    """An entry as its row says."""

    organization_id: OrganizationId
    livemode: bool
    balance_id: BalanceId
    entity_id: str
    number: int
    kind: EntryKind
    amount: int
    remaining: int
    usage_id: UsageId
    occurred_at: datetime


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """What was answered to a usage that its caller has named."""

    organization_id: OrganizationId
    livemode: bool
    key: str
    fingerprint: str
    answer: Tracked


class Ledger(Struct, frozen=True):
    """All of it, each in the order of its keys."""

    levels: tuple[KeptLevel, ...]
    entries: tuple[KeptEntry, ...]
    usages: tuple[Usage, ...]
    answers: tuple[KeptAnswer, ...]

    def in_order(self) -> "Ledger":
        """The same, however it was read."""
        return Ledger(
            tuple(sorted(self.levels, key=_level_of)),
            tuple(sorted(self.entries, key=lambda entry: (*_level_of(entry), entry.number))),
            tuple(sorted(self.usages, key=lambda usage: usage.id)),
            tuple(sorted(self.answers, key=lambda kept: (kept.organization_id, kept.livemode, kept.key))),
        )


LEDGER_ROWS = {
    "levels": "SELECT to_jsonb(t) AS row FROM {schema}.balance_levels t",
    "entries": "SELECT to_jsonb(t) AS row FROM {schema}.balance_entries t",
    "usages": "SELECT to_jsonb(t) - 'answer' AS row FROM {schema}.usages t",
    "answers": "SELECT to_jsonb(t) AS row FROM {schema}.usages t WHERE t.key IS NOT NULL",
}
"""Where each part of it stands in PostgreSQL."""


def ledger_in(books: Books) -> Ledger:
    """What a store in memory holds."""
    return Ledger(
        tuple(
            KeptLevel(
                organization_id=org,
                livemode=live,
                balance_id=BalanceId(balance),
                entity_id=entity,
                **_fields(level),
            )
            for (org, live, balance, entity), level in books.levels.items()
        ),
        tuple(
            KeptEntry(
                organization_id=org, livemode=live, **_fields(entry) | {"entity_id": entry.entity_id or ""}
            )
            for org, live, entry in books.entries
        ),
        books.usages,
        tuple(
            KeptAnswer(organization_id=org, livemode=live, key=key, fingerprint=fingerprint, answer=answer)
            for (org, live, key), (fingerprint, answer) in books.answers.items()
        ),
    ).in_order()


def books_of(ledger: Ledger) -> dict[str, Any]:
    """The fields of a memory store's books that hold it."""
    return {
        "levels": {
            _level_of(row): Level(row.granted, row.remaining, row.period_end, row.entries)
            for row in ledger.levels
        },
        "entries": tuple(
            (
                row.organization_id,
                row.livemode,
                msgspec.convert(_fields(row) | {"entity_id": row.entity_id or None}, Entry),
            )
            for row in ledger.entries
        ),
        "usages": ledger.usages,
        "answers": {
            (row.organization_id, row.livemode, row.key): (row.fingerprint, row.answer)
            for row in ledger.answers
        },
    }


def _fields(row: Struct) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


class Inspected(Protocol):
    """Whoever lets tests see all of it."""

    @property
    def levels(self) -> Iterable[KeptLevel]: ...
    @property
    def entries(self) -> Iterable[KeptEntry]: ...
    @property
    def usages(self) -> Iterable[Usage]: ...


def check_ledger(found: Inspected) -> None:
    """Every level equals the sum of its entries, which count from 1 without a gap, one after the other, each
    of a usage that is there; and no usage is taken twice."""
    usages = {(usage.organization_id, usage.livemode, usage.id): usage for usage in found.usages}
    moved = defaultdict(list)
    for entry in found.entries:
        moved[_level_of(entry)].append(entry)
        assert (entry.organization_id, entry.livemode, entry.usage_id) in usages, entry
    levels = {_level_of(level): level for level in found.levels}
    assert levels.keys() == moved.keys()
    for name, entries in moved.items():
        entries.sort(key=lambda entry: entry.number)
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1)), entries
        sums = list(accumulate(entry.amount for entry in entries))
        assert [entry.remaining for entry in entries] == sums, entries
        assert all(one.occurred_at <= next_one.occurred_at for one, next_one in pairwise(entries)), entries
        level = levels[name]
        assert (level.entries, level.remaining) == (len(entries), sums[-1]), (level, entries)
        assert level.remaining <= level.granted, level
        assert entries[0].kind == "grant", entries
        assert "grant" not in {entry.kind for entry in entries[1:]}, entries
        said = [entry.usage_id for entry in entries if entry.kind in ("usage", "correction")]
        assert len(said) == len(set(said)), entries
    for usage in usages.values():
        assert usage.kind == "usage" or usage.recorded == usage.amount, usage
        assert 0 <= usage.recorded <= usage.amount or 0 >= usage.recorded >= usage.amount, usage


def _level_of(row: KeptLevel | KeptEntry) -> tuple[OrganizationId, bool, str, str]:
    return row.organization_id, row.livemode, row.balance_id, row.entity_id
