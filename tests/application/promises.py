"""What must hold of the books after every scenario (design, section 7: nothing lost)."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

from application.causes import Task
from application.unit_of_work import event_hash
from application.views import snapshot_of, subject_of
from domain.catalog import PricingModel
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.events import Event, RecordedEvent
from domain.invoice import Invoice
from domain.payment import Payment
from domain.purchase import COMPLETE, Purchase
from domain.reversal import dispute_events, refund_events
from domain.setup import Setup

S = TypeVar("S", bound=State)


class Inspected(Protocol):
    """A store that lets tests see everything in it, across organizations."""

    @property
    def states(self) -> Sequence[State]: ...
    @property
    def events(self) -> Sequence[RecordedEvent]:
        """In the order in which they were committed."""

    @property
    def tasks(self) -> Sequence[Task]: ...


def check_books(store: Inspected) -> None:
    """Nothing is lost, nothing is there twice, and everything fits together."""
    _every_state_is_told_by_its_last_event(store)
    _every_fact_is_told_once(store)
    _every_customer_has_a_pricing_model_of_its_own_tenant(store)
    _every_customer_is_known_to_stripe_or_will_be(store)
    _every_refund_is_known_to_stripe_or_will_be(store)
    _sessions_purchases_and_payments_agree(store)
    _invoices_and_payments_agree(store)


def _every_state_is_told_by_its_last_event(store: Inspected) -> None:
    last = {
        (event.organization_id, event.livemode, event.subject.type, event.subject.id): event.data.object
        for event in store.events
    }
    now = {}
    for state in store.states:
        subject = subject_of(state)
        now[state.organization_id, state.livemode, subject.type, subject.id] = snapshot_of(state)
    assert last == now


def _every_fact_is_told_once(store: Inspected) -> None:
    told = Counter((event.organization_id, event.livemode, event.hash) for event in store.events)
    assert [key for key, times in told.items() if times > 1] == []
    for payment in of_kind(store, Payment):
        facts = [
            Event("payment.failed", attempt.id) for attempt in payment.attempts if attempt.status == "failed"
        ]
        facts += [Event("payment.succeeded", "succeeded")] if "succeeded" in payment.endings else []
        facts += [Event("payment.canceled", "canceled")] if {*payment.endings} - {"succeeded"} else []
        facts += [*refund_events((), payment.refunds), *dispute_events((), payment.disputes)]
        for fact in facts:
            key = payment.organization_id, payment.livemode, event_hash(fact, payment.id, payment.version)
            assert told[key] == 1, f"{fact} of {payment.id} was told {told[key]} times"


def _every_customer_has_a_pricing_model_of_its_own_tenant(store: Inspected) -> None:
    models = {(model.organization_id, model.livemode, model.id) for model in of_kind(store, PricingModel)}
    for customer in of_kind(store, Customer):
        assert (customer.organization_id, customer.livemode, customer.pricing_model_id) in models


def _every_customer_is_known_to_stripe_or_will_be(store: Inspected) -> None:
    tasks = Counter(
        task.effect.customer_id for task in store.tasks if isinstance(task.effect, CreateStripeCustomer)
    )
    for customer in of_kind(store, Customer):
        assert tasks[customer.id] == (1 if customer.stripe_customer_id is None else 0)


def _every_refund_is_known_to_stripe_or_will_be(store: Inspected) -> None:
    """The task of one that is known by now may still be waiting, to find that out."""
    tasks = {task.effect.refund_id for task in store.tasks if isinstance(task.effect, CreateRefund)}
    for payment in of_kind(store, Payment):
        for refund in payment.refunds:
            if refund.status == "pending" and refund.stripe_refund_id is None:
                assert refund.id in tasks


def _sessions_purchases_and_payments_agree(store: Inspected) -> None:
    sessions = {session.id: session for session in of_kind(store, CheckoutSession)}
    purchases = {purchase.checkout_session_id: purchase for purchase in of_kind(store, Purchase)}
    payments = {payment.checkout_session_id: payment for payment in of_kind(store, Payment)}
    setups = {setup.checkout_session_id: setup for setup in of_kind(store, Setup)}
    for session_id, session in sessions.items():
        purchase, payment = purchases.get(session_id), payments.get(session_id)
        assert purchase is None or session.purchase_id == purchase.id
        assert session.purchase_id is None or purchase is not None or session.type == "purchase"
        if session.collects == "payment_method":
            setup = setups.get(session_id)
            assert (session.status == "succeeded") == (setup is not None and setup.status == "succeeded")
            continue
        is_paid = payment is not None and payment.status == "succeeded"
        if session.is_free:
            assert (session.payment_intent_id, payment) == (None, None)
            is_paid = session.status == "succeeded"
        assert (purchase is not None and purchase.status in COMPLETE) == is_paid
        assert (session.status == "succeeded") == is_paid
        if purchase is not None:
            assert purchase.customer_id == session.customer_id
            assert (purchase.amount, purchase.currency) == (session.amount, session.currency)
            assert (purchase.completed_at is not None) == (purchase.status in COMPLETE)
        if purchase is not None and payment is not None and payment.status == "succeeded":
            left = payment.amount - payment.refunded_amount
            kept = "paid" if left == payment.amount else "partially_refunded" if left > 0 else "refunded"
            assert purchase.status == kept
        if payment is not None:
            assert payment.payment_intent_id == session.payment_intent_id
            assert payment.purchase_id == session.purchase_id
            assert payment.customer_id == session.customer_id


def _invoices_and_payments_agree(store: Inspected) -> None:
    for invoice in of_kind(store, Invoice):
        assert sum(line.amount for line in invoice.lines) == invoice.total
        payments = [payment for payment in of_kind(store, Payment) if payment.invoice_id == invoice.id]
        paid = [payment for payment in payments if payment.status == "succeeded"]
        assert invoice.amount_paid == sum(payment.amount for payment in paid)
        assert invoice.amount_refunded == sum(payment.refunded_amount for payment in paid)


def of_kind(store: Inspected, kind: type[S]) -> list[S]:
    """Every state of one type."""
    return [state for state in store.states if isinstance(state, kind)]
