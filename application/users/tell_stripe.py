"""Stripe is told what a user is called from now on: the effect of another name or e-mail."""

from dataclasses import dataclass

from application.causes import Task
from application.ports import Clock, EventOutbox, PaymentGateway, UserRepository
from application.unit_of_work import UnitOfWork
from application.users.at_stripe import tell_of_user, try_of
from domain.auth import Anonymous
from domain.effects import UpdateStripeUser
from domain.ids import Ids
from domain.user import nobody


@dataclass(frozen=True, slots=True)
class TellStripeOfUser:
    """Have Stripe call the user as the books do."""

    users: UserRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(self, effect: UpdateStripeUser, task: Task) -> None:
        """Raises NotFound `user_not_found`, and what `tell_of_user` does."""
        known = await self.users.user_in_books(Anonymous(task.organization_id, task.livemode), effect.user_id)
        if known is None:
            raise nobody()
        if known.stripe_customer_id is not None:
            await tell_of_user(known, known.stripe_customer_id, self.users, self.gateway, by=try_of(task))
        await self.outbox.commit(UnitOfWork(task, None, self.ids, self.clock.now()))
