"""What follows where a checkout session was opened that is not for free: the intent that completes it."""

from collections.abc import Callable
from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import CheckoutRepository, Clock, EventOutbox, PaymentGateway
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import checkout_progress
from domain.auth import Authenticated, Buyer
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.checkout_progress import Intent
from domain.errors import Conflict
from domain.ids import CheckoutSessionId, Ids

Answer = Callable[[CheckoutSession], object]


@dataclass(frozen=True, slots=True)
class SessionIntents:
    """Has Stripe make the intent of a session that is in the books, and stores it. However often that is
    tried, there is one, as its key is the session's id. `answer` makes of the session what the use case
    results in."""

    checkouts: CheckoutRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def give(
        self, session: CheckoutSession, auth: Authenticated | Buyer, cause: ApiRequest, answer: Answer
    ) -> CheckoutSession:
        """The session with its intent."""
        intent = await self.gateway.create_intent(
            session, session.stripe_customer_id, idempotency_key=session.id
        )
        try:
            return await self._store(session, intent, auth, cause, answer)
        except Conflict:  # the new intent's own webhook was faster than our reply from Stripe
            return await self._read_and_store(session, intent, auth, cause, answer)

    async def resume(
        self, id: str, auth: Authenticated | Buyer, cause: ApiRequest, answer: Answer
    ) -> CheckoutSession:
        """The same, of one that was opened by the same named request, which had no answer."""
        return await self.give(await self._current(id, auth), auth, cause, answer)

    @retry_on_stale()
    async def _read_and_store(
        self,
        session: CheckoutSession,
        intent: Intent,
        auth: Authenticated | Buyer,
        cause: ApiRequest,
        answer: Answer,
    ) -> CheckoutSession:
        return await self._store(await self._current(session.id, auth), intent, auth, cause, answer)

    async def _current(self, id: str, auth: Authenticated | Buyer) -> CheckoutSession:
        session = await self.checkouts.session(auth, CheckoutSessionId(id))
        assert session is not None, "sessions are never deleted"
        return session

    async def _store(
        self,
        session: CheckoutSession,
        intent: Intent,
        auth: Authenticated | Buyer,
        cause: ApiRequest,
        answer: Answer,
    ) -> CheckoutSession:
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        change = checkout_progress.attach_intent(session, intent)
        after = stored(work.record(change)) if change else session
        work.answer(answer(after))
        if work.is_needed:
            await self.outbox.commit(work)
        return after
