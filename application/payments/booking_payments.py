"""What becomes of a fact of a payment intent, decided purely: whether it is booked or only compared."""

from datetime import datetime

from msgspec.structs import replace

from application.causes import Cause
from application.payments.fitting import fitting_intake, fitting_invoice, fitting_session, nameless
from application.payments.news import Booked
from application.ports import BookingContext
from application.unit_of_work import UnitOfWork
from domain import billing, completion, intake_payment, invoice, payment
from domain.auth import Anonymous
from domain.change import stored
from domain.completion import Outcome
from domain.ids import Ids
from domain.intake_payment import IntakePayment, Standing
from domain.intent import last_failed
from domain.payment import PaymentFact


def decide(
    fact: PaymentFact, context: BookingContext, cause: Cause, ids: Ids, now: datetime
) -> tuple[UnitOfWork, Booked]:
    """All that changes by it, and how what it is about then stands. Raises Rejected, with a code for each way
    of not fitting."""
    if fact.invoice_id is not None:
        return _decide_charge(fact, context, cause, ids, now), Booked(None)
    if fact.intake_payment_id is not None:
        work, asked = _decide_intake(fact, context, cause, ids, now)
        return work, Booked(None, asked=asked)
    session, quantity = fitting_session(fact, context)
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
    return work, Booked(stored(work.record(completed.session)) if completed.session else session)


def _decide_charge(
    fact: PaymentFact, context: BookingContext, cause: Cause, ids: Ids, now: datetime
) -> UnitOfWork:
    """Of a payment intent that we charge for an invoice, while the customer is not there."""
    charged = fitting_invoice(fact, context)
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


def _decide_intake(
    fact: PaymentFact, context: BookingContext, cause: Cause, ids: Ids, now: datetime
) -> tuple[UnitOfWork, IntakePayment]:
    """Of the intent by which somebody pays what they were asked for by e-mail: they are no customer."""
    asked = fitting_intake(fact, context)
    work = UnitOfWork(cause, Anonymous(asked.organization_id, asked.livemode), ids, now)
    paid = payment.record(
        fact,
        context.payment,
        organization_id=asked.organization_id,
        checkout_session_id=None,
        customer_id=None,
        purchase_id=None,
        invoice_id=None,
        intake_payment_id=asked.id,
        ids=ids,
        now=now,
    )
    if paid is not None:
        work.record(paid)
    stands = paid.after if paid else context.payment
    standing = Standing(
        status=stands.status if stands else "open",
        payment_intent_id=fact.payment_intent_id,
        stripe_customer_id=fact.stripe_customer_id,
        payment_id=stands.id if stands else None,
    )
    change = intake_payment.follow_payment(asked, standing, now)
    return work, stored(work.record(change)) if change else asked
