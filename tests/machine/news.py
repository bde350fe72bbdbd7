"""What Stripe may tell of a session's payment intent."""

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from domain.checkout import CheckoutSession
from domain.ids import CheckoutSessionId, IntakePaymentId
from domain.intake_payment import IntakePayment
from domain.intent import Attempt
from domain.payment import PaymentFact
from domain.reversal import Dispute, DisputeStatus, Refund, RefundStatus
from tests.machine.known import Known

News = Literal[
    "created",
    "processing",
    "failed",
    "succeeded",
    "canceled",
    "abandoned",
    "refunded",
    "refund failed",
    "disputed",
    "dispute lost",
]
Flaw = Literal["amount", "session", "asked", "nobody", "mode", "intent", "shared intent", "customer"]
NOT_OURS = PaymentFact("pi_none", False, 1500, "usd")


def told(session: CheckoutSession | None, news: News, charge: int) -> PaymentFact:
    """What Stripe reports of the session's intent; of an intent of our own making if there is no session."""
    if session is None or session.currency is None:
        return NOT_OURS
    fact = PaymentFact(
        payment_intent_id=session.payment_intent_id or f"pi_for_{session.id}",
        livemode=session.livemode,
        amount=session.amount,
        currency=session.currency,
        organization_id=session.organization_id,
        checkout_session_id=session.id,
        receipt_email="payer@example.test",
    )
    return _moved(fact, news, charge, session.id)


def asked_of(asked: IntakePayment | None, news: News, charge: int) -> PaymentFact:
    """The same, of an intake payment's."""
    if asked is None:
        return NOT_OURS
    fact = PaymentFact(
        payment_intent_id=asked.payment_intent_id or f"pi_for_{asked.id}",
        livemode=asked.livemode,
        amount=asked.amount,
        currency=asked.currency,
        stripe_customer_id=asked.stripe_customer_id,
        organization_id=asked.organization_id,
        intake_payment_id=asked.id,
    )
    return _moved(fact, news, charge, asked.id)


def _moved(fact: PaymentFact, news: News, charge: int, of: str) -> PaymentFact:
    paid = replace(fact, attempts=(Attempt(f"ch_{charge}", "succeeded"),), ending="succeeded")
    match news:
        case "created":
            known = fact
        case "processing":
            known = replace(fact, attempts=(Attempt(f"ch_{charge}", "pending"),))
        case "failed":
            known = replace(fact, attempts=(Attempt(f"ch_{charge}", "failed", "card_declined", "No."),))
        case "succeeded":
            known = paid
        case "canceled" | "abandoned":
            known = replace(fact, ending=news)
        case "refunded" | "refund failed":
            status: RefundStatus = "succeeded" if news == "refunded" else "failed"
            known = replace(paid, refunds=(Refund(f"re_{of}_{charge}", fact.amount // 2, status),))
        case "disputed" | "dispute lost":
            stand: DisputeStatus = "open" if news == "disputed" else "lost"
            dispute = Dispute(f"dp_{of}_{charge}", fact.amount, fact.currency, stand)
            known = replace(paid, disputes=(dispute,))
    return known


def flawed(fact: PaymentFact, flaw: Flaw, known: Known) -> PaymentFact:
    """The same with one thing wrong."""
    other: Mapping[Flaw, dict[str, object]] = {
        "amount": {"amount": fact.amount + 1},
        "session": {"checkout_session_id": CheckoutSessionId("cs_none")},
        "asked": {"intake_payment_id": IntakePaymentId("intake_none")},
        "nobody": {"organization_id": None, "checkout_session_id": None},
        "mode": {"livemode": not fact.livemode},
        "intent": {"payment_intent_id": f"{fact.payment_intent_id}_other"},
        "shared intent": {"payment_intent_id": f"pi_of_{known.sessions}"},
        "customer": {"stripe_customer_id": "cus_of_somebody_else"},
    }
    return replace(fact, **other[flaw])
