"""How a customer stands with a feature, as it is published."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from domain.catalog import ResetInterval
from domain.entitlement import Standing
from domain.ids import BalanceId, EntityId, PurchaseId, SubscriptionId
from domain.usage import Line


class StandingReply(Struct, frozen=True, kw_only=True):
    """All balances of `feature` together: the one that was asked for, or the credits that pay for it.
    `granted` and `used` are of the periods under way, the first of which ends at `resets_at`."""

    feature: str
    granted: int
    used: int
    remaining: int
    unlimited: bool
    overage_allowed: bool
    resets_at: datetime | None

    @classmethod
    def of(cls, standing: Standing | None) -> "StandingReply | None":
        """As it is published; None where there is nothing of it."""
        if standing is None:
            return None
        return cls(
            feature=standing.feature,
            granted=standing.granted,
            used=standing.used,
            remaining=standing.remaining,
            unlimited=standing.unlimited,
            overage_allowed=standing.overage_allowed,
            resets_at=standing.resets_at,
        )


class BalanceReply(Struct, frozen=True, kw_only=True):
    """One balance, in the order in which they are used up. `remaining` is below zero where more was used
    than is granted; `cost` is what a unit of the feature asked for takes of it, where it is a credit. It
    came with a subscription, or a purchase, or was granted by hand; `entity_id`: it is that one's alone."""

    id: BalanceId
    feature: str
    granted: int
    used: int
    remaining: int
    unlimited: bool
    overage_allowed: bool
    cost: int | None
    reset: ResetInterval
    resets_at: datetime | None
    expires_at: datetime | None
    entity_id: EntityId | None
    subscription_id: SubscriptionId | None
    purchase_id: PurchaseId | None

    @classmethod
    def of(cls, line: Line) -> "BalanceReply":
        """The line, whose level is as of now."""
        balance, level = line.balance, line.current
        return cls(
            id=balance.id,
            feature=balance.feature,
            granted=level.granted,
            used=level.used,
            remaining=0 if balance.unlimited else level.remaining,
            unlimited=balance.unlimited,
            overage_allowed=balance.overage,
            cost=line.cost,
            reset=balance.reset,
            resets_at=level.period_end,
            expires_at=balance.expires_at,
            entity_id=line.entity_id or balance.entity_id,
            subscription_id=balance.subscription_id,
            purchase_id=balance.purchase_id,
        )


def balances(lines: Iterable[Line]) -> tuple[BalanceReply, ...]:
    """The lines, as they are published."""
    return tuple(map(BalanceReply.of, lines))
