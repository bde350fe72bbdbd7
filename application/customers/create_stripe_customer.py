"""Stripe gets to know a customer: the effect of `customer.created`."""

from dataclasses import dataclass

from application.causes import Task
from application.customers.at_stripe import make_known
from application.customers.tell_stripe import update_key
from application.ports import Clock, CustomerRepository, EventOutbox, PaymentGateway
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import customer
from domain.auth import Anonymous
from domain.effects import CreateStripeCustomer, known_as
from domain.errors import NotFound
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class CreateCustomerAtStripe:
    """Make the customer known to Stripe and store Stripe's id. However often it is tried, there is one.

    It is made as it was when the task was written, as another try would have to; where it is called otherwise
    by now, Stripe is told that before the books say that it is known there. So whoever changes it later finds
    it there, and whoever changes it in between makes this commit stale. One who was deleted is not made.
    """

    customers: CustomerRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, effect: CreateStripeCustomer, task: Task) -> None:
        books = Anonymous(task.organization_id, task.livemode)
        known = await self.customers.customer_in_books(books, effect.customer_id)
        if known is None:
            raise NotFound("customer_not_found", f"There is no customer '{effect.customer_id}'.")
        work = UnitOfWork(task, None, self.ids, self.clock.now())
        if known.stripe_customer_id is None and known.deleted_at is None:
            stripe_id = await make_known(
                effect,
                self.gateway,
                organization_id=task.organization_id,
                livemode=task.livemode,
                age=self.clock.now() - task.created_at,
            )
            if known_as(known) != (effect.external_id, effect.email, effect.name):
                await self.gateway.update_customer(known, stripe_id, update_key(known, task))
            work.record(customer.attach_stripe_customer(known, stripe_id))
        await self.outbox.commit(work)
