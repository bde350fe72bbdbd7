"""Taking a subscription: on trial or for money, and in place of a free one."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from domain import balance
from domain.catalog import Price, Product
from domain.change import Change
from domain.errors import Rejected
from domain.ids import CustomerId, EntityId, Ids, PaymentMethodId, SubscriptionId
from domain.invoice import InvoiceLine
from domain.money import prorated, total
from domain.subscription import (
    Subscription,
    SubscriptionItem,
    SubscriptionStatus,
    end,
    item_of,
    period_end,
    started,
)
from domain.text import fingerprint_key


class Wanted(Struct, frozen=True, kw_only=True):
    """What a customer subscribes to, for an entity of theirs if one is named, and how. `fingerprint` is the
    customer's. `preserve_billing_cycle`: the days on which the free plan that it replaces renews are kept,
    and of the first period only the rest is billed."""

    customer_id: CustomerId
    product: Product
    price: Price
    quantity: int
    payment_method_id: PaymentMethodId | None
    trial_used: bool
    fingerprint: str | None
    preserve_billing_cycle: bool
    entity_id: EntityId | None = None


class Subscribed(Struct, frozen=True):
    """The new subscription, all that changes for it, what is billed for its first period, and its items."""

    subscription: Subscription
    changes: tuple[Change[Any], ...]
    line: InvoiceLine
    items: tuple[SubscriptionItem, ...]


def needs_no_card(price: Price, *, trial_used: bool) -> bool:
    """Whether it begins with a trial for which nobody is asked for a means of payment."""
    return price.trial_days is not None and not price.trial_requires_card and not trial_used


class _Term(Struct, frozen=True):
    status: SubscriptionStatus
    anchor: datetime
    start: datetime
    end: datetime
    description: str
    amount: int


def predecessor(
    product: Product, price: Price, current: Iterable[Subscription], entity_id: EntityId | None
) -> Subscription | None:
    """The current subscription whose place one to this price would take, of the customer, or of this entity
    of theirs; None if there is none.

    Raises Rejected `already_subscribed` unless that one is free, and another plan: nobody pays for two plans
    of one group, and who has a free plan does not get it again.
    """
    if product.is_add_on:
        return None
    same = (known for known in current if known.group == product.group and known.entity_id == entity_id)
    held = next((known for known in same if not known.is_add_on), None)
    if held is not None and (not held.is_free or (held.product_id == product.id and price.amount == 0)):
        raise Rejected(
            "already_subscribed",
            f"The customer has a subscription to {held.product_slug} ({held.status}): there can be one.",
        )
    return held


def subscribe(wanted: Wanted, current: Iterable[Subscription], ids: Ids, now: datetime) -> Subscribed:
    """A subscription from now on; the free plan of its group ends with it. Raises Rejected
    `already_subscribed`.

    A trial is given once per customer and product, and once per fingerprint and product. What is to be paid
    is `incomplete` until it is.
    """
    product, price = wanted.product, wanted.price
    held = predecessor(product, price, current, wanted.entity_id)
    term = _term(wanted, held, now)
    subscription = Subscription(
        id=ids.new(SubscriptionId),
        organization_id=product.organization_id,
        livemode=product.livemode,
        customer_id=wanted.customer_id,
        pricing_model_id=product.pricing_model_id,
        product_id=product.id,
        product_slug=product.slug,
        group=product.group,
        is_add_on=product.is_add_on,
        is_free=price.amount == 0,
        status=term.status,
        billing_anchor=term.anchor,
        trial_ends_at=term.end if term.status == "trialing" else None,
        current_period_start=term.start,
        current_period_end=term.end,
        payment_method_id=wanted.payment_method_id,
        created_at=now,
        entity_id=wanted.entity_id,
        trial_fingerprint=_fingerprint_kept(wanted, term),
    )
    item = item_of(subscription, price.id, wanted.quantity, ids, now)
    changes: list[Change[Any]] = [end(held, "replaced", now, replaced_by=subscription.id)] if held else []
    changes.append(started(subscription, (item,)))
    changes += balance.of_subscription(subscription, product, wanted.quantity, ids)
    line = InvoiceLine(term.description, wanted.quantity, price.amount, term.amount, price.id)
    return Subscribed(subscription, tuple(changes), line, (item,))


def _term(wanted: Wanted, held: Subscription | None, now: datetime) -> _Term:
    price, name = wanted.price, wanted.product.name
    amount = total(price.amount, wanted.quantity)
    if price.trial_days is not None and not wanted.trial_used:
        end = now + timedelta(days=price.trial_days)
        return _Term("trialing", end, now, end, f"{name}: trial of {price.trial_days} days", 0)
    status: SubscriptionStatus = "active" if amount == 0 else "incomplete"
    period = _period_under_way(held, price, now) if wanted.preserve_billing_cycle and held else None
    if held is not None and period is not None:
        start, end = period
        share = prorated(amount, _seconds(end - now), _seconds(end - start))
        return _Term(
            "active" if share == 0 else status,
            held.billing_anchor, start, end, f"{name}: the rest of the period", share,
        )  # fmt: skip
    return _Term(status, now, now, period_end(now, price, now), name, amount)


def _fingerprint_kept(wanted: Wanted, term: _Term) -> str | None:
    is_trial = term.status == "trialing"
    return fingerprint_key(wanted.fingerprint) if is_trial and wanted.fingerprint is not None else None


def _period_under_way(held: Subscription, price: Price, now: datetime) -> tuple[datetime, datetime] | None:
    """The free plan's period that the new one can take over; None unless it is one of the price's.

    Nobody is billed for a free plan, so that the period in its row may be long over: they go on from there.
    """
    start, end = held.current_period_start, held.current_period_end
    if end is None or period_end(held.billing_anchor, price, start) != end:
        return None
    while end <= now:
        start, end = end, period_end(held.billing_anchor, price, end)
    return start, end


def _seconds(time: timedelta) -> int:
    return time // timedelta(seconds=1)
