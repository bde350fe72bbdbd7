"""What the charges for its periods make of a subscription, in whatever order they become known."""

from itertools import permutations, product
from typing import TypeAlias

import pytest
from msgspec.structs import replace

from domain import billing
from domain.ids import InvoiceId
from domain.intent import (
    Attempt,
    Ending,
    Endings,
    IntentStatus,
    last_failed,
    merge_attempts,
    merge_endings,
    status_of,
)
from domain.subscription import Subscription, SubscriptionStatus
from tests.builders import NOW, invoice, purchase, subscription, suffix

Fact: TypeAlias = Attempt | Ending
Told: TypeAlias = tuple[int, Fact]

FAILED = Attempt("ch_1", "failed", "expired_card", "Your card has expired.")
PENDING = Attempt("ch_2", "pending")
BOUNCED = Attempt("ch_2", "failed", "insufficient_funds", "There is not enough on the account.")
COURSES: tuple[tuple[Fact, ...], ...] = (
    (),
    (FAILED,),
    (FAILED, PENDING, BOUNCED),
    (FAILED, "succeeded"),
    (PENDING, "succeeded"),
    (FAILED, "canceled"),
)
"""What may become known of one charge."""


def standing(before: Subscription, told: tuple[Told, ...]) -> Subscription:
    """The subscription after these facts, each about the charge for one of its invoices."""
    attempts: dict[int, tuple[Attempt, ...]] = {}
    endings: dict[int, Endings] = {}
    for number, fact in told:
        if isinstance(fact, Attempt):
            attempts[number] = merge_attempts(attempts.get(number, ()), (fact,))
        else:
            endings[number] = merge_endings(endings.get(number, ()), fact)
        tried = attempts.get(number, ())
        charged = invoice(id=InvoiceId(f"inv_{suffix(number)}"), subscription_id=before.id)
        status = status_of(endings.get(number, ()), tried)
        change = billing.follow_charge(before, charged, status, last_failed(tried))
        before = change.after if change else before
    return before


@pytest.mark.parametrize("courses", list(product(COURSES, COURSES)))
def test_what_is_overdue_makes_it_past_due_whichever_charge_is_told_of_first(
    courses: tuple[tuple[Fact, ...], tuple[Fact, ...]],
) -> None:
    facts = [(number, fact) for number, course in enumerate(courses) for fact in course]
    active = subscription(status="active")
    last = {number: course[-1] for number, course in enumerate(courses) if course}
    overdue = [number for number, fact in last.items() if isinstance(fact, Attempt)]
    for told in permutations(facts):
        after = standing(active, told)
        assert [known.invoice_id for known in after.overdue] == [f"inv_{suffix(n)}" for n in overdue]
        assert after.status == ("past_due" if overdue else "active")
        expected = last[overdue[-1]] if overdue else None
        assert after.failure_code == (expected.failure_code if isinstance(expected, Attempt) else None)


@pytest.mark.parametrize(
    ("course", "status"),
    [
        ((FAILED,), "incomplete"),
        ((FAILED, "canceled"), "incomplete"),
        ((FAILED, "succeeded"), "active"),
        (("succeeded",), "active"),
    ],
)
def test_one_that_was_never_paid_for_waits_for_that(
    course: tuple[Fact, ...], status: SubscriptionStatus
) -> None:
    for told in permutations((0, fact) for fact in course):
        assert standing(subscription(status="incomplete"), told).status == status


def test_whatever_is_paid_or_fails_for_one_that_has_ended_it_stays_so() -> None:
    ended = replace(subscription(), status="canceled")
    for fact in (FAILED, "succeeded"):
        assert standing(ended, ((0, fact),)) == ended


@pytest.mark.parametrize("news", ["open", "processing", "failed", "canceled"])
def test_what_is_void_stays_so_until_it_is_paid_all_the_same(news: IntentStatus) -> None:
    void = invoice(status="void", amount_paid=0, paid_at=None, number=None)
    failed = purchase(status="failed", completed_at=None)
    assert billing.settle(void, failed, None, news, 0, FAILED, NOW) == []
    told = [
        (change.after.status, [event.type for event in change.events])
        for change in billing.settle(void, failed, None, "succeeded", 0, None, NOW)
    ]
    assert told == [("paid", ["purchase.completed"]), ("paid", ["invoice.paid"])]
