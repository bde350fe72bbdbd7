"""Ending a subscription, and going on after all: what is running, what is owed, and what ends otherwise."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from domain import cancellation, charging, subscription
from domain.billing import Owed
from domain.cancellation import CancelAt, NewCancellation
from domain.errors import Rejected
from domain.ids import CustomerId, PaymentMethodId, SubscriptionId
from domain.subscription import CancellationReason, Subscription, SubscriptionStatus
from tests import builders
from tests.builders import NOW, suffix

LATER = NOW + timedelta(days=10)
RUNNING = ("active", "trialing", "past_due")


def held(status: SubscriptionStatus = "active", **changes: Any) -> Subscription:
    return builders.subscription(status=status, current_period_end=LATER, **changes)


def owed(**changes: Any) -> Owed:
    return Owed(builders.invoice(**changes), builders.purchase(status="open", completed_at=None))


@pytest.mark.parametrize("status", RUNNING)
def test_what_has_a_period_that_is_running_ends_with_it(status: SubscriptionStatus) -> None:
    change = cancellation.cancel(held(status), NewCancellation(), (owed(),), NOW)
    assert change is not None
    assert change.after == replace(held(status), cancel_at_period_end=True)
    assert [event.type for event in change.events] == ["subscription.cancellation_scheduled"]
    assert change.together_with == ()
    assert cancellation.cancel(change.after, NewCancellation(), (), NOW) is None


@pytest.mark.parametrize(
    ("status", "end", "at"),
    [
        ("active", None, "period_end"),
        ("active", NOW, "period_end"),
        ("past_due", NOW - timedelta(days=1), "period_end"),
        ("incomplete", LATER, "period_end"),
        *((status, LATER, "now") for status in (*RUNNING, "incomplete")),
    ],
)
def test_anything_else_ends_at_once(status: SubscriptionStatus, end: datetime | None, at: CancelAt) -> None:
    for scheduled in (False, True):
        before = held(status, cancel_at_period_end=scheduled)
        before = replace(before, current_period_end=end)
        change = cancellation.cancel(before, NewCancellation(at=at), (), NOW)
        assert change is not None
        assert change.before == before
        assert (change.after.status, change.after.canceled_at) == ("canceled", NOW)
        assert (change.after.cancellation_reason, change.after.cancel_at_period_end) == ("requested", False)
        assert [event.type for event in change.events] == ["subscription.canceled"]


@pytest.mark.parametrize("status", ["incomplete", "active", "past_due"])
def test_only_what_was_never_paid_for_is_not_asked_for_any_more(status: SubscriptionStatus) -> None:
    bill = owed(status="open", amount_paid=0, paid_at=None, number=None)
    change = cancellation.cancel(held(status), NewCancellation(at="now"), (bill,), NOW)
    assert change is not None
    told = [event.type for part in change.together_with for event in part.events]
    assert told == (["purchase.failed", "invoice.voided"] if status == "incomplete" else [])


def test_what_has_ended_is_neither_canceled_nor_kept_nor_paid_for() -> None:
    ended = held("canceled")
    asked: tuple[Callable[[], object], ...] = (
        lambda: cancellation.cancel(ended, NewCancellation(), (), NOW),
        lambda: cancellation.resume(ended),
        lambda: charging.pay_by(ended, builders.payment_method(), ()),
    )
    for ask in asked:
        with pytest.raises(Rejected) as refusal:
            ask()
        assert refusal.value.code == "subscription_canceled"


def test_it_is_kept_only_if_it_was_to_end() -> None:
    assert cancellation.resume(held()) is None
    change = cancellation.resume(held(cancel_at_period_end=True))
    assert change is not None
    assert change.after == held()
    assert [event.type for event in change.events] == ["subscription.cancellation_withdrawn"]


@pytest.mark.parametrize("reason", get_args(CancellationReason))
def test_only_the_end_of_the_period_leaves_it_said_that_it_was_to_end_then(
    reason: CancellationReason,
) -> None:
    ended = subscription.end(held(cancel_at_period_end=True), reason, NOW).after
    assert (ended.status, ended.cancellation_reason, ended.canceled_at) == ("canceled", reason, NOW)
    assert ended.cancel_at_period_end == (reason == "requested")


def test_another_means_of_payment_is_charged_for_what_is_owed_for_this_subscription() -> None:
    plan, method = held("past_due", payment_method_id=None), builders.payment_method()
    mine = owed(subscription_id=plan.id, status="open", amount_paid=0, paid_at=None)
    other = owed(
        subscription_id=SubscriptionId(f"sub_{suffix(9)}"), status="open", amount_paid=0, paid_at=None
    )
    change = charging.pay_by(plan, method, (mine, other))
    assert change is not None
    assert change.after.payment_method_id == method.id
    (charge,) = change.together_with
    assert charge.after.id == mine.invoice.id
    assert [event.type for event in charge.events] == ["invoice.charge_due"]
    assert charging.pay_by(change.after, method, (mine,)) is None


def test_a_means_of_payment_of_nobodys_or_of_somebody_elses_is_refused() -> None:
    theirs = builders.payment_method(
        id=PaymentMethodId(f"pmeth_{suffix(9)}"), customer_id=CustomerId(f"cus_{suffix(9)}")
    )
    for method in (None, theirs):
        with pytest.raises(Rejected) as refused:
            charging.pay_by(held(), method, ())
        assert (refused.value.code, refused.value.field) == ("payment_method_not_found", "payment_method_id")
