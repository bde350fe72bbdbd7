"""Balances: what a customer may use of a feature, and by what right.

A `Balance` holds the terms, as they were when it was given: the catalog may change, what was sold does not.
How much is left stands in its accounts, one for the customer or one for each entity, which only usage,
resets and corrections write (domain/usage.py): the entries of an account sum to what remains.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog import (
    Product,
    ProductFeature,
    ResetInterval,
)
from domain.change import Change
from domain.events import Event
from domain.ids import (
    BalanceId,
    CustomerId,
    EntityId,
    FeatureId,
    Ids,
    OrganizationId,
    PurchaseId,
    SubscriptionId,
)
from domain.purchase import Purchase
from domain.subscription import Subscription

_GIVES = attrgetter("granted", "unlimited", "overage", "per_entity", "reset")


class Balance(Struct, frozen=True, kw_only=True):
    """A customer's right to a feature: `granted` units in each `reset` interval counted from the `anchor`.

    It comes with a subscription and counts while that is current; or with a purchase, and counts once that
    is paid and until it is refunded; or was granted by hand. `expires_at` ends it. An `entity_id` names the
    only one that may use it; with `per_entity` each entity has as much. `granted` is null where nothing is
    included, or nothing counted: of a boolean feature, or where it is `unlimited`.
    """

    id: BalanceId
    organization_id: OrganizationId
    livemode: bool
    customer_id: CustomerId
    feature_id: FeatureId
    feature: str
    subscription_id: SubscriptionId | None = None
    purchase_id: PurchaseId | None = None
    entity_id: EntityId | None = None
    granted: int | None
    unlimited: bool
    overage: bool
    per_entity: bool
    reset: ResetInterval
    anchor: datetime
    expires_at: datetime | None = None
    thresholds: tuple[int, ...]
    created_at: datetime
    version: int = 0


def of_subscription(
    subscription: Subscription,
    product: Product,
    quantity: int,
    ids: Ids,
    had: Iterable[Balance] = (),
) -> tuple[Change[Balance], ...]:
    """What the product's features give with so many of this subscription; nothing before it is current.

    What the customer `had` of it before, on the same terms, goes on: what they have used of it is used.
    """
    known = {before.feature_id: before for before in had}
    changes = []
    for feature in product.features:
        new = Balance(
            id=ids.new(BalanceId),
            organization_id=subscription.organization_id,
            livemode=subscription.livemode,
            customer_id=subscription.customer_id,
            subscription_id=subscription.id,
            entity_id=subscription.entity_id,
            anchor=subscription.billing_anchor,
            created_at=subscription.created_at,
            **_terms(feature, quantity) | ({"per_entity": False} if subscription.entity_id else {}),
        )
        before = known.get(feature.feature_id)
        goes_on = before is not None and _GIVES(before) == _GIVES(new)
        changes.append(_moved(before, new) if before is not None and goes_on else given(new))
    return tuple(changes)


def _moved(before: Balance, new: Balance) -> Change[Balance]:
    after = replace(before, subscription_id=new.subscription_id, thresholds=new.thresholds)
    return Change(after, (Event("balance.moved"),), before)


def of_purchase(
    purchase: Purchase, features: Iterable[ProductFeature], ids: Ids, now: datetime
) -> tuple[Change[Balance], ...]:
    """What the product's features give with this purchase, from now on."""
    return tuple(
        given(
            Balance(
                id=ids.new(BalanceId),
                organization_id=purchase.organization_id,
                livemode=purchase.livemode,
                customer_id=purchase.customer_id,
                purchase_id=purchase.id,
                anchor=now,
                created_at=now,
                expires_at=_days_later(now, feature.expires_after_days),
                **_terms(feature, purchase.quantity),
            )
        )
        for feature in features
    )


def _terms(feature: ProductFeature, quantity: int) -> dict[str, Any]:
    return {
        "feature_id": feature.feature_id,
        "feature": feature.feature,
        "granted": _included(feature, quantity),
        "unlimited": feature.unlimited,
        "overage": feature.overage,
        "per_entity": feature.per_entity,
        "reset": feature.reset,
        "thresholds": feature.thresholds,
    }


def _included(feature: ProductFeature, quantity: int) -> int | None:
    if feature.included is None:
        return None
    return feature.included * (1 if feature.per_entity else quantity)


def _days_later(now: datetime, days: int | None) -> datetime | None:
    return now + timedelta(days=days) if days is not None else None


def given(balance: Balance) -> Change[Balance]:
    """The customer has it from now on."""
    return Change(balance, (Event("balance.granted"),))
