"""An entity of a customer is there no longer."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EntityRepository, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import entity
from domain.auth import Authenticated
from domain.change import stored
from domain.customer import nobody
from domain.entity import Entity
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class DeleteEntity:
    """Delete an entity, by id or external id. Its row stays, and says since when; its external id may be
    given to another one. Its current subscriptions end with it; what is bought for it by a checkout that is
    under way is booked all the same. By id, one that is deleted already is returned as it is.
    """

    entities: EntityRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, customer: str, reference: str, auth: Authenticated, cause: ApiRequest) -> Entity:
        """Raises NotFound `customer_not_found`, `entity_not_found`."""
        context = await self.entities.entity_context(auth, customer, reference)
        if context.customer_id is None:
            raise nobody()
        if context.entity is None:
            raise entity.no_such()
        now = self.clock.now()
        deletion = entity.delete(context.entity, context.current, now)
        if deletion is None:
            return context.entity
        work = UnitOfWork(cause, auth, self.ids, now)
        after = stored(work.record(deletion))
        await self.outbox.commit(work)
        return after
