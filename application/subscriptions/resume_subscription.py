"""Somebody wants to keep a subscription after all."""

from dataclasses import dataclass

from msgspec.structs import replace

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, SubscriptionRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import cancellation, subscription
from domain.auth import Caller
from domain.change import stored
from domain.ids import Ids, SubscriptionId
from domain.subscription import SubscriptionRecord


@dataclass(frozen=True, slots=True)
class ResumeSubscription:
    """Take back that a subscription ends with its period: it is renewed then, as if nothing had been said.
    One that was not to end stays as it is.
    """

    subscriptions: SubscriptionRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, id: SubscriptionId, auth: Caller, cause: ApiRequest) -> SubscriptionRecord:
        """Raises NotFound `subscription_not_found`, and Rejected `subscription_canceled` where it has
        ended."""
        context = await self.subscriptions.managed_context(auth, id)
        if context is None:
            raise subscription.no_such()
        (record,) = context.subscriptions
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        change = cancellation.resume(record.subscription)
        after = replace(record, subscription=stored(work.record(change))) if change else record
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after
