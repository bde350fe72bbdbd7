"""How news of an intent reaches the books, and what becomes of it there."""

from typing import Generic, TypeVar

from msgspec import Struct

from application.causes import ApiRequest, InboundEvent
from domain.checkout import CheckoutSession
from domain.ids import CheckoutSessionId, IntakePaymentId
from domain.intake_payment import IntakePayment
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact

Fact_co = TypeVar("Fact_co", bound=PaymentFact | ReversalFact | SetupFact, covariant=True)


class StripeReported(Struct, Generic[Fact_co], frozen=True):
    """Stripe's webhook brought a fact."""

    fact: Fact_co
    cause: InboundEvent


class BuyerReturned(Struct, frozen=True):
    """The buyer's browser is back from completing this session; Stripe is asked how it went."""

    session_id: CheckoutSessionId
    cause: ApiRequest


class PayerReturned(Struct, frozen=True):
    """So is that of somebody who was asked by e-mail, from paying this."""

    intake_payment_id: IntakePaymentId
    cause: ApiRequest


class Booked(Struct, frozen=True):
    """How the session, or the intake payment `asked` for, stands now; `refusal` is the code of why a reported
    fact did not fit."""

    session: CheckoutSession | None
    refusal: str | None = None
    asked: IntakePayment | None = None
