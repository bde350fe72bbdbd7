"""Which use case books which news of Stripe's, however they came: by webhook, or again from the inbox."""

from dataclasses import dataclass

from application.causes import InboundEvent, StripeFact
from application.payments.news import Booked, StripeReported
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.payments.process_setup_intent import ProcessSetupIntent
from domain.setup import SetupFact


@dataclass(frozen=True, slots=True)
class News:
    """Books a fact that Stripe has reported."""

    process_payment_intent: ProcessPaymentIntent
    process_setup_intent: ProcessSetupIntent

    async def __call__(self, fact: StripeFact, cause: InboundEvent) -> Booked:
        if isinstance(fact, SetupFact):
            return await self.process_setup_intent(StripeReported(fact, cause))
        return await self.process_payment_intent(StripeReported(fact, cause))
