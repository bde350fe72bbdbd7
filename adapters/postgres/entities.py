"""What is read of entities in PostgreSQL: functions of sql/18_entities.sql."""

from collections.abc import Sequence

import msgspec

from adapters.postgres.database import Database
from application.ports import EntityContext
from domain.auth import AuthContext
from domain.customer import nobody
from domain.entity import Entity
from domain.ids import EntityId

_CONTEXT = msgspec.json.Decoder(EntityContext)
_ENTITIES = msgspec.json.Decoder(list[Entity])


class EntityReads:
    """The part of the store that reads entities."""

    database: Database

    async def entity_context(
        self, auth: AuthContext, customer: str, entity: str, feature: str | None = None
    ) -> EntityContext:
        tenant = auth.organization_id, auth.livemode
        return _CONTEXT.decode(await self.database.call("entity_context", *tenant, customer, entity, feature))

    async def entities(
        self, auth: AuthContext, customer: str, limit: int, before: EntityId | None = None
    ) -> Sequence[Entity]:
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("entities_page", *tenant, customer, limit, before)
        if found is None:
            raise nobody()
        return _ENTITIES.decode(found)
