"""What a new customer starts with: of each group of products, one that is a default; and what they have when
nothing else of a group is left to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from domain import balance, invoice
from domain.balance import Balance
from domain.catalog import DefaultKind, Plan, PricingModel
from domain.change import Change
from domain.ids import CustomerId, Ids, ProductId
from domain.invoice import Billed, BilledTo, Invoice, InvoiceLine
from domain.subscription import Subscription, SubscriptionRecord, start_default


class CustomerTerms(Struct, frozen=True):
    """What a new customer gets: the pricing model (given, or the default) and, of its default products, one
    per group. `trials_used` are the products of which somebody with the customer's fingerprint had a trial.
    """

    pricing_model: PricingModel | None
    defaults: tuple[Plan, ...] = ()
    trials_used: tuple[ProductId, ...] = ()
    sends_receipts: bool = False


class Standby(Struct, frozen=True):
    """What a customer has whenever they have no other plan of a group: its free default. `balances` are the
    latest that they had with it, one for each feature."""

    plan: Plan
    balances: tuple[Balance, ...]


class Starter(Struct, frozen=True, kw_only=True):
    """Whoever starts with the defaults, as far as it matters to them."""

    customer_id: CustomerId
    billed_to: BilledTo
    trial_fingerprint: str | None


_TURN: Mapping[DefaultKind | None, int] = {"trial": 0, "paid": 1, "free": 2}


def of_each_group(terms: CustomerTerms, group: str | None = None) -> tuple[Plan, ...]:
    """One product for each group, or only that of one: on trial, unless that was used, before one that is
    paid, before a free one."""
    chosen: dict[str, Plan] = {}
    for plan in sorted(terms.defaults, key=lambda plan: _TURN[plan.product.default_kind]):
        product = plan.product
        was_used = product.default_kind == "trial" and product.id in terms.trials_used
        if not was_used and group in (None, product.group):
            chosen.setdefault(product.group, plan)
    return tuple(chosen[name] for name in sorted(chosen))


def free_ones(terms: CustomerTerms) -> tuple[Plan, ...]:
    """The free product of each group, where there is one: for somebody who has asked for no plan."""
    return tuple(plan for plan in terms.defaults if plan.product.default_kind == "free")


def left_with(
    ended: Subscription, standby: Standby | None, ids: Ids, now: datetime
) -> tuple[Change[Any], ...]:
    """What the customer is given who has nothing else of a group any more: its free default. Not in place of
    that default itself: whoever ends it wants none.
    """
    if standby is None or (ended.is_free and ended.product_id == standby.plan.product.id):
        return ()
    started, record = start_default(ended.customer_id, standby.plan, None, ids, now)
    had = standby.balances
    return (started, *balance.of_subscription(record.subscription, standby.plan.product, 1, ids, had))


def start(
    plan: Plan, starter: Starter, terms: CustomerTerms, ids: Ids, now: datetime
) -> tuple[tuple[Change[Any], ...], SubscriptionRecord]:
    """The subscription with what it gives and, where it is to be paid from the first day, the invoice for it,
    to be charged."""
    started, record = start_default(starter.customer_id, plan, starter.trial_fingerprint, ids, now)
    given = balance.of_subscription(record.subscription, plan.product, 1, ids)
    if record.subscription.status != "incomplete":
        return (started, *given), record
    return (started, *given, _bill(plan, record, starter, terms, ids, now)), record


def _bill(
    plan: Plan, record: SubscriptionRecord, starter: Starter, terms: CustomerTerms, ids: Ids, now: datetime
) -> Change[Invoice]:
    subscription = record.subscription
    lines = tuple(
        InvoiceLine(plan.product.name, 1, price.amount, price.amount, price.id) for price in plan.prices
    )
    billed = Billed(
        organization_id=subscription.organization_id,
        livemode=subscription.livemode,
        customer_id=starter.customer_id,
        billed_to=starter.billed_to,
        currency=plan.prices[0].currency,
        lines=lines,
        subscription_id=subscription.id,
        period_start=subscription.current_period_start,
        period_end=subscription.current_period_end,
        receipt_email=starter.billed_to.email if terms.sends_receipts else None,
    )
    return invoice.issue(billed, "open", 0, ids, now, to_charge=True)
