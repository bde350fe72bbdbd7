"""A payment is a join of facts: order and number of reports cannot matter."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.memory.ids import SequentialIds
from domain import payment
from domain.events import Event
from domain.intent import Attempt, merge_attempts, status_of
from domain.payment import Payment, PaymentFact
from domain.reversal import Dispute, Refund
from tests.builders import NOW, ORGANIZATION, SESSION, fact

attempts = st.builds(
    Attempt,
    id=st.sampled_from(["ch_1", "ch_2", "ch_3"]),
    status=st.sampled_from(["pending", "failed", "succeeded"]),
    failure_code=st.sampled_from([None, "card_declined", "insufficient_funds"]),
    failure_message=st.sampled_from([None, "Declined."]),
)
refunds = st.builds(
    lambda name, status: Refund(name, 100, status, name),
    st.sampled_from(["re_1", "re_2"]),
    st.sampled_from(["pending", "succeeded", "canceled", "failed"]),
)
disputes = st.builds(
    lambda name, status: Dispute(name, 100, "usd", status),
    st.sampled_from(["du_1", "du_2"]),
    st.sampled_from(["open", "closed", "won", "lost"]),
)
reports = st.lists(attempts, max_size=4).map(tuple)
facts = st.builds(
    lambda ending, reported, refunds, disputes: fact(
        ending=ending, attempts=reported, refunds=refunds, disputes=disputes
    ),
    st.sampled_from([None, "abandoned", "canceled", "succeeded"]),
    reports,
    st.lists(refunds, max_size=2).map(tuple),
    st.lists(disputes, max_size=2).map(tuple),
)


def booked(reported: list[PaymentFact]) -> tuple[Payment | None, list[Event]]:
    """The payment after these facts, in this order, and all that was told on the way."""
    ids = SequentialIds()
    known: Payment | None = None
    told: list[Event] = []
    for one in reported:
        change = payment.record(
            one,
            known,
            organization_id=ORGANIZATION,
            checkout_session_id=SESSION,
            customer_id=None,
            purchase_id=None,
            invoice_id=None,
            ids=ids,
            now=NOW,
        )
        if change is not None:
            known = replace(change.after, version=change.after.version + 1)
            told += change.events
    return known, told


def facts_of(known: Payment | None) -> object:
    """What a payment says of the intent, without what the books add."""
    return known and (
        known.endings,
        known.attempts,
        known.status,
        known.failure_code,
        known.failure_message,
        known.refunds,
        known.refunded_amount,
        known.disputes,
    )


@given(reports, reports)
def test_merging_is_commutative(one: tuple[Attempt, ...], other: tuple[Attempt, ...]) -> None:
    assert merge_attempts(one, other) == merge_attempts(other, one)


@given(reports, reports, reports)
def test_merging_is_associative(
    one: tuple[Attempt, ...], two: tuple[Attempt, ...], three: tuple[Attempt, ...]
) -> None:
    assert merge_attempts(merge_attempts(one, two), three) == merge_attempts(one, merge_attempts(two, three))


@given(reports, reports)
def test_merging_what_is_known_already_changes_nothing(
    one: tuple[Attempt, ...], other: tuple[Attempt, ...]
) -> None:
    merged = merge_attempts(one, other)
    assert merge_attempts(merged, one) == merge_attempts(other, merged) == merged


@given(st.lists(facts, max_size=5), st.randoms(use_true_random=False))
def test_facts_in_any_order_and_number_make_the_same_payment(
    reported: list[PaymentFact], random: Random
) -> None:
    shuffled = [*reported, *random.sample(reported, k=len(reported) // 2)]
    random.shuffle(shuffled)
    assert facts_of(booked(shuffled)[0]) == facts_of(booked(reported)[0])


@given(st.lists(facts, max_size=6))
def test_no_fact_is_told_twice_and_no_ending_is_left_untold(reported: list[PaymentFact]) -> None:
    known, told = booked(reported)
    named = [event for event in told if event.fact is not None]
    assert len(named) == len(set(named))
    for ending in known.endings if known else ():
        name = "succeeded" if ending == "succeeded" else "canceled"
        assert Event(f"payment.{name}", name) in named  # type: ignore[arg-type]  # both are told so


@given(st.lists(facts, max_size=6))
def test_success_is_never_taken_back(reported: list[PaymentFact]) -> None:
    statuses = [
        known.status if (known := booked(reported[:n])[0]) else "open" for n in range(len(reported) + 1)
    ]
    first = statuses.index("succeeded") if "succeeded" in statuses else len(statuses)
    assert set(statuses[first:]) <= {"succeeded"}


def test_a_fact_that_adds_nothing_is_no_change() -> None:
    failed = fact(attempts=(Attempt("ch_1", "failed", "card_declined"),))
    assert booked([fact()]) == (None, [])
    assert booked([failed, failed]) == booked([failed])


def test_what_is_more_certain_of_an_attempt_outranks_what_is_less() -> None:
    pending, failed = Attempt("ch_1", "pending"), Attempt("ch_1", "failed", "card_declined")
    succeeded = Attempt("ch_1", "succeeded")
    assert merge_attempts((pending,), (failed,)) == (failed,)
    assert merge_attempts((succeeded,), (pending,)) == (succeeded,)


def test_an_attempt_under_way_outranks_one_that_failed_and_an_ending_outranks_both() -> None:
    known = (Attempt("ch_1", "failed"), Attempt("ch_2", "pending"))
    assert status_of((), ()) == "open"
    assert status_of((), known[:1]) == "failed"
    assert status_of((), known) == "processing"
    assert status_of((), (Attempt("ch_1", "pending"), Attempt("ch_2", "failed"))) == "processing"
    assert status_of(("canceled",), known) == "canceled"
    assert status_of(("canceled", "succeeded"), known) == "succeeded"


def test_the_reason_of_a_failure_is_given_while_the_payment_has_failed() -> None:
    declined = fact(attempts=(Attempt("ch_1", "failed", "card_declined", "Declined."),))
    paid = fact(ending="succeeded", attempts=(Attempt("ch_2", "succeeded"),))
    failed, _ = booked([declined])
    assert failed is not None
    assert (failed.failure_code, failed.failure_message) == ("card_declined", "Declined.")
    settled, _ = booked([declined, paid])
    assert settled is not None
    assert (settled.failure_code, settled.failure_message) == (None, None)


def test_money_moves_when_an_attempt_is_under_way_or_has_succeeded() -> None:
    assert not fact().money_moves
    assert not fact(attempts=(Attempt("ch_1", "failed"),)).money_moves
    assert not fact(ending="canceled").money_moves
    assert fact(attempts=(Attempt("ch_1", "failed"), Attempt("ch_2", "pending"))).money_moves
    assert fact(ending="succeeded").money_moves


def test_a_payment_is_abandoned_while_nothing_else_ended_it() -> None:
    left = fact(ending="abandoned")
    assert status_of(("abandoned",), ()) == "canceled"
    assert payment.is_abandoned_after(left, None)
    for ending in ("canceled", "succeeded"):
        known, _ = booked([fact(ending=ending)])
        assert not payment.is_abandoned_after(left, known)
    assert not payment.is_abandoned_after(fact(), None)
