"""A buyer is to be asked for money, or for a means of payment."""

from dataclasses import dataclass
from datetime import timedelta

from application.causes import ApiRequest
from application.ports import CheckoutRepository, Clock, EventOutbox, PaymentGateway, Secrets
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import checkout, checkout_opening, checkout_progress
from domain.auth import Authenticated
from domain.change import stored
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_progress import Intent
from domain.errors import Conflict
from domain.ids import CheckoutSessionId, Ids


@dataclass(frozen=True, slots=True)
class OpenCheckoutSession:
    """Open a checkout session and, unless there is nothing to pay, the intent that completes it.

    The session is in the books before Stripe hears of it, so no webhook can come for one we do not know;
    the intent's key is the session's id, so there is one intent for it whatever happens in between.
    """

    checkouts: CheckoutRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets
    lifetime: timedelta = checkout.LIFETIME

    async def __call__(
        self, draft: NewCheckoutSession, auth: Authenticated, cause: ApiRequest
    ) -> CheckoutSession:
        checkout_opening.check_draft(draft)
        context = await self.checkouts.opening_context(auth, draft)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        session = work.record(
            checkout_opening.open_session(
                draft, auth, context, self.secrets.client_token(), self.ids, now, self.lifetime
            )
        )
        if session.is_free:
            work.answer(stored(session))
            await self.outbox.commit(work)
            return stored(session)
        work.begin(session.id)
        await self.outbox.commit(work)
        return await self._with_intent(stored(session), auth, cause)

    async def resume(self, id: str, auth: Authenticated, cause: ApiRequest) -> CheckoutSession:
        """Go on with a session that was opened by the same named request, which had no answer."""
        return await self._with_intent(await self._current(id, auth), auth, cause)

    async def _with_intent(
        self, session: CheckoutSession, auth: Authenticated, cause: ApiRequest
    ) -> CheckoutSession:
        intent = await self.gateway.create_intent(
            session, session.stripe_customer_id, idempotency_key=session.id
        )
        try:
            return await self._store(session, intent, auth, cause)
        except Conflict:  # the new intent's own webhook was faster than our reply from Stripe
            return await self._read_and_store(session, intent, auth, cause)

    @retry_on_stale()
    async def _read_and_store(
        self, session: CheckoutSession, intent: Intent, auth: Authenticated, cause: ApiRequest
    ) -> CheckoutSession:
        return await self._store(await self._current(session.id, auth), intent, auth, cause)

    async def _current(self, id: str, auth: Authenticated) -> CheckoutSession:
        session = await self.checkouts.session(auth, CheckoutSessionId(id))
        assert session is not None, "sessions are never deleted"
        return session

    async def _store(
        self, session: CheckoutSession, intent: Intent, auth: Authenticated, cause: ApiRequest
    ) -> CheckoutSession:
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        change = checkout_progress.attach_intent(session, intent)
        after = stored(work.record(change)) if change else session
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after
