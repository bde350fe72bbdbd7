"""A setup intent has news: from Stripe's webhook, or because the buyer's browser came back."""

from dataclasses import dataclass
from typing import assert_never

from msgspec.structs import replace

from application.causes import Cause, InboundEvent
from application.payments.news import Booked, BuyerReturned, StripeReported
from application.ports import BookingContext, Clock, EventOutbox, PaymentGateway, PaymentRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import completion, setup
from domain.auth import Anonymous
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.completion import Outcome
from domain.errors import DomainError, NotFound, Rejected
from domain.ids import Ids
from domain.setup import SetupFact


@dataclass(frozen=True, slots=True)
class ProcessSetupIntent:
    """Book what became known of a setup intent: customer, means of payment, subscription and session at once.

    Facts may come in any order and number (design, rule 9). No money moves by them: what is to be paid at
    once is charged by an effect of the invoice that is written here.
    """

    payments: PaymentRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, news: StripeReported[SetupFact] | BuyerReturned) -> Booked:
        """Raises NotFound `checkout_session_not_found`, and Rejected where a buyer's return does not fit."""
        match news:
            case StripeReported():
                return await self._book_reported(news.fact, news.cause)
            case BuyerReturned():
                return await self._book_returned(news)
            case _:
                assert_never(news)

    async def _book_reported(self, reported: SetupFact, cause: InboundEvent) -> Booked:
        fact = await self._with_its_method(reported)
        context = await self.payments.fact_context(fact, cause.id)
        if context.handled:
            return Booked(context.session)
        try:
            work, session = self._decide(fact, context, cause)
        except DomainError as refusal:
            kept = replace(cause, refusal=refusal.code, reason=refusal.detail, fact=reported)
            await self.outbox.commit(UnitOfWork(kept, None, self.ids, self.clock.now()))
            return Booked(context.session, refusal.code)
        await self.outbox.commit(work)
        return Booked(session)

    async def _with_its_method(self, fact: SetupFact) -> SetupFact:
        """A webhook names what was set up, and does not describe it: Stripe is asked."""
        if fact.ending != "succeeded" or fact.payment_method is not None or fact.checkout_session_id is None:
            return fact
        return await self.gateway.setup_intent(fact.setup_intent_id, livemode=fact.livemode)

    async def _book_returned(self, news: BuyerReturned) -> Booked:
        context = await self.payments.return_context(news.session_id)
        if context is None or context.session is None:
            raise NotFound("checkout_session_not_found", "There is no such checkout session.")
        session = context.session
        if session.setup_intent_id is None or session.status == "succeeded":
            return Booked(session)
        fact = await self.gateway.setup_intent(session.setup_intent_id, livemode=session.livemode)
        context = await self.payments.fact_context(fact, "")
        work, session = self._decide(fact, context, news.cause)
        await self.outbox.commit(work)
        return Booked(session)

    def _decide(
        self, fact: SetupFact, context: BookingContext, cause: Cause
    ) -> tuple[UnitOfWork, CheckoutSession]:
        session = _fitting(fact, context)
        now = self.clock.now()
        work = UnitOfWork(cause, Anonymous(session.organization_id, session.livemode), self.ids, now)
        status = setup.status_after(fact, context.setup)
        outcome = Outcome(
            status=status,
            binding=fact.ending == "succeeded",
            abandoned=setup.is_abandoned_after(fact, context.setup),
            setup_intent_id=fact.setup_intent_id,
            method=fact.payment_method,
        )
        completed = completion.follow(session, context.ground, outcome, self.ids, now)
        for change in completed.changes:
            work.record(change)
        left = setup.record(
            fact,
            context.setup,
            organization_id=session.organization_id,
            checkout_session_id=session.id,
            customer_id=completed.customer_id,
            payment_method_id=completed.payment_method_id,
            ids=self.ids,
            now=now,
        )
        if left is not None:
            work.record(left)
        return work, stored(work.record(completed.session)) if completed.session else session


def _fitting(fact: SetupFact, context: BookingContext) -> CheckoutSession:
    """The session that the fact is about. Raises Rejected, with a code for each way of not fitting."""
    if fact.checkout_session_id is None or fact.organization_id is None:
        raise Rejected("setup_intent_not_ours", "The setup intent's metadata names no checkout session.")
    session = context.session
    if session is None:
        raise Rejected(
            "checkout_session_unknown", f"There is no checkout session '{fact.checkout_session_id}'."
        )
    known = session.setup_intent_id
    if session.collects != "payment_method" or known not in (None, fact.setup_intent_id):
        raise Rejected("setup_intent_mismatch", f"The session is completed by {known}, not by this intent.")
    if context.completing not in (None, session.id):
        raise Rejected(
            "setup_intent_mismatch", f"The intent completes another session, {context.completing}."
        )
    method = context.ground.payment_method
    if method is not None and method.customer_id != session.customer_id:
        raise Rejected("setup_intent_mismatch", "The payment method is another customer's.")
    customer = context.ground.customer
    if customer is not None and customer.deleted_at is not None and fact.ending == "succeeded":
        raise Rejected("customer_deleted", "The customer has been deleted: there is nobody to charge.")
    expected = customer.stripe_customer_id if customer else None
    if expected and fact.stripe_customer_id and expected != fact.stripe_customer_id:
        raise Rejected("stripe_customer_mismatch", "The intent belongs to another Stripe customer.")
    return session
