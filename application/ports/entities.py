"""The entities of customers."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import AuthContext
from domain.catalog import Feature
from domain.entity import Entity
from domain.ids import CustomerId, EntityId
from domain.subscription import Subscription


class EntityContext(Struct, frozen=True):
    """What making or deleting an entity is decided on; null what is not there. Without a customer, nothing
    is. `current` are the entity's current subscriptions."""

    customer_id: CustomerId | None
    entity: Entity | None = None
    feature: Feature | None = None
    current: tuple[Subscription, ...] = ()


class EntityRepository(Protocol):
    """Entities, as they are needed."""

    async def entity_context(
        self, auth: AuthContext, customer: str, entity: str, feature: str | None = None
    ) -> EntityContext:
        """The customer by id or external id. Theirs is the entity: by id (`ent_…`), deleted ones too; else by
        external id, among those that are not. The feature by slug, among the current ones."""

    async def entities(
        self, auth: AuthContext, customer: str, limit: int, before: EntityId | None = None
    ) -> Sequence[Entity]:
        """The customer's that are not deleted, at most so many, newest first; those made `before` one of
        them, if it is given. Raises NotFound `customer_not_found`."""
