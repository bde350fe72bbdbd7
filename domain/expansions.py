"""What may be asked for of a customer, beside who they are."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from domain.ids import ProductId
from domain.subscription import SubscriptionRecord

Expansion = Literal["subscriptions", "payments", "invoices", "trials_used", "entities", "balances"]
EXPANSIONS: tuple[Expansion, ...] = (
    "subscriptions",
    "payments",
    "invoices",
    "trials_used",
    "entities",
    "balances",
)

_ONE = f"(?:{'|'.join(EXPANSIONS)})"
EXPAND = rf"\A{_ONE}(?:,{_ONE})*\Z"
"""The form of several of them in a query."""


class TrialUsed(Struct, frozen=True):
    """A product that the customer has had on trial, and can have on trial no more."""

    product_id: ProductId
    product_slug: str
    started_at: datetime
    trial_ends_at: datetime


def trials_in(records: tuple[SubscriptionRecord, ...]) -> tuple[TrialUsed, ...]:
    """The trials among these subscriptions."""
    subscriptions = (record.subscription for record in records)
    return tuple(
        TrialUsed(held.product_id, held.product_slug, held.created_at, held.trial_ends_at)
        for held in subscriptions
        if held.trial_ends_at is not None
    )
