"""Somebody chooses by what their subscriptions are charged."""

from dataclasses import dataclass

from msgspec.structs import replace

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, SubscriptionRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import charging, customer, subscription
from domain.auth import Caller
from domain.change import stored
from domain.charging import AllCurrent, MethodChoice
from domain.ids import Ids, SubscriptionId
from domain.subscription import SubscriptionRecord


@dataclass(frozen=True, slots=True)
class ChoosePaymentMethod:
    """Charge one subscription, or all that a customer has, by a means of payment that they have left before.

    What is owed is charged at once, as an effect: as with a means of payment that is left to activate a
    subscription. Choosing what is charged already changes nothing.
    """

    subscriptions: SubscriptionRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, wanted: SubscriptionId | AllCurrent, choice: MethodChoice, auth: Caller, cause: ApiRequest
    ) -> tuple[SubscriptionRecord, ...]:
        """Those that were meant, as they are now. Raises NotFound `subscription_not_found`,
        `customer_not_found`, and Rejected `payment_method_not_found`, `subscription_canceled`."""
        context = await self.subscriptions.managed_context(auth, wanted, choice.payment_method_id)
        if context is None:
            raise customer.nobody() if isinstance(wanted, AllCurrent) else subscription.no_such()
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        after: list[SubscriptionRecord] = []
        for record in context.subscriptions:
            change = charging.pay_by(record.subscription, context.payment_method, context.owed)
            after.append(replace(record, subscription=stored(work.record(change))) if change else record)
        if work.is_needed:
            await self.outbox.commit(work)
        return tuple(after)
