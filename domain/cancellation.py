"""Ending a subscription, at once or when the period that was paid for is over; and going on after all."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from domain import billing
from domain.billing import Owed
from domain.change import Change
from domain.errors import Rejected
from domain.events import Event
from domain.subscription import Subscription, end

CancelAt = Literal["period_end", "now"]


class NewCancellation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscription is to end: with its current period, unless it shall be now."""

    at: CancelAt = "period_end"


def cancel(
    held: Subscription, wanted: NewCancellation, owed: Iterable[Owed], now: datetime
) -> Change[Subscription] | None:
    """End it, or say that it will; None when that has been said. What has no period that is running ends at
    once: it was never paid for, or has no end, or the next period is not paid for yet. What the customer is
    left with then is `domain.defaults.left_with`.

    `owed` is what is to be paid for it, and what becomes of that is as with Stripe
    (docs.stripe.com/billing/subscriptions/cancel): what was never paid for is not asked for any more, and
    its invoice is void. For a period that they had, the invoice stays open, and nobody is charged for it by
    themselves. Nothing is given back. Raises Rejected `subscription_canceled`.
    """
    check_current(held)
    if wanted.at == "period_end" and not ends_at_once(held, now):
        if held.cancel_at_period_end:
            return None
        after = replace(held, cancel_at_period_end=True)
        return Change(after, (Event("subscription.cancellation_scheduled"),), held)
    ended = end(replace(held, cancel_at_period_end=False), "requested", now)
    voided: list[Change[Any]] = []
    if held.status == "incomplete":
        for one in owed:
            voided += billing.settle(one.invoice, one.purchase, None, "canceled", 0, None, now)
    return replace(ended, before=held, together_with=tuple(voided))


def ends_at_once(held: Subscription, now: datetime) -> bool:
    """Whether there is no period that is running and paid for, with which it could end."""
    is_running = held.current_period_end is not None and now < held.current_period_end
    return not is_running or held.status == "incomplete"


def resume(held: Subscription) -> Change[Subscription] | None:
    """It goes on when its period is over; None when it was not to end. Raises Rejected
    `subscription_canceled`."""
    check_current(held)
    if not held.cancel_at_period_end:
        return None
    after = replace(held, cancel_at_period_end=False)
    return Change(after, (Event("subscription.cancellation_withdrawn"),), held)


def check_current(held: Subscription) -> None:
    """Raises Rejected `subscription_canceled`: what has ended does not come back."""
    if held.status == "canceled":
        raise Rejected("subscription_canceled", "This subscription has ended: it can be taken anew.")
