"""An application introduces an entity of a customer."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import ApiRequest
from application.ports import Clock, EntityRepository, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import entity
from domain.auth import Authenticated
from domain.customer import nobody
from domain.entity import Entity, NewEntity
from domain.ids import Ids


class EntityFound(Struct, frozen=True):
    """The entity, and whether this request made it."""

    entity: Entity
    created: bool


@dataclass(frozen=True, slots=True)
class CreateEntity:
    """Make an entity of the customer, or return the one that is known by this external id.

    One that is known is returned as it is: other fields of the draft change nothing. Any number of such
    requests at once make one.
    """

    entities: EntityRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, customer: str, draft: NewEntity, auth: Authenticated, cause: ApiRequest
    ) -> EntityFound:
        """Raises NotFound `customer_not_found`; Rejected `invalid_external_id`, `feature_not_found`,
        `feature_not_metered`."""
        context = await self.entities.entity_context(
            auth, customer, entity.entity_id(draft.entity_id), draft.feature
        )
        if context.customer_id is None:
            raise nobody()
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        if context.entity is not None:
            found = EntityFound(context.entity, created=False)
        else:
            creation = entity.create(draft, context.customer_id, context.feature, auth, self.ids, now)
            found = EntityFound(work.record(creation), created=True)
        work.answer(found)
        if work.is_needed:
            await self.outbox.commit(work)
        return found
