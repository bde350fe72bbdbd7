"""Somebody who runs the service has Stripe get to know a user whom it does not know yet (document 004)."""

from dataclasses import dataclass

from application.causes import CommandLine
from application.ports import Clock, EventOutbox, PaymentGateway, UserRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from application.users.at_stripe import make_user_known
from domain import user
from domain.auth import Authenticated
from domain.ids import Ids, UserId


@dataclass(frozen=True, slots=True)
class BackfillStripeCustomer:
    """Make the user known to Stripe, unless that is so by now; whether it was this that did it.

    Stripe is looked at first: somebody may have made the customer, and died before it was in the books. The
    worker and others like this may be at it at the same moment: there is one.
    """

    users: UserRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, id: UserId, auth: Authenticated, cause: CommandLine) -> bool:
        """Raises NotFound `user_not_found`, and what `make_user_known` does."""
        known = await self.users.user_in_books(auth, id)
        if known is None:
            raise user.nobody()
        if known.stripe_customer_id is not None:
            return False
        now = self.clock.now()
        stripe_id = await make_user_known(
            known, self.users, self.gateway, now=now, by=cause.request_id, look_first=True
        )
        work = UnitOfWork(cause, auth, self.ids, now)
        work.record(user.attach_stripe_customer(known, stripe_id, self.clock.now()))
        await self.outbox.commit(work)
        return True
