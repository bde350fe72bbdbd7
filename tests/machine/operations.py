"""What can be done to a service, as values: the same operation is done to several services alike.

What they refer to, they pick from what is known when their step begins; where there is nothing to pick, they
ask for something that is not there, which is to be refused alike.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from msgspec import UNSET, UnsetType

from application.causes import ApiRequest
from application.checkout.complete_free_checkout import BuyerConfirms, SellerConfirms
from application.organizations.create_organization import NewOrganization
from application.ports import EventFilter
from domain.auth import ClientToken
from domain.catalog_document import CatalogDocument
from domain.checkout import BuyerDetails, NewProductSession
from domain.customer import NewCustomer
from domain.ids import CheckoutSessionId, PricingModelId, RequestId
from tests.machine.known import Known
from tests.machine.operating import command
from tests.machine.service import Service

LEASE = timedelta(seconds=60)


class Operation(Protocol):
    """Its answer is a value, or the DomainError it raises."""

    async def __call__(self, service: Service, known: Known) -> object: ...


@dataclass(frozen=True)
class OpenOrganization:
    """An organization with this slug, which may be taken; or else with one made of its name."""

    name: str
    slug: str | None

    async def __call__(self, service: Service, known: Known) -> object:
        new = NewOrganization(name=self.name, owner_email="ada@example.test", slug=self.slug)
        return await service.create_organization(new, command(service))


@dataclass(frozen=True)
class Apply:
    """The catalog becomes this."""

    tenant: int
    document: CatalogDocument
    dry_run: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        return await service.apply_catalog(self.document, auth, request(service), dry_run=self.dry_run)


@dataclass(frozen=True)
class Introduce:
    """An application introduces a customer: with a pricing model that it names, one that is not there (None),
    or the default one; maybe without an id, with a fingerprint, and known to Stripe already."""

    tenant: int
    external_id: str | None
    email: str | None
    model: int | UnsetType | None = UNSET
    fingerprint: str | None = None
    stripe_id: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        model = known.model(auth, self.model) if isinstance(self.model, int) else None
        draft = NewCustomer(
            external_id=self.external_id,
            email=self.email,
            metadata={"said": self.email or "nothing"},
            fingerprint=self.fingerprint,
            stripe_customer_id=self.stripe_id,
            pricing_model_id=(
                None if self.model is UNSET else model.id if model else PricingModelId("pm_none")
            ),
        )
        return await service.create_customer(draft, auth, request(service))


@dataclass(frozen=True)
class OpenSession:
    """A buyer is to pay: for a price by slug or, as a number, by id, or for what is on sale (None); a known
    customer or anonymous."""

    tenant: int
    price: str | int | None
    customer: str | int | None
    quantity: int

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        price = known.on_sale(auth) if self.price is None else None
        price = known.price(auth, self.price) if isinstance(self.price, int) else price
        buyer = known.customer(auth, self.customer) if isinstance(self.customer, int) else None
        draft = NewProductSession(
            price=self.price if isinstance(self.price, str) else price.id if price else "price_none",
            quantity=self.quantity,
            customer=buyer.id if buyer else None if self.customer is None else str(self.customer),
            anonymous=self.customer is None,
            metadata={"order": "7"},
        )
        return await service.open_checkout_session(draft, auth, request(service))


@dataclass(frozen=True)
class Confirm:
    """A session with nothing to pay is completed: by an application that may be somebody else's or, with an
    e-mail or without, by whoever has its client token."""

    tenant: int | None
    session: int
    email: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        session = known.session(self.session)
        wanted = session.id if session else CheckoutSessionId("cs_none")
        if self.tenant is not None:
            asked = SellerConfirms(wanted, known.tenant(self.tenant), request(service))
            return await service.complete_free_checkout(asked)
        token = ClientToken(session.client_token if session else "cst_none")
        details = BuyerDetails(customer_email=self.email) if self.email else BuyerDetails()
        return await service.complete_free_checkout(BuyerConfirms(wanted, token, details, request(service)))


@dataclass(frozen=True)
class Describe:
    """The buyer of a session says who they are, or takes it back."""

    session: int
    email: str | None

    async def __call__(self, service: Service, known: Known) -> object:
        session = known.session(self.session)
        wanted = session.id if session else CheckoutSessionId("cs_none")
        token = ClientToken(session.client_token if session else "cst_none")
        details = BuyerDetails(customer_email=self.email)
        return await service.update_checkout_session(wanted, details, token, request(service))


@dataclass(frozen=True)
class ReadCustomer:
    """By external id or, as a number, by id."""

    tenant: int
    reference: str | int

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        if isinstance(self.reference, str):
            return await service.store.customer(auth, self.reference)
        customer = known.customer(auth, self.reference)
        return await service.store.customer(auth, customer.id if customer else "cus_none")


@dataclass(frozen=True)
class ReadCatalog:
    """All that is sold."""

    tenant: int

    async def __call__(self, service: Service, known: Known) -> object:
        return await service.store.catalog(known.tenant(self.tenant))


@dataclass(frozen=True)
class ResolveKey:
    """Who acts with one of the keys, or with one that nobody has (None)."""

    pick: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        key = known.key(self.pick) if self.pick is not None else None
        return await service.store.by_api_key(key.secret_hash if key else "0" * 64)


@dataclass(frozen=True)
class ReadFeed:
    """A page of what has been numbered."""

    tenant: int
    wanted: EventFilter

    async def __call__(self, service: Service, known: Known) -> object:
        return await service.store.page(known.tenant(self.tenant), self.wanted)


@dataclass(frozen=True)
class Number:
    """The worker gives events their place in the feed, at most so many (all, without a limit)."""

    limit: int | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        wanted = min(self.limit or known.unnumbered, known.unnumbered)
        numbered = await service.worker_store.sequence(wanted) if wanted else 0
        for _ in range(500):  # PostgreSQL waits for transactions under way, and be it its own housekeeping
            if numbered >= wanted:
                break
            await asyncio.sleep(0.01)
            numbered += await service.worker_store.sequence(wanted - numbered)
        return numbered


def request(service: Service) -> ApiRequest:
    """Somebody calls the API."""
    return ApiRequest(service.ids.new(RequestId))
