"""Stripe is told what has become of a customer it knows: the effects of updating and of deleting one."""

from dataclasses import dataclass
from typing import assert_never

from application.causes import Task
from application.ports import Clock, CustomerRepository, EventOutbox, PaymentGateway
from application.unit_of_work import UnitOfWork
from domain.auth import Anonymous
from domain.customer import Customer
from domain.effects import DeleteStripeCustomer, UpdateStripeCustomer, known_as
from domain.errors import NotFound, Unavailable
from domain.ids import CustomerId, Ids

MOST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class TellStripeOfCustomer:
    """Have Stripe call the customer as the books do, or forget them.

    Two updates may be told at once, and the earlier one arrive last. So whoever has told Stripe looks whether
    it still is so, and tells it again if not: the last one to look finds that it is.
    """

    customers: CustomerRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(self, effect: UpdateStripeCustomer | DeleteStripeCustomer, task: Task) -> None:
        """Raises Unavailable `customer_keeps_changing`, and what the gateway does."""
        match effect:
            case UpdateStripeCustomer(customer_id=id):
                await self._update(id, task)
            case DeleteStripeCustomer():
                await self._delete(effect, task)
            case _:
                assert_never(effect)
        await self.outbox.commit(UnitOfWork(task, None, self.ids, self.clock.now()))

    async def _update(self, id: CustomerId, task: Task) -> None:
        known = await self._customer(id, task)
        for _ in range(MOST_ROUNDS):
            if known.deleted_at is not None or known.stripe_customer_id is None:
                return
            await self.gateway.update_customer(known, known.stripe_customer_id, update_key(known, task))
            told, known = known, await self._customer(id, task)
            if known_as(told) == known_as(known):
                return
        raise Unavailable("customer_keeps_changing", "The customer was changed each time Stripe was told.")

    async def _delete(self, effect: DeleteStripeCustomer, task: Task) -> None:
        stripe_id = effect.stripe_customer_id or await self.gateway.find_customer(
            effect.customer_id, organization_id=task.organization_id, livemode=task.livemode
        )
        if stripe_id is not None:
            await self.gateway.delete_customer(stripe_id, livemode=task.livemode)

    async def _customer(self, id: CustomerId, task: Task) -> Customer:
        books = Anonymous(task.organization_id, task.livemode)
        if (known := await self.customers.customer_in_books(books, id)) is not None:
            return known
        raise NotFound("customer_not_found", f"There is no customer '{id}'.")


def update_key(customer: Customer, task: Task) -> str:
    """Of what this try of the task tells of the customer as they were at this version: another one may have
    to tell the same again, as something else was told in between, or as Stripe keeps the failure of this
    one."""
    return f"customer:{customer.id}:{customer.version}:{task.id}:{task.attempts}"
