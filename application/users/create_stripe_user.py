"""Stripe gets to know a user: the effect of `user.signed_up`."""

from dataclasses import dataclass

from application.causes import Task
from application.ports import Clock, EventOutbox, PaymentGateway, UserRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from application.users.at_stripe import make_user_known, try_of
from domain import user
from domain.auth import Anonymous
from domain.effects import CreateStripeUser
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class CreateUserAtStripe:
    """Make the user known to Stripe and store Stripe's id. However often it is tried, there is one.

    Whoever is called otherwise before that is stored makes this commit stale, and Stripe is told again. What
    an earlier try may have made without knowing is looked for.
    """

    users: UserRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, effect: CreateStripeUser, task: Task) -> None:
        """Raises NotFound `user_not_found`, and what `make_user_known` does."""
        known = await self.users.user_in_books(Anonymous(task.organization_id, task.livemode), effect.user_id)
        if known is None:
            raise user.nobody()
        now = self.clock.now()
        work = UnitOfWork(task, None, self.ids, now)
        if known.stripe_customer_id is None:
            stripe_id = await make_user_known(
                known, self.users, self.gateway, now=now, by=try_of(task), look_first=task.attempts > 1
            )
            work.record(user.attach_stripe_customer(known, stripe_id, self.clock.now()))
        await self.outbox.commit(work)
