"""Refunds and disputes are facts: order and number cannot matter, and no more goes back than was paid."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.memory.ids import SequentialIds
from domain import purchase, refunding
from domain.change import Change
from domain.errors import Rejected
from domain.payment import Payment
from domain.reversal import (
    Dispute,
    NewRefund,
    Refund,
    dispute_events,
    merge_disputes,
    merge_refunds,
    refund_events,
    refused,
    total_refunded,
)
from tests import builders
from tests.builders import NOW

STATUSES = ("pending", "succeeded", "canceled", "failed")
SMALLEST_CHARGES = {"usd": 50, "jpy": 50, "kwd": 10}
"""Two decimals, none, and three."""

# Each of these is one refund, told by its id at Stripe, by ours, or by both.
TOLD = (("re_1", "re_1"), ("rfd_2", None), ("rfd_2", "re_2"), ("re_2", "re_2"), ("rfd_3", None))
reports = st.lists(
    st.builds(
        lambda told, status, reason: Refund(
            told[0],
            100,
            status,
            told[1],
            reason,
            "lost_or_stolen_card" if status == "failed" else None,
            None,
            {"order": "7"} if told[0].startswith("rfd") else {},
        ),
        st.sampled_from(TOLD),
        st.sampled_from(STATUSES),
        st.sampled_from([None, "duplicate", "fraudulent"]),
    ),
    max_size=5,
).map(tuple)
disputes = st.lists(
    st.builds(
        Dispute,
        st.sampled_from(["du_1", "du_2"]),
        st.sampled_from([100, 200]),
        st.just("usd"),
        st.sampled_from(["open", "closed", "won", "lost"]),
        st.sampled_from([None, "fraudulent"]),
    ),
    max_size=4,
).map(tuple)


@given(reports, reports, reports)
def test_merging_refunds_is_commutative_associative_and_idempotent(
    one: tuple[Refund, ...], two: tuple[Refund, ...], three: tuple[Refund, ...]
) -> None:
    merged = merge_refunds(one, two)
    assert merged == merge_refunds(two, one)
    assert merge_refunds(merged, three) == merge_refunds(one, merge_refunds(two, three))
    assert merge_refunds(merged, one) == merge_refunds(two, merged) == merged


@given(disputes, disputes, disputes)
def test_merging_disputes_is_commutative_associative_and_idempotent(
    one: tuple[Dispute, ...], two: tuple[Dispute, ...], three: tuple[Dispute, ...]
) -> None:
    merged = merge_disputes(one, two)
    assert merged == merge_disputes(two, one)
    assert merge_disputes(merged, three) == merge_disputes(one, merge_disputes(two, three))
    assert merge_disputes(merged, one) == merge_disputes(two, merged) == merged


@given(st.lists(reports, max_size=4), st.lists(disputes, max_size=4))
def test_each_fact_is_told_once_however_often_it_is_reported(
    refunded: list[tuple[Refund, ...]], disputed: list[tuple[Dispute, ...]]
) -> None:
    refunds: tuple[Refund, ...] = ()
    closed: tuple[Dispute, ...] = ()
    told = []
    for one in refunded:
        merged = merge_refunds(refunds, one)
        told += refund_events(refunds, merged)
        refunds = merged
    for other in disputed:
        merged_disputes = merge_disputes(closed, other)
        told += dispute_events(closed, merged_disputes)
        closed = merged_disputes
    assert {*refund_events((), refunds), *dispute_events((), closed)} <= {*told}
    ours = [event for event in told if not (event.fact or "").startswith("re_2")]  # may be known by two ids
    assert len(ours) == len({*ours})


@pytest.mark.parametrize("order", list(permutations(("pending", "succeeded", "failed"))))
def test_a_refund_that_failed_stays_failed_and_counts_back(order: tuple[str, ...]) -> None:
    known: tuple[Refund, ...] = (Refund("re_other", 30, "succeeded", "re_other"),)
    for status in order:
        known = merge_refunds(known, (Refund("re_1", 100, status, "re_1"),))  # type: ignore[arg-type]
    assert {refund.id: refund.status for refund in known} == {"re_1": "failed", "re_other": "succeeded"}
    assert total_refunded(known) == 30


def test_what_stripe_calls_by_one_id_is_one_refund_also_when_its_metadata_is_gone() -> None:
    ours = Refund("rfd_1", 100, "pending", "re_1")
    told = Refund("re_1", 100, "succeeded", "re_1")
    assert merge_refunds((ours,), (told,)) == (Refund("rfd_1", 100, "succeeded", "re_1"),)
    assert merge_refunds((told,), (ours,)) == (Refund("rfd_1", 100, "succeeded", "re_1"),)


def test_what_is_refunded_is_a_sum_and_never_the_greatest() -> None:
    refunds = tuple(Refund(f"re_{n}", n, "succeeded", f"re_{n}") for n in (10, 20, 30))
    assert total_refunded(merge_refunds(refunds[:1], refunds)) == 60


@given(
    st.sampled_from(sorted(SMALLEST_CHARGES)),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(1, 10**6), st.booleans()), max_size=8),
)
def test_partial_refunds_sum_and_never_exceed_the_payment_in_any_currency(
    currency: str, more: int, wanted: list[tuple[int, bool]]
) -> None:
    amount = SMALLEST_CHARGES[currency] + more
    paid = builders.payment(amount=amount, currency=currency)
    ids, gone = SequentialIds(), 0
    for asked, fails in wanted:
        if asked > amount - gone:
            with pytest.raises(Rejected, match="can still be refunded"):
                refunding.ask_refund(paid, NewRefund(amount=asked), ids)
            continue
        change, refund = refunding.ask_refund(paid, NewRefund(amount=asked), ids)
        paid, gone = change.after, gone + asked
        if fails:
            failed = refunding.follow_refund(paid, refused(refund, "No."))
            assert failed is not None
            paid, gone = failed.after, gone - asked
        assert paid.refunded_amount == gone <= amount
        assert purchase_of(paid, currency=currency) == (
            "paid" if gone == 0 else "partially_refunded" if gone < amount else "refunded"
        )
    if gone < amount:
        assert refunding.ask_refund(paid, NewRefund(), ids)[1].amount == amount - gone


def purchase_of(paid: Payment, *, currency: str) -> str:
    bought = builders.purchase(amount=paid.amount, currency=currency)
    change: Change[purchase.Purchase] | None = purchase.follow_payment(
        bought, paid.status, paid.refunded_amount, NOW
    )
    return change.after.status if change else bought.status


@pytest.mark.parametrize("amount", [None, 1])
def test_nothing_is_refunded_twice(amount: int | None) -> None:
    whole = (Refund("re_1", 1500, "succeeded", "re_1"),)
    with pytest.raises(Rejected) as refusal:
        refunding.ask_refund(builders.payment(refunds=whole), NewRefund(amount=amount), SequentialIds())
    assert refusal.value.code == "refund_exceeds_payment"


@pytest.mark.parametrize("status", ["open", "processing", "failed", "canceled"])
def test_only_what_has_succeeded_is_refunded(status: str) -> None:
    with pytest.raises(Rejected) as refusal:
        refunding.ask_refund(replace(builders.payment(), status=status), NewRefund(), SequentialIds())
    assert refusal.value.code == "payment_not_refundable"
