"""A subscription's period, or its trial, is over: the effect of its having begun."""

from dataclasses import dataclass

from application.causes import Task
from application.ports import BillingRepository, Clock, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import billing, defaults
from domain.auth import Anonymous
from domain.effects import RenewSubscription
from domain.errors import NotFound
from domain.ids import Ids
from domain.subscription import end


@dataclass(frozen=True, slots=True)
class RenewAndBill:
    """Begin the next period of a subscription, and bill the customer for it; or end it, if that was asked for
    until then: the customer is left with the free default of its group. One that has ended, changed, or is
    not paid for is left as it is otherwise: being paid makes it due again.
    """

    billing: BillingRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, effect: RenewSubscription, task: Task) -> None:
        books = Anonymous(task.organization_id, task.livemode)
        context = await self.billing.renewal_context(books, effect.subscription_id)
        if context is None:
            raise NotFound("subscription_not_found", f"There is no subscription '{effect.subscription_id}'.")
        now = self.clock.now()
        work = UnitOfWork(task, None, self.ids, now)
        subscription, price = context.subscription, context.price
        is_due = subscription.current_period_end == effect.period_end <= now
        if is_due and subscription.status != "canceled" and subscription.cancel_at_period_end:
            work.record(end(subscription, "requested", now))
            for given in defaults.left_with(subscription, context.standby, self.ids, now):
                work.record(given)
        elif is_due and price is not None and billing.is_renewed(subscription):
            terms = billing.RenewalTerms(
                price=price,
                product=context.product,
                quantity=context.item.quantity,
                customer=context.customer,
                sends_receipts=context.sends_receipts,
            )
            renewed, billed = billing.renew(subscription, terms, self.ids, now)
            work.record(renewed)
            work.record(billed)
        await self.outbox.commit(work)
