"""Entities: the seats, workspaces or whatever else a customer has several of."""

import re
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.auth import AuthContext
from domain.catalog import Feature
from domain.change import Change
from domain.errors import NotFound, Rejected
from domain.events import Event
from domain.ids import CustomerId, EntityId, FeatureId, Ids, OrganizationId
from domain.subscription import Subscription, end
from domain.text import ENTITY_REFERENCE, ExternalId, Name, Slug, external_id

OUR_PREFIX = "ent_"
"""Of our own ids of entities: what begins with it is never an external id."""


class Entity(Struct, frozen=True):
    """One of the things of which a customer has several: a seat, a workspace, a device.

    `external_id` is the application's id, its customer's alone; free again once the entity is deleted.
    `feature_id` is the feature that it counts against, such as seats.
    """

    id: EntityId
    organization_id: OrganizationId
    livemode: bool
    customer_id: CustomerId
    external_id: str
    name: str | None
    feature_id: FeatureId | None
    created_at: datetime
    deleted_at: datetime | None = None
    version: int = 0

    @property
    def key(self) -> tuple[CustomerId, str]:
        """What no two of those that are not deleted have in common."""
        return self.customer_id, self.external_id


class EntityData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an entity is, but for its external id; `feature` is the slug of a metered feature."""

    name: Name | None = None
    feature: Slug | None = None


class NewEntity(EntityData, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The entity an application asks for."""

    entity_id: ExternalId


def entity_id(value: str) -> str:
    """The application's own id of an entity, checked as those of customers are. Raises Rejected
    `invalid_external_id`."""
    return external_id(value, field="entity_id", reserved=(OUR_PREFIX,))


def create(
    draft: NewEntity,
    customer_id: CustomerId,
    feature: Feature | None,
    auth: AuthContext,
    ids: Ids,
    now: datetime,
) -> Change[Entity]:
    """A new entity of this customer; `feature` is the one that the draft names, if there is such a one.

    Raises Rejected `invalid_external_id`, `feature_not_found`, `feature_not_metered`.
    """
    if draft.feature is not None and feature is None:
        raise Rejected("feature_not_found", f"There is no feature '{draft.feature}'.", field="feature")
    if feature is not None and feature.type != "metered":
        raise Rejected(
            "feature_not_metered",
            f"Only what is metered can be counted by entities: '{feature.slug}' is {feature.type}.",
            field="feature",
        )
    entity = Entity(
        id=ids.new(EntityId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        customer_id=customer_id,
        external_id=entity_id(draft.entity_id),
        name=draft.name,
        feature_id=feature.id if feature else None,
        created_at=now,
    )
    return Change(entity, (Event("entity.created"),))


def attach(entity: Entity) -> Change[Entity]:
    """Something is given to it at once. Its row says so too: whoever deletes it at the same moment decides
    again, and ends that as well."""
    return Change(entity, (Event("entity.attached"),), entity)


def delete(entity: Entity, current: Iterable[Subscription], now: datetime) -> Change[Entity] | None:
    """It is there no longer, its external id may be used anew, and its `current` subscriptions end with it;
    None when that is so already."""
    if entity.deleted_at is not None:
        return None
    return Change(
        replace(entity, deleted_at=now),
        (Event("entity.deleted"),),
        entity,
        together_with=tuple(end(held, "entity_deleted", now) for held in current),
    )


def named_entity(value: str, *, field: str = "entity") -> str:
    """The id or external id of an entity, checked as an external id is. Raises Rejected
    `invalid_external_id`."""
    is_ours = value.startswith(OUR_PREFIX) and re.match(ENTITY_REFERENCE, value)
    return value if is_ours else external_id(value, field=field, reserved=(OUR_PREFIX,))


def does_not_fit() -> Rejected:
    """Each entity that counts against a feature holds one unit of it, and there is none left."""
    return Rejected(
        "insufficient_balance", "The customer has no unit of this feature left for it.", field="feature"
    )


def no_such() -> NotFound:
    """There is none, or it is somebody else's."""
    return NotFound("entity_not_found", "The customer has no such entity.")
