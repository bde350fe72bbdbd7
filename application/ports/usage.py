"""What customers may use, and the record of what they did."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from domain.auth import Authenticated
from domain.catalog import Feature
from domain.customer import Customer
from domain.errors import Rejected
from domain.events import RecordedEvent
from domain.ids import BalanceId, EntityId, UsageId
from domain.usage import Entry, Line, Usage, WhenShort


class FeatureAsked(Struct, frozen=True):
    """Whose use of what: a customer by id or external id, a feature by slug, and one of their entities."""

    customer: str
    feature: str
    entity: str | None = None


class FeatureContext(Struct, frozen=True, kw_only=True):
    """What is there of what was asked, and the balances that count for it now, their levels as stored; of the
    feature, so many units are `held` by the customer's entities."""

    customer: Customer | None
    feature: Feature | None
    entity_id: EntityId | None
    lines: tuple[Line, ...] = ()
    held: int = 0

    def has(self, asked: FeatureAsked) -> bool:
        """Whether customer and entity are there."""
        return self.customer is not None and (asked.entity is None or self.entity_id is not None)


class BalanceContext(Struct, frozen=True, kw_only=True):
    """A customer's balances that count now; the customer is null if not there, as is the entity's id."""

    customer: Customer | None
    entity_id: EntityId | None
    lines: tuple[Line, ...] = ()


class NewUsage(Struct, frozen=True, kw_only=True):
    """Usage to be recorded: `amount` units, or given back where it is negative. Under a `key` it is recorded
    once, if all else is the same by its `fingerprint`. `event` is told where a threshold is crossed; what it
    says then stands in its data."""

    id: UsageId
    asked: FeatureAsked
    amount: int
    when_short: WhenShort
    key: str | None
    fingerprint: str
    at: datetime
    event: RecordedEvent


class NewCorrection(Struct, frozen=True, kw_only=True):
    """So many units more, or fewer, of a balance's period under way, of one entity where each has its own.
    `event` tells of it."""

    id: UsageId
    balance_id: BalanceId
    entity: str | None
    amount: int
    key: str | None
    fingerprint: str
    at: datetime
    event: RecordedEvent


Outcome = Literal[
    "recorded",
    "insufficient_balance",
    "customer_not_found",
    "feature_not_found",
    "feature_is_boolean",
    "entity_not_found",
    "balance_not_found",
    "balance_not_counted",
    "idempotency_key_reused",
]


class Tracked(Struct, frozen=True, kw_only=True):
    """What became of it, the lines as it left them, and what entities hold of the feature. `replayed`: so it
    was answered to the same usage before."""

    outcome: Outcome
    usage: Usage | None = None
    lines: tuple[Line, ...] = ()
    held: int = 0
    replayed: bool = False


class UsageLedger(Protocol):
    """The record of usage, the one thing that is written otherwise than by a unit of work (design, rule 14).

    Usage, its entries, the levels and an event are written at once or not at all, each of them correct
    whatever else is recorded at the same time.
    """

    async def feature_context(
        self, auth: Authenticated, asked: FeatureAsked, now: datetime
    ) -> FeatureContext:
        """What may be used, as of now."""

    async def track(self, auth: Authenticated, usage: NewUsage) -> Tracked:
        """Record usage. Raises Conflict where its key is given to another customer's at the same time."""

    async def correct(self, auth: Authenticated, correction: NewCorrection) -> Tracked:
        """Record a correction. What is not granted, or is used already, cannot be taken away."""

    async def balances(
        self, auth: Authenticated, customer: str, entity: str | None, now: datetime
    ) -> BalanceContext:
        """All balances of a customer that count now, those of the named entity too, in the order of ids."""

    async def usages(
        self,
        auth: Authenticated,
        customer: str,
        limit: int,
        before: UsageId | None = None,
        *,
        feature: str | None = None,
    ) -> Sequence[Usage]:
        """What they have used, newest first. Raises Rejected `customer_not_found`, `feature_not_found`."""

    async def entries(
        self, auth: Authenticated, id: BalanceId, entity: str | None, limit: int, before: int | None = None
    ) -> Sequence[Entry] | None:
        """The movements of a balance, of one entity where each has its own, newest first by number; None if
        there is no such balance, or entity."""


def no_such_feature(slug: str) -> Rejected:
    """It is not in the catalog of this organization and mode."""
    return Rejected("feature_not_found", f"There is no feature '{slug}'.", field="feature")
