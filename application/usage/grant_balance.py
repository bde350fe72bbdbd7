"""An application gives units of a feature by hand."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, FeatureAsked, UsageLedger
from application.ports.usage import no_such_feature
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import granting
from domain.auth import Authenticated
from domain.change import stored
from domain.customer import nobody
from domain.entitlement import as_of
from domain.entity import named_entity, no_such
from domain.granting import NewGrant
from domain.ids import Ids
from domain.text import named_customer
from domain.usage import Line, untouched


@dataclass(frozen=True, slots=True)
class GrantBalance:
    """Give a customer, or one entity, units of a feature that they have not bought."""

    ledger: UsageLedger
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, draft: NewGrant, auth: Authenticated, cause: ApiRequest) -> Line:
        """Raises NotFound `customer_not_found`, `entity_not_found`; Rejected `invalid_external_id`,
        `feature_not_found`, `invalid_grant`."""
        named_customer(draft.customer)
        if draft.entity is not None:
            named_entity(draft.entity)
        now = self.clock.now()
        context = await self.ledger.feature_context(
            auth, FeatureAsked(draft.customer, draft.feature, draft.entity), now
        )
        if context.customer is None:
            raise nobody()
        if context.feature is None:
            raise no_such_feature(draft.feature)
        if draft.entity is not None and context.entity_id is None:
            raise no_such()
        work = UnitOfWork(cause, auth, self.ids, now)
        balance = work.record(
            granting.grant(context.customer, context.feature, context.entity_id, draft, self.ids, now)
        )
        new = untouched(stored(balance))
        (line,) = as_of([new], now)
        work.answer(line)
        await self.outbox.commit(work)
        return line
