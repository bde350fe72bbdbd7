"""What becomes of customers, and how they are found."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from application.ports import CustomerFilter
from domain.customer_changes import CustomerChanges
from domain.expansions import EXPANSIONS
from domain.ids import CustomerId
from tests.machine.known import Known
from tests.machine.operations import request
from tests.machine.service import Service


@dataclass(frozen=True)
class ChangeCustomer:
    """A customer, by external id or, as a number, by id, is called otherwise."""

    tenant: int
    customer: str | int
    external_id: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        changes = CustomerChanges(
            external_id=self.external_id, email=self.email, name=self.name, metadata=self.metadata
        )
        reference = named(known, self.tenant, self.customer)
        return await service.update_customer(reference, changes, auth, request(service))


@dataclass(frozen=True)
class DeleteCustomer:
    """A customer is made anonymous, here or at the provider as well."""

    tenant: int
    customer: str | int
    in_stripe: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        auth, reference = known.tenant(self.tenant), named(known, self.tenant, self.customer)
        return await service.delete_customer(reference, auth, request(service), in_stripe=self.in_stripe)


@dataclass(frozen=True)
class ListCustomers:
    """A page, from the start or after somebody."""

    tenant: int
    wanted: CustomerFilter
    limit: int
    before: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        before = known.customer(auth, self.before) if self.before is not None else None
        return await service.store.customer_page(auth, self.wanted, self.limit, before.id if before else None)


@dataclass(frozen=True)
class ShowCustomer:
    """With all that there is of them."""

    tenant: int
    customer: str | int

    async def __call__(self, service: Service, known: Known) -> object:
        auth, reference = known.tenant(self.tenant), named(known, self.tenant, self.customer)
        overview = await service.store.billing_overview(auth, reference, service.clock.now())
        in_books = await service.store.customer_in_books(auth, CustomerId(reference))
        return (
            await service.store.expanded(auth, reference, EXPANSIONS, service.clock.now()),
            overview,
            in_books,
        )


def named(known: Known, tenant: int, customer: str | int) -> str:
    """By external id, or by the id of one that there is."""
    if isinstance(customer, str):
        return customer
    found = known.customer(known.tenant(tenant), customer)
    return found.id if found else "cus_none"
