"""A setup intent has news: from Stripe's webhook, or because the buyer's browser came back."""

from dataclasses import dataclass
from typing import assert_never

from msgspec.structs import replace

from application.causes import InboundEvent
from application.payments.at_stripe import with_its_method
from application.payments.booking_setups import decide
from application.payments.news import Booked, BuyerReturned, StripeReported
from application.ports import Clock, EventOutbox, PaymentGateway, PaymentRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain.errors import DomainError, NotFound
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
        fact = await with_its_method(reported, self.gateway)
        context = await self.payments.fact_context(fact, cause.id)
        if context.handled:
            return Booked(context.session)
        try:
            work, session = decide(fact, context, cause, self.ids, self.clock.now())
        except DomainError as refusal:
            kept = replace(cause, refusal=refusal.code, reason=refusal.detail, fact=reported)
            await self.outbox.commit(UnitOfWork(kept, None, self.ids, self.clock.now()))
            return Booked(context.session, refusal.code)
        await self.outbox.commit(work)
        return Booked(session)

    async def _book_returned(self, news: BuyerReturned) -> Booked:
        context = await self.payments.return_context(news.session_id)
        if context is None or context.session is None:
            raise NotFound("checkout_session_not_found", "There is no such checkout session.")
        session = context.session
        if session.setup_intent_id is None or session.status == "succeeded":
            return Booked(session)
        fact = await self.gateway.setup_intent(session.setup_intent_id, livemode=session.livemode)
        context = await self.payments.fact_context(fact, "")
        work, session = decide(fact, context, news.cause, self.ids, self.clock.now())
        await self.outbox.commit(work)
        return Booked(session)
