"""Units of a feature that an application gives by hand: a gift, a correction in kind, credits sold
elsewhere."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from domain.balance import Balance, given
from domain.catalog import DEFAULT_THRESHOLDS, Feature, ResetInterval, Threshold, Units
from domain.change import Change
from domain.customer import Customer
from domain.errors import Rejected
from domain.ids import BalanceId, EntityId, Ids
from domain.text import NamedCustomer, NamedEntity, Slug


class NewGrant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of a feature that an application gives to a customer, or to one entity, without a purchase."""

    customer: NamedCustomer
    feature: Slug
    entity: NamedEntity | None = None
    amount: Units | None = None
    unlimited: bool = False
    overage: bool = False
    reset: ResetInterval = "never"
    expires_at: datetime | None = None
    thresholds: Annotated[tuple[Threshold, ...], Meta(max_length=10)] = DEFAULT_THRESHOLDS


def grant(
    customer: Customer, feature: Feature, entity_id: EntityId | None, draft: NewGrant, ids: Ids, now: datetime
) -> Change[Balance]:
    """What an application gives by hand. Raises Rejected `invalid_grant`."""
    if feature.type != "boolean" and not draft.unlimited and draft.amount is None:
        raise Rejected("invalid_grant", "How many units are given?", field="amount")
    if draft.amount is not None and (draft.unlimited or feature.type == "boolean"):
        raise Rejected("invalid_grant", "Nothing is counted, so that there is no amount.", field="amount")
    if draft.expires_at is not None and draft.expires_at <= now:
        raise Rejected("invalid_grant", "That is in the past.", field="expires_at")
    return given(
        Balance(
            id=ids.new(BalanceId),
            organization_id=customer.organization_id,
            livemode=customer.livemode,
            customer_id=customer.id,
            feature_id=feature.id,
            feature=feature.slug,
            entity_id=entity_id,
            granted=draft.amount,
            unlimited=draft.unlimited,
            overage=draft.overage,
            per_entity=False,
            reset=draft.reset,
            anchor=now,
            expires_at=draft.expires_at,
            thresholds=tuple(sorted(set(draft.thresholds))),
            created_at=now,
        )
    )
