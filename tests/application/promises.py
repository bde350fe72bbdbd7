"""What must hold of the books after every scenario (design, section 7: nothing lost)."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar, assert_never

from application.causes import Task
from application.unit_of_work import event_hash
from application.views import snapshot_of, subject_of
from domain.catalog import PricingModel
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.events import Event, RecordedEvent
from domain.intake_payment import IntakePayment
from domain.payment import Payment
from domain.purchase import COMPLETE, Purchase
from domain.reversal import dispute_events, refund_events
from domain.setup import Setup
from tests.application.billing_promises import check_billing

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
    _intake_payments_follow_their_payments(store)
    check_billing(store)


def _every_state_is_told_by_its_last_event(store: Inspected) -> None:
    last = {
        (event.organization_id, event.livemode, event.subject.type, event.subject.id): event.data.object
        for event in store.events
        if event.subject.type != "usage"  # a record, not a state: it never changes
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
    for setup in of_kind(store, Setup):
        facts = [Event("setup.failed", tried.id) for tried in setup.attempts if tried.status == "failed"]
        facts += [Event("setup.succeeded", "succeeded")] if "succeeded" in setup.endings else []
        facts += [Event("setup.canceled", "canceled")] if {*setup.endings} - {"succeeded"} else []
        for fact in facts:
            key = setup.organization_id, setup.livemode, event_hash(fact, setup.id, setup.version)
            assert told[key] == 1, f"{fact} of {setup.id} was told {told[key]} times"


def _every_customer_has_a_pricing_model_of_its_own_tenant(store: Inspected) -> None:
    models = {(model.organization_id, model.livemode, model.id) for model in of_kind(store, PricingModel)}
    for customer in of_kind(store, Customer):
        assert (customer.organization_id, customer.livemode, customer.pricing_model_id) in models


def _every_customer_is_known_to_stripe_or_will_be(store: Inspected) -> None:
    """Once, or not at all where they are deleted. The task of one whose own request has made them known may
    still be waiting, to find that out."""
    tasks = Counter(
        task.effect.customer_id for task in store.tasks if isinstance(task.effect, CreateStripeCustomer)
    )
    for customer in of_kind(store, Customer):
        is_known = customer.stripe_customer_id is not None
        least, most = (0, 0) if customer.deleted_at is not None else (0, 1) if is_known else (1, 1)
        assert least <= tasks[customer.id] <= most, customer


def _every_refund_is_known_to_stripe_or_will_be(store: Inspected) -> None:
    """The task of one that is known by now may still be waiting, to find that out."""
    tasks = {task.effect.refund_id for task in store.tasks if isinstance(task.effect, CreateRefund)}
    for payment in of_kind(store, Payment):
        for refund in payment.refunds:
            if refund.status == "pending" and refund.stripe_refund_id is None:
                assert refund.id in tasks


def _sessions_purchases_and_payments_agree(store: Inspected) -> None:
    """A purchase is paid by one session at a time; others may have been opened for it."""
    sessions = {session.id: session for session in of_kind(store, CheckoutSession)}
    purchases = {purchase.id: purchase for purchase in of_kind(store, Purchase)}
    payments = {payment.checkout_session_id: payment for payment in of_kind(store, Payment)}
    setups = {setup.checkout_session_id: setup for setup in of_kind(store, Setup)}
    for bought in purchases.values():
        assert (bought.completed_at is not None) == (bought.status in COMPLETE)
        if bought.checkout_session_id is not None:
            assert sessions[bought.checkout_session_id].purchase_id == bought.id
    for session_id, session in sessions.items():
        payment, setup = payments.get(session_id), setups.get(session_id)
        asked = purchases[session.purchase_id] if session.purchase_id is not None else None
        purchase = asked if asked is not None and asked.checkout_session_id == session_id else None
        assert (asked is None) or (purchase is not None) or session.type == "purchase"
        match session.collects:
            case "payment":
                assert setup is None
                is_done = payment is not None and payment.status == "succeeded"
                assert (purchase is not None and purchase.status in COMPLETE) == is_done
            case "payment_method":
                assert payment is None
                is_done = setup is not None and setup.status == "succeeded"
                assert not (is_done and session.sells) or None not in (purchase, session.subscription_id)
            case "nothing":
                assert (session.intent_id, payment, setup) == (None, None, None)
                is_done = session.status == "succeeded"
                assert (purchase is not None and purchase.status in COMPLETE) == is_done
            case _:
                assert_never(session.collects)
        assert (session.status == "succeeded") == is_done
        if purchase is not None:
            assert (purchase.customer_id, purchase.currency) == (session.customer_id, session.currency)
            assert purchase.amount == session.amount or session.subscription_id is not None
        if purchase is not None and payment is not None and payment.status == "succeeded":
            left = payment.amount - payment.refunded_amount
            kept = "paid" if left == payment.amount else "partially_refunded" if left > 0 else "refunded"
            assert purchase.status == kept
        for tried in (payment, setup):
            assert tried is None or tried.customer_id == session.customer_id
        assert payment is None or payment.payment_intent_id == session.payment_intent_id
        assert payment is None or payment.purchase_id == session.purchase_id
        assert setup is None or setup.setup_intent_id == session.setup_intent_id


def _intake_payments_follow_their_payments(store: Inspected) -> None:
    """Nobody becomes a customer by one, and money that has moved is never lost sight of."""
    payments = {payment.id: payment for payment in of_kind(store, Payment)}
    intakes = {asked.id: asked for asked in of_kind(store, IntakePayment)}
    for payment in payments.values():
        if payment.intake_payment_id is not None:
            assert payment.customer_id is None
            assert intakes[payment.intake_payment_id].payment_id == payment.id
    for asked in intakes.values():
        paid = payments[asked.payment_id] if asked.payment_id is not None else None
        stands = paid.status if paid is not None else "open"
        if asked.canceled_at is not None and stands in ("open", "failed"):
            stands = "canceled"
        assert asked.status == stands, asked
        if asked.status == "succeeded":
            assert asked.completed_at is not None
        if paid is not None:
            assert asked.payment_intent_id == paid.payment_intent_id
            assert (asked.amount, asked.currency) == (paid.amount, paid.currency)


def of_kind(store: Inspected, kind: type[S]) -> list[S]:
    """Every state of one type."""
    return [state for state in store.states if isinstance(state, kind)]
