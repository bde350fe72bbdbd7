"""A checkout session is over: its time is up, or the seller says so."""

from dataclasses import dataclass
from typing import assert_never

from msgspec import Struct

from application.causes import ApiRequest, Task
from application.ports import CheckoutRepository, Clock, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import checkout_progress
from domain.auth import Anonymous, Authenticated
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.effects import EndCheckoutSession
from domain.errors import NotFound
from domain.ids import CheckoutSessionId, Ids


class SellerAsked(Struct, frozen=True):
    """The seller takes the offer back."""

    session_id: CheckoutSessionId
    auth: Authenticated
    cause: ApiRequest


class TimeIsUp(Struct, frozen=True):
    """The session can be paid no longer."""

    effect: EndCheckoutSession
    task: Task


@dataclass(frozen=True, slots=True)
class ExpireCheckoutSession:
    """End a session that nobody is paying. The books say so first; then Stripe's intent is canceled, as an
    effect. Should somebody pay in between, it is booked all the same.
    """

    checkouts: CheckoutRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, why: SellerAsked | TimeIsUp) -> CheckoutSession:
        """Raises NotFound `checkout_session_not_found`, and Rejected `checkout_session_not_open` where a
        seller asks for what is being paid or has ended otherwise."""
        now = self.clock.now()
        match why:
            case SellerAsked(session_id=id, auth=auth, cause=cause):
                session = await self._session(auth, id)
                change = checkout_progress.expire(session, now)
                work = UnitOfWork(cause, auth, self.ids, now)
            case TimeIsUp(effect=effect, task=task):
                books = Anonymous(task.organization_id, task.livemode)
                session = await self._session(books, effect.checkout_session_id)
                change = checkout_progress.expire_in_time(session)
                work = UnitOfWork(task, None, self.ids, now)
            case _:
                assert_never(why)
        after = stored(work.record(change)) if change else session
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after

    async def _session(self, auth: Authenticated | Anonymous, id: CheckoutSessionId) -> CheckoutSession:
        session = await self.checkouts.session(auth, id)
        if session is None:
            raise NotFound("checkout_session_not_found", "There is no such checkout session.")
        return session
