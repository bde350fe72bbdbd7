"""A payment intent has news: from Stripe's webhook, or because the buyer's browser came back. So has what was
paid, when it is refunded or disputed."""

from dataclasses import dataclass
from typing import assert_never

from msgspec.structs import replace

from application.causes import ApiRequest, Cause, InboundEvent
from application.payments.fitting import fitting_intake, fitting_invoice, fitting_session, nameless
from application.payments.news import Booked, BuyerReturned, PayerReturned, StripeReported
from application.ports import BookingContext, Clock, EventOutbox, PaymentGateway, PaymentRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import billing, completion, intake_payment, invoice, payment
from domain.auth import Anonymous
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.completion import Outcome
from domain.errors import DomainError, NotFound, ProviderRefused, Rejected
from domain.ids import CheckoutSessionId, Ids, IntakePaymentId
from domain.intake_payment import IntakePayment, Standing
from domain.intent import last_failed
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
                fact = await self._of_the_payment(fact)
            except ProviderRefused as refusal:
                return await self._keep(reported, cause, Rejected("payment_intent_not_ours", refusal.detail))
            cause = replace(cause, organization_id=fact.organization_id or cause.organization_id)
        context = await self.payments.fact_context(fact, cause.id)
        if context.handled:
            return Booked(context.session, asked=context.intake)
        try:
            work, booked = self._decide(fact, context, cause)
        except DomainError as refusal:
            return await self._keep(nameless(reported, context), cause, refusal, context.session)
        await self.outbox.commit(work)
        return booked

    async def _of_the_payment(self, fact: ReversalFact) -> PaymentFact:
        """A refund made at Stripe, or a dispute, says not whose it is: its intent does, as it is now. So all
        that is known of the payment comes with it, and it cannot come too early (adr/0012)."""
        intent = await self.gateway.payment_intent(fact.payment_intent_id, livemode=fact.livemode)
        return replace(intent, refunds=fact.refunds, disputes=fact.disputes)

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
            work, booked = self._decide(fact, context, cause)
        except Rejected:
            # The books were read before Stripe was asked: how many are wanted may have changed since.
            context = await self.payments.return_context(session_id)
            assert context is not None, "sessions are never deleted"
            work, booked = self._decide(fact, context, cause)
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
        work, booked = self._decide(fact, context, cause)
        if work.is_needed:
            await self.outbox.commit(work)
        return booked

    def _decide(self, fact: PaymentFact, context: BookingContext, cause: Cause) -> tuple[UnitOfWork, Booked]:
        if fact.invoice_id is not None:
            return self._decide_charge(fact, context, cause), Booked(None)
        if fact.intake_payment_id is not None:
            work, asked = self._decide_intake(fact, context, cause)
            return work, Booked(None, asked=asked)
        session, quantity = fitting_session(fact, context)
        now = self.clock.now()
        work = UnitOfWork(cause, Anonymous(session.organization_id, session.livemode), self.ids, now)
        outcome = Outcome(
            status=payment.status_after(fact, context.payment),
            binding=fact.money_moves,
            abandoned=payment.is_abandoned_after(fact, context.payment),
            payment_intent_id=fact.payment_intent_id,
            quantity=quantity if fact.money_moves else None,
            email=nameless(fact, context).receipt_email,
            refunded=payment.refunded_after(fact, context.payment),
        )
        completed = completion.follow(session, context.ground, outcome, self.ids, now)
        for change in completed.changes:
            work.record(change)
        stands = completed.session.after if completed.session else session
        paid = payment.record(
            # What moves no money may be of an amount that was asked for before.
            fact if fact.money_moves else replace(fact, amount=stands.amount),
            context.payment,
            organization_id=session.organization_id,
            checkout_session_id=session.id,
            customer_id=completed.customer_id,
            purchase_id=completed.purchase_id,
            invoice_id=completed.invoice_id,
            ids=self.ids,
            now=now,
        )
        if paid is not None:
            work.record(paid)
        return work, Booked(stored(work.record(completed.session)) if completed.session else session)

    def _decide_charge(self, fact: PaymentFact, context: BookingContext, cause: Cause) -> UnitOfWork:
        """Of a payment intent that we charge for an invoice, while the customer is not there."""
        charged = fitting_invoice(fact, context)
        now = self.clock.now()
        work = UnitOfWork(cause, Anonymous(charged.organization_id, charged.livemode), self.ids, now)
        if (attached := invoice.attach_intent(charged, fact.payment_intent_id)) is not None:
            charged = work.record(attached)
        paid = payment.record(
            fact,
            context.payment,
            organization_id=charged.organization_id,
            checkout_session_id=None,
            customer_id=charged.customer_id,
            purchase_id=charged.purchase_id,
            invoice_id=charged.id,
            ids=self.ids,
            now=now,
        )
        if paid is not None:
            work.record(paid)
        status = payment.status_after(fact, context.payment)
        ground, refunded = context.ground, payment.refunded_after(fact, context.payment)
        stands = paid.after if paid else context.payment
        failure = last_failed(stands.attempts) if stands else None
        for change in billing.settle(
            charged, ground.purchase, ground.subscription, status, refunded, failure, now
        ):
            work.record(change)
        return work

    def _decide_intake(
        self, fact: PaymentFact, context: BookingContext, cause: Cause
    ) -> tuple[UnitOfWork, IntakePayment]:
        """Of the intent by which somebody pays what they were asked for by e-mail: they are no customer."""
        asked = fitting_intake(fact, context)
        now = self.clock.now()
        work = UnitOfWork(cause, Anonymous(asked.organization_id, asked.livemode), self.ids, now)
        paid = payment.record(
            fact,
            context.payment,
            organization_id=asked.organization_id,
            checkout_session_id=None,
            customer_id=None,
            purchase_id=None,
            invoice_id=None,
            intake_payment_id=asked.id,
            ids=self.ids,
            now=now,
        )
        if paid is not None:
            work.record(paid)
        stands = paid.after if paid else context.payment
        standing = Standing(
            status=stands.status if stands else "open",
            payment_intent_id=fact.payment_intent_id,
            stripe_customer_id=fact.stripe_customer_id,
            payment_id=stands.id if stands else None,
        )
        change = intake_payment.follow_payment(asked, standing, now)
        return work, stored(work.record(change)) if change else asked
