"""Whether news of a payment intent fits what it is about. What does not is kept with its reason: the money
has moved."""

from typing import TypeVar

from msgspec.structs import replace

from application.ports import BookingContext
from domain import checkout_progress
from domain.checkout import CheckoutSession
from domain.errors import Rejected
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.reversal import ReversalFact

Fact = TypeVar("Fact", PaymentFact, PaymentFact | ReversalFact)


def nameless(fact: Fact, context: BookingContext) -> Fact:
    """Of a customer who was deleted nothing is written down that they could be known by again."""
    customer = context.ground.customer
    if isinstance(fact, PaymentFact) and customer is not None and customer.deleted_at is not None:
        return replace(fact, receipt_email=None)
    return fact


def fitting_session(fact: PaymentFact, context: BookingContext) -> tuple[CheckoutSession, int]:
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
    _check_pays_nothing_else(context, session.id)
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


def fitting_invoice(fact: PaymentFact, context: BookingContext) -> Invoice:
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


def fitting_intake(fact: PaymentFact, context: BookingContext) -> IntakePayment:
    """The intake payment that the fact is about. Raises Rejected as above."""
    asked = context.intake
    if asked is None:
        raise Rejected("intake_payment_unknown", f"There is no intake payment '{fact.intake_payment_id}'.")
    if asked.payment_intent_id not in (None, fact.payment_intent_id):
        raise Rejected(
            "payment_intent_mismatch",
            f"The intake payment is paid by {asked.payment_intent_id}, not by this intent.",
        )
    _check_pays_nothing_else(context, asked.id)
    if (fact.amount, fact.currency) != (asked.amount, asked.currency):
        raise Rejected(
            "amount_mismatch",
            f"The intent is over {fact.amount} {fact.currency}, "
            f"the intake payment over {asked.amount} {asked.currency}.",
        )
    if asked.stripe_customer_id and fact.stripe_customer_id not in (None, asked.stripe_customer_id):
        raise Rejected("stripe_customer_mismatch", "The intent belongs to another Stripe customer.")
    return asked


def _check_pays_nothing_else(context: BookingContext, id: str) -> None:
    asked = context.payment.intake_payment_id if context.payment else None
    pays = context.completing or asked
    if pays not in (None, id):
        raise Rejected("payment_intent_mismatch", f"The intent pays something else, {pays}.")
