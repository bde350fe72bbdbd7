"""Entitlements: whether a customer may use a feature, and how they stand with it."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog import Feature
from domain.usage import Line, free_in, in_order, level_of


class Standing(Struct, frozen=True, kw_only=True):
    """All lines of one feature together. `granted` and `used` are of the periods under way, the first of
    which ends at `resets_at`; `remaining` is not below zero. Where it is `unlimited`, only use is
    counted."""

    feature: str
    granted: int
    used: int
    remaining: int
    unlimited: bool
    overage_allowed: bool
    resets_at: datetime | None


def as_of(lines: Sequence[Line], now: datetime) -> list[Line]:
    """The lines in the order in which they are used up, with their levels as of now."""
    return [replace(line, level=level_of(line, now)) for line in in_order(lines)]


def is_allowed(feature: Feature, lines: Sequence[Line], required: int, held: int = 0) -> bool:
    """Whether so many units may be used; of a boolean feature, whether it is had. The lines are as of
    now; so many units are `held` by entities."""
    if feature.type == "boolean":
        return bool(lines)
    if any(line.balance.unlimited or line.balance.overage for line in lines):
        return True
    return sum(free_in(lines, held)) >= required


def standing(feature: str, lines: Sequence[Line], held: int = 0) -> Standing | None:
    """How the customer stands with this feature; where they have none of it, with the credits that pay for
    it. None where they have neither. The lines are as of now."""
    slugs = [line.balance.feature for line in lines]
    told = feature if feature in slugs else next(iter(slugs), None)
    if told is None:
        return None
    own = [line for line in lines if line.balance.feature == told]
    levels = [line.current for line in own]
    counted = [line.current for line in own if not line.balance.unlimited]
    if told != feature:
        held = 0
    ends = [level.period_end for level in levels if level.period_end is not None]
    return Standing(
        feature=told,
        granted=sum(level.granted for level in counted),
        used=sum(level.used for level in levels) + held,
        remaining=max(0, sum(level.remaining for level in counted) - held),
        unlimited=any(line.balance.unlimited for line in own),
        overage_allowed=any(line.balance.overage for line in own),
        resets_at=min(ends, default=None),
    )
