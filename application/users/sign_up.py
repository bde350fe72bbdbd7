"""A person signs up with an application."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, UserRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import sign_up
from domain.auth import Authenticated
from domain.ids import Ids
from domain.sign_up import NewUser, SignedUp


@dataclass(frozen=True, slots=True)
class SignUp:
    """Make the person's account, or return the one that is known: by this external id, else by this e-mail
    (`domain.sign_up`). Any number of such requests at once make one.

    Stripe gets to know them by an effect: signing up neither waits for it nor fails because of it.
    """

    users: UserRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, draft: NewUser, auth: Authenticated, cause: ApiRequest) -> SignedUp:
        """Raises Forbidden `organization_mismatch`; Rejected `invalid_external_id`, `email_taken`."""
        sign_up.check_draft(draft, auth)
        context = await self.users.sign_up_context(auth, draft)
        now = self.clock.now()
        signed_up = sign_up.sign_up(draft, auth, context, self.ids, now)
        work = UnitOfWork(cause, auth, self.ids, now)
        if signed_up.change is not None:
            work.record(signed_up.change)
        work.answer(signed_up)
        if work.is_needed:
            await self.outbox.commit(work)
        return signed_up
