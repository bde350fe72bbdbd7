"""A payment intent has news: from Stripe's webhook, or because the buyer's browser came back. So has what was
paid, when it is refunded or disputed."""

from dataclasses import dataclass
from typing import TypeVar, assert_never

from msgspec.structs import replace

from application.causes import ApiRequest, Cause, InboundEvent
from application.payments.news import Booked, BuyerReturned, StripeReported
from application.ports import BookingContext, Clock, EventOutbox, PaymentGateway, PaymentRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import billing, checkout_progress, completion, invoice, payment
from domain.auth import Anonymous
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.completion import Outcome
from domain.errors import DomainError, NotFound, ProviderRefused, Rejected
from domain.ids import CheckoutSessionId, Ids
from domain.intent import last_failed
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.reversal import ReversalFact

Fact = TypeVar("Fact", PaymentFact, PaymentFact | ReversalFact)


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
    async def __call__(self, news: StripeReported[PaymentFact | ReversalFact] | BuyerReturned) -> Booked:
        """Raises NotFound `checkout_session_not_found`, and Rejected where a buyer's return does not fit."""
        match news:
            case StripeReported():
                return await self._book_reported(news.fact, news.cause)
            case BuyerReturned():
                return await self._book_returned(news.session_id, news.cause)
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
            return Booked(context.session)
        try:
            work, session = self._decide(fact, context, cause)
        except DomainError as refusal:
            return await self._keep(_nameless(reported, context), cause, refusal, context.session)
        await self.outbox.commit(work)
        return Booked(session)

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
            work, session = self._decide(fact, context, cause)
        except Rejected:
            # The books were read before Stripe was asked: how many are wanted may have changed since.
            context = await self.payments.return_context(session_id)
            assert context is not None, "sessions are never deleted"
            work, session = self._decide(fact, context, cause)
        await self.outbox.commit(work)
        return Booked(session)

    def _decide(
        self, fact: PaymentFact, context: BookingContext, cause: Cause
    ) -> tuple[UnitOfWork, CheckoutSession | None]:
        if fact.invoice_id is not None:
            return self._decide_charge(fact, context, cause), None
        session, quantity = _fitting(fact, context)
        now = self.clock.now()
        work = UnitOfWork(cause, Anonymous(session.organization_id, session.livemode), self.ids, now)
        outcome = Outcome(
            status=payment.status_after(fact, context.payment),
            binding=fact.money_moves,
            abandoned=payment.is_abandoned_after(fact, context.payment),
            payment_intent_id=fact.payment_intent_id,
            quantity=quantity if fact.money_moves else None,
            email=_nameless(fact, context).receipt_email,
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
        return work, stored(work.record(completed.session)) if completed.session else session

    def _decide_charge(self, fact: PaymentFact, context: BookingContext, cause: Cause) -> UnitOfWork:
        """Of a payment intent that we charge for an invoice, while the customer is not there."""
        charged = _fitting_invoice(fact, context)
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


def _nameless(fact: Fact, context: BookingContext) -> Fact:
    """Of a customer who was deleted nothing is written down that they could be known by again."""
    customer = context.ground.customer
    if isinstance(fact, PaymentFact) and customer is not None and customer.deleted_at is not None:
        return replace(fact, receipt_email=None)
    return fact


def _fitting(fact: PaymentFact, context: BookingContext) -> tuple[CheckoutSession, int]:
    """The session that the fact is about, and for how many is paid. Raises Rejected, with a code for each way
    of not fitting."""
    if fact.checkout_session_id is None or fact.organization_id is None:
        raise Rejected("payment_intent_not_ours", "The payment intent's metadata names no checkout session.")
    session = context.session
    if session is None:
        raise Rejected(
            "checkout_session_unknown", f"There is no checkout session '{fact.checkout_session_id}'."
        )
    paid_by = session.payment_intent_id
    if session.id != fact.checkout_session_id or paid_by not in (None, fact.payment_intent_id):
        raise Rejected("payment_intent_mismatch", f"The session is paid by {paid_by}, not by this intent.")
    if context.completing not in (None, session.id):
        raise Rejected("payment_intent_mismatch", f"The intent pays another session, {context.completing}.")
    if session.collects != "payment":
        raise Rejected("payment_intent_mismatch", "There is nothing to pay for this session.")
    # Once somebody is paying, it is for the purchase's quantity. What else is told may be old news.
    is_fixed = fact.money_moves and session.purchase_id is not None
    asked = replace(session, quantities=(session.quantity,)) if is_fixed else session
    quantity = checkout_progress.paid_quantity(asked, fact.amount, fact.currency)
    if quantity is None:
        raise Rejected(
            "amount_mismatch",
            f"The intent is over {fact.amount} {fact.currency}, "
            f"the session over {session.amount} {session.currency}.",
        )
    _check_customer(fact, context)
    return session, quantity


def _fitting_invoice(fact: PaymentFact, context: BookingContext) -> Invoice:
    """The invoice that the intent is a charge for. Raises Rejected as above."""
    charged = context.ground.invoice
    if charged is None or fact.organization_id is None:
        raise Rejected("invoice_unknown", f"There is no invoice '{fact.invoice_id}'.")
    if charged.payment_intent_id not in (None, fact.payment_intent_id):
        raise Rejected(
            "payment_intent_mismatch",
            f"The invoice is charged by {charged.payment_intent_id}, not by this intent.",
        )
    if (fact.amount, fact.currency) != (charged.total, charged.currency):
        raise Rejected(
            "amount_mismatch",
            f"The intent is over {fact.amount} {fact.currency}, "
            f"the invoice over {charged.total} {charged.currency}.",
        )
    _check_customer(fact, context)
    return charged


def _check_customer(fact: PaymentFact, context: BookingContext) -> None:
    known = context.ground.customer.stripe_customer_id if context.ground.customer else None
    if known and fact.stripe_customer_id and known != fact.stripe_customer_id:
        raise Rejected("stripe_customer_mismatch", "The intent belongs to another Stripe customer.")
