"""Somebody does not want a subscription any more."""

from dataclasses import dataclass

from msgspec.structs import replace

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, SubscriptionRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import cancellation, defaults, subscription
from domain.auth import Caller
from domain.cancellation import NewCancellation
from domain.change import stored
from domain.ids import Ids, SubscriptionId
from domain.subscription import SubscriptionRecord


@dataclass(frozen=True, slots=True)
class CancelSubscription:
    """End a subscription with its period, or at once, as `domain.cancellation` says. What came with it counts
    as long as it is current; then the customer has the free default of its group again, if there is one.
    Asking again for what is to come changes nothing.

    The books say so first; then the payment intent of what is not asked for any more is canceled, as an
    effect. A charge that was faster is booked all the same.
    """

    subscriptions: SubscriptionRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, id: SubscriptionId, wanted: NewCancellation, auth: Caller, cause: ApiRequest
    ) -> SubscriptionRecord:
        """Raises NotFound `subscription_not_found`, and Rejected `subscription_canceled` where it has
        ended."""
        context = await self.subscriptions.managed_context(auth, id)
        if context is None:
            raise subscription.no_such()
        (record,) = context.subscriptions
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        change = cancellation.cancel(record.subscription, wanted, context.owed, now)
        after = replace(record, subscription=stored(work.record(change))) if change else record
        if after.subscription.status == "canceled":
            for given in defaults.left_with(record.subscription, context.standby, self.ids, now):
                work.record(given)
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after
