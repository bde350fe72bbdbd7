"""A checkout session with nothing to pay is completed: by the application, or by the buyer on our page."""

from dataclasses import dataclass
from typing import assert_never

from msgspec import Struct

from application.causes import ApiRequest
from application.ports import BookingContext, Clock, EventOutbox, PaymentRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import checkout, checkout_progress, completion
from domain.auth import Anonymous, AuthContext, Authenticated, ClientToken
from domain.change import stored
from domain.checkout import BuyerDetails, CheckoutSession
from domain.errors import NotFound, Rejected
from domain.ids import CheckoutSessionId, Ids


class SellerConfirms(Struct, frozen=True):
    """The application says that the buyer has taken it."""

    session_id: CheckoutSessionId
    auth: Authenticated
    cause: ApiRequest


class BuyerConfirms(Struct, frozen=True):
    """The buyer takes it, and says who they are."""

    session_id: CheckoutSessionId
    token: ClientToken
    details: BuyerDetails
    cause: ApiRequest


@dataclass(frozen=True, slots=True)
class CompleteFreeCheckout:
    """Complete a session with nothing to pay: customer, purchase and session together, as a payment would.

    One that is completed is returned as it is. Any number of such requests at once make one customer, one
    purchase and one set of events. There is no payment, and Stripe hears nothing of it.
    """

    payments: PaymentRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, who: SellerConfirms | BuyerConfirms) -> CheckoutSession:
        """Raises NotFound `checkout_session_not_found`; Rejected `checkout_session_not_free`,
        `checkout_session_not_open`, `email_required` (of a buyer whom nobody knows) and
        `no_default_pricing_model`; Forbidden `client_token_invalid`."""
        match who:
            case SellerConfirms(session_id=id, auth=auth):
                context = await self.payments.session_context(auth, id)
                return await self._complete(context, auth, BuyerDetails(), who.cause)
            case BuyerConfirms(session_id=id, token=token, details=details):
                context = await self.payments.return_context(id)
                return await self._complete(context, token, details, who.cause)
            case _:
                assert_never(who)

    async def _complete(
        self,
        context: BookingContext | None,
        by: Authenticated | ClientToken,
        details: BuyerDetails,
        cause: ApiRequest,
    ) -> CheckoutSession:
        if context is None or context.session is None:
            raise NotFound("checkout_session_not_found", "There is no such checkout session.")
        session = context.session
        if isinstance(by, ClientToken):
            checkout.check_client_token(session, by)
        if not session.is_free:
            raise Rejected("checkout_session_not_free", "This checkout session asks for more than a yes.")
        work = UnitOfWork(cause, _actor(by, session), self.ids, self.clock.now())
        if session.status == "succeeded":
            after = session
        else:
            after = stored(self._decide(context, session, by, details, work))
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after

    def _decide(
        self,
        context: BookingContext,
        session: CheckoutSession,
        by: Authenticated | ClientToken,
        details: BuyerDetails,
        work: UnitOfWork,
    ) -> CheckoutSession:
        now = self.clock.now()
        described = checkout_progress.describe_buyer(session, details, now)
        if described is not None:
            session = work.record(described)
        if isinstance(by, ClientToken) and not session.buyer_is_known:
            raise Rejected("email_required", "Please give your e-mail address.", field="customer_email")
        completed = completion.follow(session, context.ground, completion.NOTHING_TO_PAY, self.ids, now)
        for change in completed.changes:
            work.record(change)
        assert completed.session is not None, "an open session becomes a succeeded one"
        return work.record(completed.session)


def _actor(by: Authenticated | ClientToken, session: CheckoutSession) -> AuthContext:
    return Anonymous(session.organization_id, session.livemode) if isinstance(by, ClientToken) else by
