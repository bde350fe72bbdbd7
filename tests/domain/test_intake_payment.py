"""How an intake payment follows its payment, in any order, and what is made of being taken back."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from adapters.memory.ids import SequentialIds
from domain.change import stored
from domain.effects import CancelIntakeIntent, effects_of
from domain.errors import Rejected
from domain.intake_payment import (
    IntakePayment,
    IntakePaymentStatus,
    Standing,
    cancel,
    follow_payment,
)
from domain.intent import Attempt, Ending
from domain.payment import Payment, PaymentFact, status_after
from domain.payment import record as record_payment
from tests.builders import intake_payment

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)

DECLINED = Attempt("ch_1", "failed", "card_declined", "Your card was declined.")
PENDING = Attempt("ch_2", "pending")
PAID = Attempt("ch_2", "succeeded")


def asked_for(**changes: object) -> IntakePayment:
    """What Stripe has not answered yet, unless the changes say otherwise."""
    return intake_payment(**{"payment_intent_id": None, "client_secret": None, **changes})


def told(*attempts: Attempt, ending: Ending | None = None) -> PaymentFact:
    return PaymentFact("pi_1", False, 2500, "usd", ending, attempts)


def after_all(asked: IntakePayment, facts: tuple[PaymentFact, ...]) -> tuple[IntakePayment, list[str]]:
    """How it stands once all of them were told, and the events that told so."""
    known: Payment | None = None
    events: list[str] = []
    ids = SequentialIds()
    for fact in facts:
        change = record_payment(
            fact,
            known,
            organization_id=asked.organization_id,
            checkout_session_id=None,
            customer_id=None,
            purchase_id=None,
            invoice_id=None,
            intake_payment_id=asked.id,
            ids=ids,
            now=NOW,
        )
        status = status_after(fact, known)
        known = change.after if change else known
        standing = Standing(status, "pi_1", "cus_1", known.id if known else None)
        followed = follow_payment(asked, standing, NOW)
        if followed is not None:
            asked = followed.after
            events += [event.type for event in followed.events]
    return asked, events


FACTS = (
    told(),
    told(DECLINED),
    told(PENDING),
    told(PAID, ending="succeeded"),
    told(ending="canceled"),
)


def test_in_every_order_and_with_any_one_twice_it_ends_paid() -> None:
    ends = set()
    for again in range(len(FACTS)):
        for order in itertools.permutations((*FACTS, FACTS[again])):
            asked, events = after_all(asked_for(), order)
            assert events.count("intake_payment.succeeded") == 1
            ends.add((asked.status, asked.completed_at, asked.stripe_customer_id, asked.payment_intent_id))
    assert ends == {("succeeded", NOW, "cus_1", "pi_1")}


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((told(),), "open"),
        ((told(DECLINED),), "failed"),
        ((told(DECLINED), told(PENDING)), "processing"),
        ((told(DECLINED), told(PENDING), told(ending="canceled")), "canceled"),
    ],
    ids=["open", "failed", "processing", "canceled"],
)
def test_it_stands_as_its_payment_does(facts: tuple[PaymentFact, ...], status: IntakePaymentStatus) -> None:
    for order in itertools.permutations(facts):
        assert after_all(asked_for(), order)[0].status == status


def test_a_failed_attempt_can_be_followed_by_another() -> None:
    failed, events = after_all(asked_for(), (told(DECLINED),))
    assert failed.is_payable
    paid, more = after_all(failed, (told(DECLINED, PAID, ending="succeeded"),))
    assert (paid.status, events, more) == (
        "succeeded",
        ["intake_payment.failed"],
        ["intake_payment.succeeded"],
    )


def test_what_was_taken_back_is_canceled_once() -> None:
    change = cancel(asked_for(), NOW)
    assert change is not None
    assert (change.after.status, change.after.canceled_at) == ("canceled", NOW)
    assert [event.type for event in change.events] == ["intake_payment.canceled"]
    assert cancel(stored(change.after), NOW + timedelta(hours=1)) is None


def test_what_was_taken_back_and_is_paid_all_the_same_is_paid() -> None:
    change = cancel(asked_for(), NOW)
    assert change is not None
    for order in itertools.permutations((told(DECLINED), told(PENDING), told(PAID, ending="succeeded"))):
        assert after_all(change.after, order)[0].status == "succeeded"
    assert after_all(change.after, (told(DECLINED), told()))[0].status == "canceled"
    assert after_all(change.after, (told(ending="abandoned"),))[0].status == "canceled"
    debit, events = after_all(change.after, (told(PENDING), told(replace(PENDING, status="failed"))))
    assert (debit.status, events) == ("canceled", ["intake_payment.processing", "intake_payment.canceled"])


@pytest.mark.parametrize("status", ["processing", "succeeded"])
def test_what_is_being_paid_or_was_is_not_taken_back(status: IntakePaymentStatus) -> None:
    with pytest.raises(Rejected) as refused:
        cancel(asked_for(status=status), NOW)
    assert refused.value.code == "intake_payment_not_open"


def test_stripes_intent_is_canceled_when_it_is_known_and_the_seller_has_taken_it_back() -> None:
    wanted = asked_for(payment_intent_id="pi_1")
    change = cancel(wanted, NOW)
    assert change is not None
    (event,) = change.events
    assert effects_of(event, change.after, wanted) == (CancelIntakeIntent(wanted.id, "pi_1"),)
    early = cancel(asked_for(payment_intent_id=None), NOW)
    assert early is not None
    assert effects_of(early.events[0], early.after, early.before) == ()
    found = follow_payment(early.after, Standing("open", "pi_1", None, None), NOW)
    assert found is not None
    assert effects_of(found.events[0], found.after, early.after) == (
        CancelIntakeIntent(early.after.id, "pi_1"),
    )


def test_what_was_canceled_at_stripe_need_not_be_canceled_there() -> None:
    wanted = asked_for(payment_intent_id="pi_1")
    change = follow_payment(wanted, Standing("canceled", "pi_1", None, None), NOW)
    assert change is not None
    assert effects_of(change.events[0], change.after, wanted) == ()


def test_when_it_was_paid_stays_as_it_was_first_known() -> None:
    paid, _ = after_all(asked_for(), (told(PAID, ending="succeeded"),))
    later = NOW + timedelta(days=1)
    assert paid.completed_at == NOW
    assert follow_payment(paid, Standing("succeeded", "pi_1", "cus_1", paid.payment_id), later) is None
