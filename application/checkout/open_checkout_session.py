"""A buyer is to be asked for money."""

from dataclasses import dataclass
from datetime import timedelta

from application.causes import ApiRequest
from application.ports import CheckoutRepository, Clock, EventOutbox, PaymentGateway, PaymentIntent, Secrets
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import checkout, checkout_progress
from domain.auth import Authenticated
from domain.change import stored
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.errors import Conflict
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class OpenCheckoutSession:
    """Open a checkout session and, unless there is nothing to pay, the payment intent that pays it.

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
        checkout.check_buyer(draft)
        context = await self.checkouts.opening_context(auth, draft.price, draft.customer)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        session = work.record(
            checkout.open_session(
                draft,
                auth,
                context.customer,
                context.price,
                context.product,
                self.secrets.client_token(),
                self.ids,
                now,
                self.lifetime,
            )
        )
        await self.outbox.commit(work)
        if session.is_free:
            return stored(session)
        customer = context.customer
        intent = await self.gateway.create_payment_intent(
            session, customer.stripe_customer_id if customer else None, idempotency_key=session.id
        )
        return await self._attach(stored(session), intent, auth, cause)

    async def _attach(
        self, session: CheckoutSession, intent: PaymentIntent, auth: Authenticated, cause: ApiRequest
    ) -> CheckoutSession:
        try:
            return await self._store(session, intent, auth, cause)
        except Conflict:  # the new intent's own webhook was faster than our reply from Stripe
            return await self._read_and_attach(session, intent, auth, cause)

    @retry_on_stale()
    async def _read_and_attach(
        self, session: CheckoutSession, intent: PaymentIntent, auth: Authenticated, cause: ApiRequest
    ) -> CheckoutSession:
        current = await self.checkouts.session(auth, session.id)
        assert current is not None, "sessions are never deleted"
        return await self._store(current, intent, auth, cause)

    async def _store(
        self, session: CheckoutSession, intent: PaymentIntent, auth: Authenticated, cause: ApiRequest
    ) -> CheckoutSession:
        change = checkout_progress.attach_intent(session, intent.id, intent.client_secret)
        if change is None:
            return session
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        work.record(change)
        await self.outbox.commit(work)
        return stored(change.after)
