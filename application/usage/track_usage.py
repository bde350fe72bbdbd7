"""An application says what a customer has used."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.causes import ApiRequest
from application.ports import Clock, FeatureAsked, NewUsage, UsageLedger
from application.unit_of_work import retry_on_stale
from application.usage.first_use import FirstUse, Named
from application.usage.telling import fingerprint, refused, usage_event
from domain.auth import Authenticated
from domain.entitlement import Standing, as_of, standing
from domain.ids import Ids, UsageId
from domain.text import Slug
from domain.usage import Line, Moved, Usage, WhenShort

UsageKey = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\A[\x21-\x7e]+\Z")]


class NewTrack(Named, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of a feature that a customer, or one of their entities, has used; negative: gives back.

    Of more than is left, what fits is recorded (`cap`), or nothing (`reject`). Under an `idempotency_key` it
    is recorded once, and answered the same each time.
    """

    feature: Slug
    amount: Moved = 1
    overage: WhenShort = "cap"
    idempotency_key: UsageKey | None = None


class Recorded(Struct, frozen=True):
    """The usage as it was recorded, and how the customer stands after it; None where they have nothing of it.
    `replayed`: this was so when the same usage was recorded before."""

    usage: Usage
    standing: Standing | None
    lines: tuple[Line, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class TrackUsage:
    """Record what a customer has used, and take it from their balances: at once or not at all, to the unit
    whatever else is recorded at the same time.
    """

    ledger: UsageLedger
    first_use: FirstUse
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, draft: NewTrack, auth: Authenticated, cause: ApiRequest) -> Recorded:
        """Raises NotFound `customer_not_found`, `entity_not_found`; Rejected `invalid_external_id`,
        `feature_not_found`, `feature_is_boolean`, `insufficient_balance` (where it is to be rejected),
        `idempotency_key_reused`; and what creating a customer or an entity raises."""
        draft.check()
        usage = self._usage(draft, auth, cause)
        tracked = await self.ledger.track(auth, usage)
        if draft.says_who and tracked.outcome in ("customer_not_found", "entity_not_found"):
            await self.first_use.make(draft, auth, cause)
            tracked = await self.ledger.track(auth, usage)
        if tracked.outcome != "recorded":
            raise refused(tracked.outcome, draft.feature)
        assert tracked.usage is not None, "what is recorded has a row"
        lines = as_of(tracked.lines, tracked.usage.occurred_at)
        return Recorded(
            tracked.usage, standing(draft.feature, lines, tracked.held), tuple(lines), tracked.replayed
        )

    def _usage(self, draft: NewTrack, auth: Authenticated, cause: ApiRequest) -> NewUsage:
        usage_id, now = self.ids.new(UsageId), self.clock.now()
        return NewUsage(
            id=usage_id,
            asked=FeatureAsked(draft.customer, draft.feature, draft.entity),
            amount=draft.amount,
            when_short=draft.overage,
            key=draft.idempotency_key,
            fingerprint=fingerprint(draft),
            at=now,
            event=usage_event("usage.threshold_reached", usage_id, auth, cause, self.ids, now),
        )
