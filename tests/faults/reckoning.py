"""After the storm: do the balances say what was acknowledged, to the unit, and do the entries say why?"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres.migrations import SCHEMA
from tests.faults.tracking import COSTS, Answered


class BookedUsage(Struct, frozen=True):
    """A row of usage, and whose it is."""

    id: str
    customer: str
    feature: str
    recorded: int
    key: str


class BookedEntry(Struct, frozen=True):
    """A row of a balance's entries."""

    number: int
    kind: str
    amount: int
    remaining: int
    usage_id: str


class BookedBalance(Struct, frozen=True):
    """A balance with what was ever said of it."""

    id: str
    customer: str
    feature: str
    remaining: int | None
    entry_count: int | None
    entries: list[BookedEntry]


class UsageBooks(Struct, frozen=True):
    """All of it, past row-level security."""

    usages: list[BookedUsage]
    balances: list[BookedBalance]


_BOOKS = """
    SELECT jsonb_build_object(
        'usages', (SELECT coalesce(jsonb_agg(to_jsonb(u)
                || jsonb_build_object('customer', c.external_id, 'feature', f.slug)), '[]')
            FROM usages u
            JOIN customers c ON c.organization_id = u.organization_id AND c.id = u.customer_id
            JOIN features f ON f.organization_id = u.organization_id AND f.id = u.feature_id),
        'balances', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'id', b.id, 'customer', c.external_id, 'feature', f.slug,
                'remaining', l.remaining, 'entry_count', l.entries, 'entries', (
                    SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.number), '[]') FROM balance_entries e
                    WHERE e.organization_id = b.organization_id AND e.balance_id = b.id))), '[]')
            FROM balances b
            JOIN customers c ON c.organization_id = b.organization_id AND c.id = b.customer_id
            JOIN features f ON f.organization_id = b.organization_id AND f.id = b.feature_id
            LEFT JOIN balance_levels l ON l.organization_id = b.organization_id AND l.balance_id = b.id))
"""


async def usage_books(admin: asyncpg.Connection) -> UsageBooks:
    """As they stand."""
    await admin.execute(f"SET search_path = {SCHEMA}")
    return msgspec.json.decode(await admin.fetchval(_BOOKS), type=UsageBooks)


def reckoned(books: UsageBooks, answered: Answered) -> list[str]:
    """What is wrong, each in words; nothing, if all is well."""
    return [
        *answered.unlike,
        *_not_as_acknowledged(books, answered),
        *(word for balance in books.balances for word in _not_summed(balance)),
        *_not_taken(books),
        *_not_to_the_unit(books, answered),
    ]


def _not_as_acknowledged(books: UsageBooks, answered: Answered) -> Iterator[str]:
    """Each key that was answered is booked once, as it was answered, and no other is."""
    times = Counter(usage.key for usage in books.usages)
    yield from (f"{key} is booked {n} times" for key, n in times.items() if n != 1)
    yield from (f"{key} was acknowledged, and is lost" for key in answered.recorded if key not in times)
    yield from (f"{key} was refused, and is booked" for key in answered.refused if key in times)
    for usage in books.usages:
        told = answered.recorded.get(usage.key)
        if told is not None and (told["id"], told["recorded"]) != (usage.id, usage.recorded):
            yield f"{usage.key} was answered {told['id']} {told['recorded']}, and booked {usage}"


def _not_summed(balance: BookedBalance) -> Iterator[str]:
    """The entries are numbered without gaps, and sum to what each of them says and to what remains."""
    entries = balance.entries
    if [entry.number for entry in entries] != list(range(1, (balance.entry_count or 0) + 1)):
        yield f"{balance.id} has {balance.entry_count} entries: {[entry.number for entry in entries]}"
    sums = list(accumulate(entry.amount for entry in entries))
    if [entry.remaining for entry in entries] != sums:
        yield f"the entries of {balance.id} do not sum to what they say"
    if entries and (sums[-1] != balance.remaining or sums[-1] < 0):
        yield f"{balance.id} stands at {balance.remaining}, its entries at {sums[-1]}"


def _not_taken(books: UsageBooks) -> Iterator[str]:
    """Each record's units are those that its own entries took, of whichever balance."""
    taken: Counter[str] = Counter()
    features = {usage.id: usage.feature for usage in books.usages}
    for balance in books.balances:
        for entry in balance.entries:
            if entry.kind == "usage":
                cost = COSTS[features[entry.usage_id]]
                price = cost if balance.feature == "credits" else 1
                if entry.amount % price:
                    yield f"{entry} takes a part of a unit"
                taken[entry.usage_id] -= entry.amount // price
    for usage in books.usages:
        if taken[usage.id] != usage.recorded:
            yield f"{usage.key} records {usage.recorded}, and takes {taken[usage.id]}"


def _not_to_the_unit(books: UsageBooks, answered: Answered) -> Iterator[str]:
    """In credits: what each customer was told to have used is what left their balances."""
    told: defaultdict[str, int] = defaultdict(int)
    customers = {usage.key: usage.customer for usage in books.usages}
    for key, reply in answered.recorded.items():
        told[customers.get(key, "lost")] += reply["recorded"] * COSTS[reply["feature"]]
    left: defaultdict[str, int] = defaultdict(int)
    for balance in books.balances:
        worth = 1 if balance.feature == "credits" else COSTS[balance.feature]
        left[balance.customer] -= worth * sum(e.amount for e in balance.entries if e.kind == "usage")
    for customer in told.keys() | left.keys():
        if told[customer] != left[customer]:
            yield f"{customer} was told of {told[customer]} credits, and {left[customer]} are used"
