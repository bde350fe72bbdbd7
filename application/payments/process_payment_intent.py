"""A payment intent has news: from Stripe's webhook, or because the buyer's browser came back. So has what was
paid, when it is refunded or disputed."""

from dataclasses import dataclass
from typing import assert_never

from msgspec.structs import replace

from application.causes import ApiRequest, InboundEvent
from application.payments.at_stripe import of_the_payment
from application.payments.booking_payments import decide
from application.payments.fitting import nameless
from application.payments.news import Booked, BuyerReturned, PayerReturned, StripeReported
from application.ports import Clock, EventOutbox, PaymentGateway, PaymentRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain.checkout import CheckoutSession
from domain.errors import DomainError, NotFound, ProviderRefused, Rejected
from domain.ids import CheckoutSessionId, Ids, IntakePaymentId
from domain.payment import PaymentFact
from domain.reversal import ReversalFact


@dataclass(frozen=True, slots=True)
class ProcessPaymentIntent:
    """Book what became known of a payment intent: customer, purchase, payment and session together.

    Facts may come in any order and number (design, rule 9). A fact that Stripe reports and that does
    not fit is kept with its reason, and refused to nobody: the money has moved.
    """

    payments: PaymentRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, news: StripeReported[PaymentFact | ReversalFact] | BuyerReturned | PayerReturned
    ) -> Booked:
        """Raises NotFound `checkout_session_not_found` or `intake_payment_not_found`, and Rejected where a
        return does not fit."""
        match news:
            case StripeReported():
                return await self._book_reported(news.fact, news.cause)
            case BuyerReturned():
                return await self._book_returned(news.session_id, news.cause)
            case PayerReturned():
                return await self._book_payer(news.intake_payment_id, news.cause)
            case _:
                assert_never(news)

    async def _book_reported(self, reported: PaymentFact | ReversalFact, cause: InboundEvent) -> Booked:
        fact = reported
        if isinstance(fact, ReversalFact):
            try:
                fact = await of_the_payment(fact, self.gateway)
            except ProviderRefused as refusal:
                return await self._keep(reported, cause, Rejected("payment_intent_not_ours", refusal.detail))
            cause = replace(cause, organization_id=fact.organization_id or cause.organization_id)
        context = await self.payments.fact_context(fact, cause.id)
        if context.handled:
            return Booked(context.session, asked=context.intake)
        try:
            work, booked = decide(fact, context, cause, self.ids, self.clock.now())
        except DomainError as refusal:
            return await self._keep(nameless(reported, context), cause, refusal, context.session)
        await self.outbox.commit(work)
        return booked

    async def _keep(
        self,
        fact: PaymentFact | ReversalFact,
        cause: InboundEvent,
        refusal: DomainError,
        session: CheckoutSession | None = None,
    ) -> Booked:
        kept = replace(cause, refusal=refusal.code, reason=refusal.detail, fact=fact)
        await self.outbox.commit(UnitOfWork(kept, None, self.ids, self.clock.now()))
        return Booked(session, refusal.code)

    async def _book_returned(self, session_id: CheckoutSessionId, cause: ApiRequest) -> Booked:
        context = await self.payments.return_context(session_id)
        if context is None or context.session is None:
            raise NotFound("checkout_session_not_found", "There is no such checkout session.")
        intent_id = context.session.payment_intent_id
        if intent_id is None or context.session.status == "succeeded":
            return Booked(context.session)
        fact = await self.gateway.payment_intent(intent_id, livemode=context.session.livemode)
        try:
            work, booked = decide(fact, context, cause, self.ids, self.clock.now())
        except Rejected:
            # The books were read before Stripe was asked: how many are wanted may have changed since.
            context = await self.payments.return_context(session_id)
            assert context is not None, "sessions are never deleted"
            work, booked = decide(fact, context, cause, self.ids, self.clock.now())
        await self.outbox.commit(work)
        return booked

    async def _book_payer(self, id: IntakePaymentId, cause: ApiRequest) -> Booked:
        context = await self.payments.intake_return_context(id)
        if context is None or context.intake is None:
            raise NotFound("intake_payment_not_found", "There is no such intake payment.")
        asked = context.intake
        if asked.payment_intent_id is None or asked.status == "succeeded":
            return Booked(None, asked=asked)
        fact = await self.gateway.payment_intent(asked.payment_intent_id, livemode=asked.livemode)
        work, booked = decide(fact, context, cause, self.ids, self.clock.now())
        if work.is_needed:
            await self.outbox.commit(work)
        return booked
