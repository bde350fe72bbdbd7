"""Usage: what a customer may still use of a feature, and what using it takes from which balance.

The one rule of both adapters: the memory adapter calls it, and adapters/postgres/sql/20_usage.sql says the
same where the rows are, so that a record of usage is one round trip (design, rule 14). The contract suite
and the state machine hold them to the same answers.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.balance import Balance
from domain.catalog import MAX_UNITS, ResetInterval
from domain.ids import BalanceId, CustomerId, EntityId, FeatureId, OrganizationId, UsageId
from domain.subscription import add_months

UsageKind = Literal["usage", "correction"]
EntryKind = Literal["grant", "reset", "usage", "correction"]
Moved = Annotated[int, Meta(ge=-MAX_UNITS, le=MAX_UNITS)]
"""Units that come or go."""
WhenShort = Literal["cap", "reject"]
"""What is recorded of more than there is: what fits, or nothing."""

_SHORTEST_FIRST: tuple[ResetInterval, ...] = (
    "minute", "hour", "day", "week", "month", "quarter", "year", "never",
)  # fmt: skip


class Level(Struct, frozen=True):
    """How a balance stands: of `granted` units `remaining` are left, until `period_end`. They are below zero
    where more was used than is included. So many `entries` led there, and sum to what remains."""

    granted: int
    remaining: int
    period_end: datetime | None
    entries: int

    @property
    def used(self) -> int:
        """In this period."""
        return self.granted - self.remaining


class Line(Struct, frozen=True, kw_only=True):
    """A balance that counts for what is asked. `feature` is the slug of its own; where that is a credit,
    each unit asked for takes `cost` of it. The `level` is that of `entity_id`, or of the customer as a
    whole; null while nothing has touched it.
    """

    balance: Balance
    cost: int | None
    entity_id: EntityId | None
    level: Level | None

    @property
    def price(self) -> int:
        """Units of this balance for one unit of what is asked."""
        return self.cost or 1

    @property
    def current(self) -> Level:
        """The level, of a line that is as of now."""
        assert self.level is not None, "levels are as of now"
        return self.level


def untouched(balance: Balance) -> Line:
    """The line of a balance that nothing was taken of."""
    return Line(balance=balance, cost=None, entity_id=None, level=None)


class Usage(Struct, frozen=True, kw_only=True):
    """A record of usage, or a correction by hand: of `amount` units `recorded` were taken. Negative is given
    back. `key` is the caller's name for it."""

    id: UsageId
    organization_id: OrganizationId
    livemode: bool
    customer_id: CustomerId
    feature_id: FeatureId
    entity_id: EntityId | None
    kind: UsageKind
    amount: int
    recorded: int
    key: str | None
    occurred_at: datetime


class Entry(Struct, frozen=True, kw_only=True):
    """One movement of a level. `number` counts from 1, and the amounts up to it sum to what `remaining` says.

    The first one grants what there is, and each new period tops it up, when something is first used in it."""

    balance_id: BalanceId
    entity_id: EntityId | None
    number: int
    kind: EntryKind
    amount: int
    remaining: int
    usage_id: UsageId
    occurred_at: datetime


class Crossed(Struct, frozen=True):
    """So many percent of what is granted of a feature are used, now."""

    feature: str
    threshold: int
    granted: int
    used: int


class Taken(Struct, frozen=True):
    """What usage takes: so many units of what was asked, by these entries, which leave the lines so."""

    recorded: int
    lines: tuple[Line, ...]
    entries: tuple[Entry, ...]
    crossed: tuple[Crossed, ...]


