"""What has to happen outside, because something happened in the books. Pure: the worker performs it later."""

from datetime import datetime, timedelta

from msgspec import Struct

from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.events import Event
from domain.ids import CheckoutSessionId, CustomerId, PaymentId
from domain.payment import Payment
from domain.reversal import Refund, RefundReason


class CreateStripeCustomer(Struct, frozen=True, tag="create_stripe_customer"):
    """Make the customer known to Stripe, once. The parameters are as they were when the task was written:
    Stripe refuses other ones with the same idempotency key (docs.stripe.com/api/idempotent_requests).
    """

    customer_id: CustomerId
    external_id: str
    email: str | None
    name: str | None


class EndCheckoutSession(Struct, frozen=True, tag="end_checkout_session"):
    """A session can be paid until then; whatever is not being paid by that time expires."""

    checkout_session_id: CheckoutSessionId
    expires_at: datetime


class CancelPaymentIntent(Struct, frozen=True, tag="cancel_payment_intent"):
    """Nobody shall pay for what has expired."""

    checkout_session_id: CheckoutSessionId
    payment_intent_id: str


class CreateRefund(Struct, frozen=True, tag="create_refund"):
    """The money goes back, once, also should whoever asked for it have crashed. Parameters as written."""

    payment_id: PaymentId
    payment_intent_id: str
    refund_id: str
    amount: int
    reason: RefundReason | None


Effect = CreateStripeCustomer | EndCheckoutSession | CancelPaymentIntent | CreateRefund

ANSWERED_WITHIN = timedelta(minutes=2)
"""By then whoever asked for a refund has made it at Stripe themselves, or never will."""

_OF_EXPIRED = ("checkout_session.expired", "checkout_session.updated")


def effects_of(event: Event, state: State) -> tuple[Effect, ...]:
    """The effects of an event, evaluated when it is committed and never again: a replay makes none."""
    match state:
        case Customer(stripe_customer_id=None) if event.type == "customer.created":
            return (CreateStripeCustomer(state.id, state.external_id, state.email, state.name),)
        case CheckoutSession() if event.type == "checkout_session.created":
            return (EndCheckoutSession(state.id, state.expires_at),)
        case CheckoutSession(status="expired", payment_intent_id=str(intent)) if event.type in _OF_EXPIRED:
            # Updated too: the intent may become known only after the session has expired.
            return (CancelPaymentIntent(state.id, intent),)
        case Payment() if event.type == "payment.refund_pending":
            return tuple(
                create_refund(state, refund)
                for refund in state.refunds
                if refund.id == event.fact and refund.stripe_refund_id is None
            )
        case _:
            return ()


def create_refund(payment: Payment, refund: Refund) -> CreateRefund:
    """What Stripe is asked for, whoever asks: the same parameters for the same idempotency key."""
    return CreateRefund(payment.id, payment.payment_intent_id, refund.id, refund.amount, refund.reason)


def due_at(effect: Effect, now: datetime) -> datetime:
    """When it is to happen: at once, unless it waits for its time."""
    match effect:
        case EndCheckoutSession(expires_at=expires_at):
            return expires_at
        case CreateRefund():
            return now + ANSWERED_WITHIN
        case _:
            return now
