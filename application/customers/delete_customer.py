"""A customer is to be forgotten."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from application.causes import ApiRequest
from application.ports import Clock, CustomerRepository, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import checkout_progress, customer_changes, subscription
from domain.auth import Authenticated
from domain.errors import NotFound
from domain.ids import CustomerId, Ids


class CustomerDeleted(Struct, frozen=True):
    """Who was deleted, and when."""

    id: CustomerId
    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class DeleteCustomer:
    """Make a customer anonymous: in their own row, and in the same commit wherever else the books name them,
    in what has happened and in what was answered. What they have ends, what they are asked for expires, and
    what they have paid stays.

    Whoever begins something for them at the same time, and commits first, has it ended as well; whoever
    commits later finds nobody.
    """

    customers: CustomerRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, reference: str, auth: Authenticated, cause: ApiRequest, *, in_stripe: bool = False
    ) -> CustomerDeleted:
        """Raises NotFound `customer_not_found`, also for one who was deleted before."""
        context = await self.customers.deletion_context(auth, reference)
        if context is None:
            raise NotFound("customer_not_found", "There is no such customer.")
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        for held in context.subscriptions:
            work.record(subscription.end(held, "customer_deleted", now))
        for session in context.sessions:
            if (expired := checkout_progress.expire(session, now)) is not None:
                work.record(expired)
        work.record(customer_changes.anonymize(context.customer, now, in_stripe=in_stripe))
        work.redact(context.customer)
        await self.outbox.commit(work)
        return CustomerDeleted(context.customer.id, now)
