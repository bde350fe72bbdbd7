"""Subscriptions: a customer has a product, from one moment to another."""

import calendar
from datetime import datetime, timedelta
from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog import Interval, Plan, Price
from domain.change import Change
from domain.errors import NotFound
from domain.events import Event
from domain.ids import (
    CustomerId,
    EntityId,
    Ids,
    InvoiceId,
    OrganizationId,
    PaymentMethodId,
    PriceId,
    PricingModelId,
    ProductId,
    SubscriptionId,
    SubscriptionItemId,
)

SubscriptionStatus = Literal["trialing", "active", "past_due", "incomplete", "canceled"]
CancellationReason = Literal["replaced", "requested", "entity_deleted", "customer_deleted"]


class Overdue(Struct, frozen=True):
    """An invoice for which charging has failed, and why; until it is paid or void."""

    invoice_id: InvoiceId
    failure_code: str | None
    failure_message: str | None


class Subscription(Struct, frozen=True):
    """A product that a customer has. At most one current one per customer and group, add-ons aside:
    group and add-on are copied here so that the database can hold that rule.

    `incomplete` until its first charge has succeeded, `past_due` while one is `overdue`, of whichever
    period: a debit may bounce when the next one has long begun. Without a `current_period_end` it does not
    renew and does not end by itself; periods are counted from the `billing_anchor`. `payment_method_id` is
    what it is charged to. `cancel_at_period_end`: it ends with its current period, or did. `replaced_by` is
    the one that the customer took instead. One that was taken for an entity of the customer is that
    entity's: it takes no place among the customer's own, nor another entity's. `trial_fingerprint` is what
    is kept of the fingerprint of somebody who had a trial: the database gives them no other one of this
    product.
    """

    id: SubscriptionId
    organization_id: OrganizationId
    livemode: bool
    customer_id: CustomerId
    pricing_model_id: PricingModelId
    product_id: ProductId
    product_slug: str
    group: str
    is_add_on: bool
    is_free: bool
    status: SubscriptionStatus
    billing_anchor: datetime
    trial_ends_at: datetime | None
    current_period_start: datetime
    current_period_end: datetime | None
    payment_method_id: PaymentMethodId | None
    created_at: datetime
    overdue: tuple[Overdue, ...] = ()
    canceled_at: datetime | None = None
    cancellation_reason: CancellationReason | None = None
    cancel_at_period_end: bool = False
    replaced_by: SubscriptionId | None = None
    entity_id: EntityId | None = None
    trial_fingerprint: str | None = None
    version: int = 0

    @property
    def holder(self) -> str:
        """Whose it is: of those that each holds, there is one current one in a group."""
        return self.entity_id or self.customer_id

    @property
    def failure_code(self) -> str | None:
        """Why the latest of the overdue invoices could not be charged."""
        return self.overdue[-1].failure_code if self.overdue else None

    @property
    def failure_message(self) -> str | None:
        """The same, as Stripe says it to a person."""
        return self.overdue[-1].failure_message if self.overdue else None


class SubscriptionItem(Struct, frozen=True):
    """One price of a subscription, and how many of it; a product without prices is one item without one."""

    id: SubscriptionItemId
    organization_id: OrganizationId
    livemode: bool
    subscription_id: SubscriptionId
    product_id: ProductId
    price_id: PriceId | None
    quantity: int
    created_at: datetime
    version: int = 0


class SubscriptionRecord(Struct, frozen=True):
    """A subscription with its items."""

    subscription: Subscription
    items: tuple[SubscriptionItem, ...]


