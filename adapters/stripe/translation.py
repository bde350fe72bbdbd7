"""What Stripe says of a payment intent, in the words of the books. Pure; the only reader of its JSON.

Asked for or sent to our webhook, an intent is read here and nowhere else, so that both ways of learning of
a payment tell the same fact (docs.stripe.com/payments/paymentintents/lifecycle).
"""

import msgspec
from msgspec import Struct

from adapters.stripe.marks import ownership
from domain.intent import Attempt, Ending, merge_attempts
from domain.payment import PaymentFact


class Expanded(Struct):
    """An object where its id would do (docs.stripe.com/expand)."""

    id: str


class _Method(Struct):
    id: str | None = None
    type: str | None = None


class IntentError(Struct):
    """Why the last try failed (docs.stripe.com/api/errors)."""

    type: str | None = None
    charge: str | None = None
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None
    payment_method: str | _Method | None = None
    payment_method_type: str | None = None


class _Intent(Struct):
    """docs.stripe.com/api/payment_intents/object, as far as the books are concerned."""

    id: str
    livemode: bool
    amount: int
    currency: str
    status: str
    cancellation_reason: str | None = None
    latest_charge: str | Expanded | None = None
    customer: str | Expanded | None = None
    payment_method: str | Expanded | None = None
    receipt_email: str | None = None
    metadata: dict[str, str] | None = None
    last_payment_error: IntentError | None = None


_decoder = msgspec.json.Decoder(_Intent)


def payment_fact(payment_intent: bytes | str | msgspec.Raw) -> PaymentFact:
    """The fact that a payment intent's JSON tells. Raises msgspec.DecodeError when it is not one."""
    intent = _decoder.decode(payment_intent)
    ours = ownership(intent.metadata or {}, livemode=intent.livemode)
    return PaymentFact(
        payment_intent_id=intent.id,
        livemode=intent.livemode,
        amount=intent.amount,
        currency=intent.currency,
        ending=_ending(intent),
        attempts=merge_attempts(_failed(intent), _current(intent)),
        stripe_customer_id=id_of(intent.customer),
        receipt_email=intent.receipt_email,
        organization_id=ours.organization_id,
        checkout_session_id=ours.checkout_session_id,
        invoice_id=ours.invoice_id,
        intake_payment_id=ours.intake_payment_id,
    )


def _ending(intent: _Intent) -> Ending | None:
    match intent.status:
        case "canceled" if intent.cancellation_reason == "abandoned":
            return "abandoned"
        case "succeeded" | "canceled" as ending:
            return ending
        case _:  # Stripe may add statuses; one we do not know ends nothing
            return None


def _current(intent: _Intent) -> tuple[Attempt, ...]:
    """The try that the status speaks of. A buyer who still has to act has not tried yet."""
    charge = id_of(intent.latest_charge)
    match intent.status:
        case "succeeded" if charge is not None:
            return (Attempt(charge, "succeeded"),)
        case "processing":
            return (Attempt(charge or id_of(intent.payment_method) or intent.id, "pending"),)
        case _:
            return ()


def _failed(intent: _Intent) -> tuple[Attempt, ...]:
    """The try that failed last, whatever came after it: that it failed stays true."""
    return (failed_attempt(intent.id, intent.last_payment_error),) if intent.last_payment_error else ()


def failed_attempt(intent_id: str, error: IntentError) -> Attempt:
    """The try that has failed so.

    A charge belongs to one try. A refusal that came before any charge (3-D Secure, say) has none, and is
    known by the means of payment and the reason.
    """
    code = error.code or error.type
    known_by = error.charge or f"{_means(error) or intent_id}:{code}"
    reason = error.decline_code or code
    return Attempt(known_by, "failed", failure_code=reason, failure_message=error.message)


def _means(error: IntentError) -> str | None:
    match error.payment_method:
        case str(id):
            return id
        case _Method(id=id, type=type) if id or type:
            return id or type
        case _:
            return error.payment_method_type


def id_of(reference: str | Expanded | None) -> str | None:
    """The id of what is referred to, expanded or not."""
    return reference.id if isinstance(reference, Expanded) else reference
