"""An application says anew who a user is."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, UserRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import user_changes
from domain.auth import Authenticated
from domain.change import stored
from domain.ids import Ids
from domain.user import User, nobody
from domain.user_changes import UserChanges


@dataclass(frozen=True, slots=True)
class UpdateUser:
    """Change what is known of a user; saying what is so already changes nothing.

    Stripe is told of another name or e-mail by an effect.
    """

    users: UserRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, reference: str, changes: UserChanges, auth: Authenticated, cause: ApiRequest
    ) -> User:
        """Raises NotFound `user_not_found`, and Rejected `invalid_external_id`, `external_id_taken`,
        `email_taken`."""
        context = await self.users.user_update_context(auth, reference, changes)
        if context is None:
            raise nobody()
        now = self.clock.now()
        change = user_changes.update(context.user, changes, context.taken, now)
        if change is None:
            return context.user
        work = UnitOfWork(cause, auth, self.ids, now)
        updated = work.record(change)
        await self.outbox.commit(work)
        return stored(updated)
