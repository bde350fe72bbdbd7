"""A buyer is to be asked for money, or for a means of payment."""

from dataclasses import dataclass
from datetime import timedelta

from application.causes import ApiRequest
from application.checkout.session_intents import SessionIntents
from application.ports import CheckoutRepository, Clock, EventOutbox, PaymentGateway, Secrets
from application.unit_of_work import UnitOfWork
from domain import checkout, checkout_opening
from domain.auth import Authenticated, Buyer
from domain.change import stored
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.ids import Ids


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
        self, draft: NewCheckoutSession, auth: Authenticated | Buyer, cause: ApiRequest
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
        return await self._intents.give(stored(session), auth, cause, _itself)

    async def resume(self, id: str, auth: Authenticated | Buyer, cause: ApiRequest) -> CheckoutSession:
        """Go on with a session that was opened by the same named request, which had no answer."""
        return await self._intents.resume(id, auth, cause, _itself)

    @property
    def _intents(self) -> SessionIntents:
        return SessionIntents(self.checkouts, self.gateway, self.outbox, self.ids, self.clock)


def _itself(session: CheckoutSession) -> CheckoutSession:
    return session