def next_reset(anchor: datetime, reset: ResetInterval, now: datetime) -> datetime | None:
    """When the period that `now` is in ends: the first return of the anchor after it. None if it never
    does."""
    match reset:
        case "never":
            return None
        case "minute" | "hour" | "day" | "week":
            step = timedelta(**{f"{reset}s": 1})
            return anchor + ((now - anchor) // step + 1) * step
        case "month" | "quarter" | "year":
            months = {"month": 1, "quarter": 3, "year": 12}[reset]
            apart = (now.year - anchor.year) * 12 + now.month - anchor.month
            count = apart // months - 1
            while (end := add_months(anchor, count * months)) <= now:
                count += 1
            return end
        case _:
            assert_never(reset)


def level_of(line: Line, now: datetime) -> Level:
    """The line's level as of now: what is granted, if nothing has touched it in this period."""
    level, balance = line.level, line.balance
    if level is not None and (level.period_end is None or level.period_end > now):
        return level
    granted = balance.granted or 0
    # Whose clock is behind does not find a period before the first one.
    end = next_reset(balance.anchor, balance.reset, max(now, balance.created_at))
    return Level(granted, granted, end, level.entries if level else 0)


def in_order(lines: Iterable[Line]) -> list[Line]:
    """Which is used up first: the feature's own before credits, an entity's before the customer's, what has
    no limit, then what is given anew soonest, and what ends soonest."""

    def rank(line: Line) -> tuple[object, ...]:
        balance = line.balance
        ends = balance.expires_at
        return (
            line.cost is not None,
            balance.entity_id is None and not balance.per_entity,
            not balance.unlimited,
            _SHORTEST_FIRST.index(balance.reset),
            ends is None,
            ends or balance.created_at,
            balance.id,
        )

    return sorted(lines, key=rank)


def take(
    lines: Iterable[Line],
    amount: int,
    when_short: WhenShort,
    usage_id: UsageId,
    now: datetime,
    held: int = 0,
) -> Taken:
    """What so many units take from the lines; a negative amount gives back what was taken, and no more.

    What is included goes first, in order; what is left after that goes to the first that allows overage.
    Where none does, what fits is recorded, or nothing if that is to be rejected.
    """
    stored = in_order(lines)
    before = [replace(line, level=level_of(line, now)) for line in stored]
    units = _shares(before, amount, held) if amount >= 0 else _given_back(before, -amount)
    recorded = sum(units)
    if recorded != amount and amount >= 0 and when_short == "reject":
        return Taken(0, tuple(before), (), ())
    entries: list[Entry] = []
    after: list[Line] = []
    for known, line, share in zip(stored, before, units, strict=True):
        if share:
            added = entries_for(known, line, "usage", -share * line.price, usage_id, now)
            entries += added
            line = replace(line, level=_after(line.current, added))  # noqa: PLW2901
        after.append(line)
    return Taken(recorded, tuple(after), tuple(entries), crossed(before, after))


def correct(line: Line, amount: int, usage_id: UsageId, now: datetime) -> Taken:
    """So much more, or less, is granted in this period. Nobody is told of thresholds: nothing was used."""
    level = level_of(line, now)
    before = replace(line, level=level)
    entries = entries_for(line, before, "correction", amount, usage_id, now)
    after = replace(_after(level, entries), granted=level.granted + amount)
    return Taken(amount, (replace(line, level=after),), entries, ())


def entries_for(
    stored: Line, line: Line, kind: EntryKind, amount: int, usage_id: UsageId, now: datetime
) -> tuple[Entry, ...]:
    """The movement, after that which makes the `stored` level the one as of now."""
    level = line.current
    movements: list[tuple[EntryKind, int, int]] = []
    if stored.level is None:
        movements.append(("grant", level.remaining, level.remaining))
    elif stored.level != level:
        movements.append(("reset", level.remaining - stored.level.remaining, level.remaining))
    movements.append((kind, amount, level.remaining + amount))
    return tuple(
        Entry(
            balance_id=line.balance.id,
            entity_id=line.entity_id,
            number=number,
            kind=moved,
            amount=by,
            remaining=remaining,
            usage_id=usage_id,
            occurred_at=now,
        )
        for number, (moved, by, remaining) in enumerate(movements, level.entries + 1)
    )


def _after(level: Level, entries: Sequence[Entry]) -> Level:
    return replace(level, remaining=entries[-1].remaining, entries=entries[-1].number)


def _shares(lines: Sequence[Line], amount: int, held: int) -> list[int]:
    units: list[int] = []
    left = amount
    for line, free in zip(lines, free_in(lines, held), strict=True):
        fits = left if line.balance.unlimited else min(left, free)
        units.append(fits)
        left -= fits
    for number, line in enumerate(lines):
        if left and line.balance.overage:
            units[number] += left
            left = 0
    return units


def free_in(lines: Iterable[Line], held: int) -> list[int]:
    """How many units of what is asked each line can still give. What the customer's entities hold of the
    feature itself, one each, is kept back for them, from those lines first that are used up first."""
    free: list[int] = []
    for line in lines:
        units = available(line)
        kept = min(held, units) if line.cost is None else 0
        held -= kept
        free.append(units - kept)
    return free


def entities_fit(lines: Sequence[Line], held: int) -> bool:
    """Whether there is one unit of the feature itself for each entity that holds one."""
    own = [line for line in lines if line.cost is None]
    if any(line.balance.unlimited or line.balance.overage for line in own):
        return True
    return sum(map(available, own)) >= held


def _given_back(lines: Sequence[Line], amount: int) -> list[int]:
    """Overage first, then what was taken last."""
    units = [0] * len(lines)
    left = amount
    for over in (True, False):
        for number, line in reversed(list(enumerate(lines))):
            level = line.current
            most = max(0, -level.remaining if over and not line.balance.unlimited else level.used)
            back = min(left, most // line.price + units[number])
            units[number] -= back
            left -= back
    return units


def available(line: Line) -> int:
    """How many units of what is asked are included in this line still."""
    return max(0, line.current.remaining) // line.price


def crossed(before: Iterable[Line], after: Iterable[Line]) -> tuple[Crossed, ...]:
    """The thresholds that were not reached before and are now, feature by feature, the lowest first."""
    told: list[Crossed] = []
    was, now = _totals(before), _totals(after)
    for feature in sorted(now):
        granted, used, thresholds = now[feature]
        _, used_before, _ = was[feature]
        told += [
            Crossed(feature, threshold, granted, used)
            for threshold in sorted(thresholds)
            if used_before * 100 < threshold * granted <= used * 100
        ]
    return tuple(told)


def _totals(lines: Iterable[Line]) -> dict[str, tuple[int, int, frozenset[int]]]:
    totals: dict[str, tuple[int, int, frozenset[int]]] = {}
    for line in lines:
        if not line.balance.unlimited:
            granted, used, thresholds = totals.get(line.balance.feature, (0, 0, frozenset()))
            level = line.current
            totals[line.balance.feature] = (
                granted + level.granted,
                used + level.used,
                thresholds | set(line.balance.thresholds),
            )
    return totals
