"""What becomes of a fact of a payment intent, decided purely: whether it is booked or only compared."""

from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from application.causes import Cause
from application.ports import BookingContext
from application.unit_of_work import UnitOfWork
from domain import billing, checkout_progress, completion, invoice, payment
from domain.auth import Anonymous
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.completion import Outcome
from domain.errors import Rejected
from domain.ids import Ids
from domain.intent import last_failed
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.reversal import ReversalFact

Fact = TypeVar("Fact", PaymentFact, PaymentFact | ReversalFact)


def decide(
    fact: PaymentFact, context: BookingContext, cause: Cause, ids: Ids, now: datetime
) -> tuple[UnitOfWork, CheckoutSession | None]:
    """All that changes by it, and the session as it then stands. Raises Rejected, with a code for each way of
    not fitting."""
    if fact.invoice_id is not None:
        return _decide_charge(fact, context, cause, ids, now), None
    session, quantity = _fitting(fact, context)
    work = UnitOfWork(cause, Anonymous(session.organization_id, session.livemode), ids, now)
    outcome = Outcome(
        status=payment.status_after(fact, context.payment),
        binding=fact.money_moves,
        abandoned=payment.is_abandoned_after(fact, context.payment),
        payment_intent_id=fact.payment_intent_id,
        quantity=quantity if fact.money_moves else None,
        email=nameless(fact, context).receipt_email,
        refunded=payment.refunded_after(fact, context.payment),
    )
    completed = completion.follow(session, context.ground, outcome, ids, now)
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
        ids=ids,
        now=now,
    )
    if paid is not None:
        work.record(paid)
    return work, stored(work.record(completed.session)) if completed.session else session


def _decide_charge(
    fact: PaymentFact, context: BookingContext, cause: Cause, ids: Ids, now: datetime
) -> UnitOfWork:
    """Of a payment intent that we charge for an invoice, while the customer is not there."""
    charged = _fitting_invoice(fact, context)
    work = UnitOfWork(cause, Anonymous(charged.organization_id, charged.livemode), ids, now)
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
        ids=ids,
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


def nameless(fact: Fact, context: BookingContext) -> Fact:
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
