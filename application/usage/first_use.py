"""Customers and entities that are made where they are first asked about, or said to have used something."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import ApiRequest
from application.customers.first_needed import draft_of, known_or_made
from application.ports import Clock, CustomerRepository, EntityRepository, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import entity
from domain.auth import Authenticated
from domain.customer import CustomerData, nobody
from domain.entity import EntityData, NewEntity, named_entity
from domain.ids import Ids
from domain.text import NamedCustomer, NamedEntity, named_customer


class Named(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom it is about: a customer, maybe one of their entities; and who they are, should they not be
    known."""

    customer: NamedCustomer
    entity: NamedEntity | None = None
    customer_data: CustomerData | None = None
    entity_data: EntityData | None = None

    def check(self, place: str = "") -> None:
        """Raises Rejected `invalid_external_id`; `place` is where it stands, such as `usage[2].`."""
        named_customer(self.customer, field=f"{place}customer")
        if self.entity is not None:
            named_entity(self.entity, field=f"{place}entity")

    @property
    def says_who(self) -> bool:
        """Whether whoever is not known may be made."""
        return self.customer_data is not None or self.entity_data is not None


@dataclass(frozen=True, slots=True)
class FirstUse:
    """Makes whom a check or a track names, if it says who they are: a part of both. Any number at once make
    one customer, with one set of defaults and events, and one entity."""

    customers: CustomerRepository
    entities: EntityRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def make(self, named: Named, auth: Authenticated, cause: ApiRequest) -> None:
        """Whoever of them is known stays as they are. Raises NotFound `customer_not_found`,
        `entity_not_found` where nobody says who it is, and what creating them raises."""
        await self._make_customer(named, auth, cause)
        if named.entity is not None:
            await self._make_entity(named, named.entity, auth, cause)

    @retry_on_stale()
    async def _make_customer(self, named: Named, auth: Authenticated, cause: ApiRequest) -> None:
        data = named.customer_data
        context = await self.customers.creation_context(auth, draft_of(named.customer, data))
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        known_or_made(named.customer, data, context, auth, work, self.ids, now)
        if work.is_needed:
            await self.outbox.commit(work)

    @retry_on_stale()
    async def _make_entity(
        self, named: Named, reference: str, auth: Authenticated, cause: ApiRequest
    ) -> None:
        data = named.entity_data
        context = await self.entities.entity_context(
            auth, named.customer, reference, data.feature if data else None
        )
        if context.customer_id is None:
            raise nobody()
        if context.entity is not None:
            return
        if data is None:
            raise entity.no_such()
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        draft = NewEntity(entity_id=reference, name=data.name, feature=data.feature)
        work.record(entity.create(draft, context.customer_id, context.feature, auth, self.ids, now))
        await self.outbox.commit(work)
