"""An application puts right what a customer may still use."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import ApiRequest
from application.ports import Clock, NewCorrection, UsageLedger
from application.unit_of_work import retry_on_stale
from application.usage.telling import fingerprint, refused, usage_event
from domain.auth import Authenticated
from domain.ids import BalanceId, Ids, UsageId
from domain.text import NamedEntity
from domain.usage import Line, Moved, Usage


class CorrectionAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many units more, or fewer where it is negative, in the period under way; of one entity, where each
    has as much for itself."""

    amount: Moved
    entity: NamedEntity | None = None


class Corrected(Struct, frozen=True):
    """The correction as it was recorded, and the balance after it."""

    usage: Usage
    line: Line
    replayed: bool


@dataclass(frozen=True, slots=True)
class CorrectBalance:
    """Grant more of a balance in the period under way, or take back what is not used yet."""

    ledger: UsageLedger
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, id: BalanceId, draft: CorrectionAsked, key: str | None, auth: Authenticated, cause: ApiRequest
    ) -> Corrected:
        """Raises NotFound `balance_not_found`, `entity_not_found` (also where the balance is not
        each entity's own); Rejected `balance_not_counted`, `insufficient_balance`."""
        usage_id, now = self.ids.new(UsageId), self.clock.now()
        correction = NewCorrection(
            id=usage_id,
            balance_id=id,
            entity=draft.entity,
            amount=draft.amount,
            key=key,
            fingerprint=fingerprint(id, draft),
            at=now,
            event=usage_event("balance.corrected", usage_id, auth, cause, self.ids, now),
        )
        tracked = await self.ledger.correct(auth, correction)
        if tracked.outcome != "recorded":
            raise refused(tracked.outcome)
        assert tracked.usage is not None, "what is recorded has a row"
        (line,) = tracked.lines
        return Corrected(tracked.usage, line, tracked.replayed)
