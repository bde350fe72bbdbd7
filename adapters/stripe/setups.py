"""What Stripe says of a setup intent, in the words of the books. Pure; the only reader of its JSON.

Asked for or sent to our webhook, one is read here and nowhere else (docs.stripe.com/payments/setup-intents).
"""

import msgspec
from msgspec import Struct

from adapters.stripe.marks import ownership
from adapters.stripe.translation import Expanded, IntentError, failed_attempt, id_of
from domain.intent import Attempt, Ending, merge_attempts
from domain.payment_method import StoredMethod
from domain.setup import SetupFact


class _Card(Struct):
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class _Debited(Struct):
    last4: str | None = None


class _Method(Struct):
    """docs.stripe.com/api/payment_methods/object; each type of it says what it is in a field of that name."""

    id: str
    type: str
    card: _Card | None = None
    sepa_debit: _Debited | None = None
    us_bank_account: _Debited | None = None
    customer: str | Expanded | None = None


class _Intent(Struct):
    """docs.stripe.com/api/setup_intents/object, as far as the books are concerned."""

    id: str
    livemode: bool
    status: str
    cancellation_reason: str | None = None
    customer: str | Expanded | None = None
    payment_method: str | _Method | None = None
    latest_attempt: str | Expanded | None = None
    metadata: dict[str, str] | None = None
    last_setup_error: IntentError | None = None


_decoder = msgspec.json.Decoder(_Intent)
_method = msgspec.json.Decoder(_Method)


def setup_fact(setup_intent: bytes | str | msgspec.Raw) -> SetupFact:
    """The fact that a setup intent's JSON tells. What was set up is told where it is expanded. Raises
    msgspec.DecodeError when it is not one."""
    intent = _decoder.decode(setup_intent)
    ours = ownership(intent.metadata or {}, livemode=intent.livemode)
    ending = _ending(intent)
    return SetupFact(
        setup_intent_id=intent.id,
        livemode=intent.livemode,
        ending=ending,
        attempts=merge_attempts(_failed(intent), _current(intent)),
        stripe_customer_id=id_of(intent.customer),
        payment_method=_stored(intent) if ending == "succeeded" else None,
        organization_id=ours.organization_id,
        checkout_session_id=ours.checkout_session_id,
    )


def payment_method_customer(payment_method: str) -> str | None:
    """The Stripe customer that a payment method is attached to, if it is attached."""
    return id_of(_method.decode(payment_method).customer)


def _ending(intent: _Intent) -> Ending | None:
    match intent.status:
        case "canceled" if intent.cancellation_reason == "abandoned":
            return "abandoned"
        case "succeeded" | "canceled" as ending:
            return ending
        case _:
            return None


def _current(intent: _Intent) -> tuple[Attempt, ...]:
    attempt = id_of(intent.latest_attempt) or intent.id
    match intent.status:
        case "succeeded":
            return (Attempt(attempt, "succeeded"),)
        case "processing":
            return (Attempt(attempt, "pending"),)
        case _:
            return ()


def _failed(intent: _Intent) -> tuple[Attempt, ...]:
    return (failed_attempt(intent.id, intent.last_setup_error),) if intent.last_setup_error else ()


def _stored(intent: _Intent) -> StoredMethod | None:
    method = intent.payment_method
    if not isinstance(method, _Method):
        return None
    card = method.card or _Card()
    debited = method.sepa_debit or method.us_bank_account
    return StoredMethod(
        stripe_payment_method_id=method.id,
        type=method.type,
        brand=card.brand,
        last4=card.last4 or (debited.last4 if debited else None),
        exp_month=card.exp_month,
        exp_year=card.exp_year,
    )
