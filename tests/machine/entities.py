"""What can be done about entities, and what is attached, as values (see operations.py)."""

from dataclasses import dataclass

from domain.attaching import NewAttachment
from domain.customer import CustomerData
from domain.entity import NewEntity
from domain.ids import EntityId
from tests.machine.known import Known
from tests.machine.operations import request
from tests.machine.service import Service


@dataclass(frozen=True)
class MakeEntity:
    """An application introduces a seat of a customer."""

    tenant: int
    customer: str
    entity_id: str
    feature: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        draft = NewEntity(entity_id=self.entity_id, name=f"of {self.customer}", feature=self.feature)
        return await service.create_entity(self.customer, draft, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class DeleteEntity:
    """One is deleted: by its external id or, as a number, by id."""

    tenant: int
    customer: str
    entity: str | int

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        reference = _reference(known, self.tenant, self.entity)
        return await service.delete_entity(self.customer, reference, auth, request(service))


@dataclass(frozen=True)
class ReadEntities:
    """One of them, and a page of a customer's."""

    tenant: int
    customer: str
    entity: str | int
    before: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        auth, store = known.tenant(self.tenant), service.store
        reference = _reference(known, self.tenant, self.entity)
        one = await store.entity_context(auth, self.customer, reference, "seats")
        before = known.entity(auth, self.before) if self.before is not None else None
        return one, await store.entities(auth, self.customer, 2, before.id if before else None)


@dataclass(frozen=True)
class Attach:
    """A customer, who may be made for it, is given something by a slug: a price, or a product."""

    tenant: int
    customer: str
    price: str | None = None
    product: str | None = None
    entity: str | None = None
    makes: bool = True

    async def __call__(self, service: Service, known: Known) -> object:
        asked = NewAttachment(
            customer=self.customer,
            price=self.price,
            product=self.product,
            entity=self.entity,
            customer_data=CustomerData(name="Attached") if self.makes else None,
        )
        return await service.attach_product(asked, known.tenant(self.tenant), request(service))


def _reference(known: Known, tenant: int, entity: str | int) -> str:
    if isinstance(entity, str):
        return entity
    found = known.entity(known.tenant(tenant), entity)
    return found.id if found else EntityId("ent_none")
