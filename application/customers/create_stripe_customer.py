"""Stripe gets to know a customer: the effect of `customer.created`."""

from dataclasses import dataclass

from application.causes import Task
from application.customers.at_stripe import make_known
from application.ports import Clock, CustomerRepository, EventOutbox, PaymentGateway
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import customer
from domain.auth import Anonymous
from domain.effects import CreateStripeCustomer
from domain.errors import NotFound
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class CreateCustomerAtStripe:
    """Make the customer known to Stripe and store Stripe's id. However often it is tried, there is one."""

    customers: CustomerRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, effect: CreateStripeCustomer, task: Task) -> None:
        books = Anonymous(task.organization_id, task.livemode)
        known = await self.customers.customer(books, effect.customer_id)
        if known is None:
            raise NotFound("customer_not_found", f"There is no customer '{effect.customer_id}'.")
        work = UnitOfWork(task, None, self.ids, self.clock.now())
        if known.customer.stripe_customer_id is None:
            stripe_id = await make_known(
                effect,
                self.gateway,
                organization_id=task.organization_id,
                livemode=task.livemode,
                age=self.clock.now() - task.created_at,
            )
            work.record(customer.attach_stripe_customer(known.customer, stripe_id))
        await self.outbox.commit(work)