def start_default(
    customer_id: CustomerId, plan: Plan, trial_fingerprint: str | None, ids: Ids, now: datetime
) -> tuple[Change[Subscription], SubscriptionRecord]:
    """Give a new customer this default product, from now on; its items come with the change.

    What is on trial is paid for when that is over; what costs something from the first day is `incomplete`
    until it is paid.
    """
    product = plan.product
    recurring = next((price for price in plan.prices if price.interval), None)
    status: SubscriptionStatus = "incomplete" if product.default_kind == "paid" else "active"
    trial_ends_at = None
    if product.default_kind == "trial" and recurring is not None and recurring.trial_days is not None:
        status, trial_ends_at = "trialing", now + timedelta(days=recurring.trial_days)
    subscription = Subscription(
        id=ids.new(SubscriptionId),
        organization_id=product.organization_id,
        livemode=product.livemode,
        customer_id=customer_id,
        pricing_model_id=product.pricing_model_id,
        product_id=product.id,
        product_slug=product.slug,
        group=product.group,
        is_add_on=product.is_add_on,
        is_free=all(price.amount == 0 for price in plan.prices),
        status=status,
        billing_anchor=trial_ends_at or now,
        trial_ends_at=trial_ends_at,
        current_period_start=now,
        current_period_end=trial_ends_at or (period_end(now, recurring, now) if recurring else None),
        payment_method_id=None,
        created_at=now,
        trial_fingerprint=trial_fingerprint if trial_ends_at else None,
    )
    prices: tuple[PriceId | None, ...] = tuple(price.id for price in plan.prices) or (None,)
    items = tuple(item_of(subscription, price_id, 1, ids, now) for price_id in prices)
    return started(subscription, items), SubscriptionRecord(subscription, items)


def no_such() -> NotFound:
    """There is none, or it is somebody else's."""
    return NotFound("subscription_not_found", "There is no such subscription.")


def started(subscription: Subscription, items: tuple[SubscriptionItem, ...]) -> Change[Subscription]:
    """A new subscription, and its items with it."""
    return Change(
        subscription,
        (Event("subscription.created"),),
        together_with=tuple(Change(item, (Event("subscription_item.created"),)) for item in items),
    )


def end(
    subscription: Subscription,
    reason: CancellationReason,
    now: datetime,
    *,
    replaced_by: SubscriptionId | None = None,
) -> Change[Subscription]:
    """It is the customer's no longer, and what came with it counts no more."""
    after = replace(
        subscription,
        status="canceled",
        canceled_at=now,
        cancellation_reason=reason,
        # Whether the end of the period is what ended it: whatever else did was faster.
        cancel_at_period_end=subscription.cancel_at_period_end and reason == "requested",
        replaced_by=replaced_by,
    )
    return Change(after, (Event("subscription.canceled"),), subscription)


def pay_by(subscription: Subscription, payment_method_id: PaymentMethodId) -> Change[Subscription] | None:
    """It is charged to this from now on; None when it is already."""
    if subscription.payment_method_id == payment_method_id:
        return None
    after = replace(subscription, payment_method_id=payment_method_id)
    return Change(after, (Event("subscription.updated"),), subscription)


def item_of(
    subscription: Subscription, price_id: PriceId | None, quantity: int, ids: Ids, now: datetime
) -> SubscriptionItem:
    """So many of a price are part of the subscription."""
    return SubscriptionItem(
        ids.new(SubscriptionItemId),
        subscription.organization_id,
        subscription.livemode,
        subscription.id,
        subscription.product_id,
        price_id,
        quantity,
        now,
    )


def period_end(anchor: datetime, price: Price, start: datetime) -> datetime:
    """When the period that begins at `start` ends: the first of the anchor's returns after it.

    Counted from the anchor each time, so that a month that is too short does not move those after it.
    """
    assert price.interval is not None, "what has no periods does not renew"
    count = 1
    while (end := add_intervals(anchor, price.interval, count * price.interval_count)) <= start:
        count += 1
    return end


def add_intervals(start: datetime, interval: Interval, count: int) -> datetime:
    """`count` intervals later; a day the month does not have becomes its last (31 January + 1 month)."""
    match interval:
        case "day":
            return start + timedelta(days=count)
        case "week":
            return start + timedelta(weeks=count)
        case "month":
            return add_months(start, count)
        case "year":
            return add_months(start, 12 * count)
        case _:
            assert_never(interval)


def add_months(start: datetime, count: int) -> datetime:
    years, month = divmod(start.month - 1 + count, 12)
    year = start.year + years
    last_day = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last_day))
