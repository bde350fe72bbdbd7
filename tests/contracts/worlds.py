"""A world for the contract: one store, of whichever adapter, and the use cases that drive it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from adapters.memory.store import MemoryStore
from adapters.postgres.pool import open_pool
from adapters.postgres.portal import PortalStore
from adapters.postgres.roles import APP, PORTAL, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.causes import ApiRequest, CommandLine, InboundEvent, Task
from application.customers.create_customer import CustomerFound
from application.organizations.create_organization import NewOrganization
from application.payments.news import Booked
from application.payments.refund_payment import RefundAsked, Refunded
from application.ports import (
    EventFilter,
)
from application.unit_of_work import UnitOfWork
from domain.account import secret_hash
from domain.auth import Authenticated
from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    ProductFeatureEntry,
)
from domain.checkout import CheckoutSession, NewProductSession
from domain.customer import NewCustomer
from domain.events import RecordedEvent
from domain.ids import OrganizationId, PaymentId, RequestId
from domain.intent import Attempt, Ending
from domain.payment import PaymentFact
from domain.payment_method import StoredMethod
from domain.reversal import NewRefund, ReversalFact
from domain.setup import SetupFact
from tests.databases import DatabaseServer
from tests.use_cases import Store, UseCases

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
REQUEST = ApiRequest(RequestId("req_1"))
COMMAND = CommandLine("test", RequestId("req_0"))

CATALOG = CatalogDocument(
    features=(FeatureEntry(slug="seats", name="Seats", type="metered"),),
    pricing_models=(
        PricingModelEntry(
            slug="standard",
            name="Standard",
            is_default=True,
            products=(
                ProductEntry(
                    slug="free",
                    name="Free",
                    is_default=True,
                    prices=(
                        PriceEntry(
                            slug="free-monthly",
                            type="subscription",
                            amount=0,
                            currency="usd",
                            interval="month",
                        ),
                    ),
                    features=(ProductFeatureEntry(slug="seats", included=1, reset="month"),),
                ),
                ProductEntry(
                    slug="pro",
                    name="Pro",
                    prices=(
                        PriceEntry(
                            slug="pro", type="subscription", amount=4900, currency="usd", interval="month"
                        ),
                        PriceEntry(
                            slug="pro-trial",
                            type="subscription",
                            amount=4900,
                            currency="usd",
                            interval="month",
                            trial_days=14,
                        ),
                    ),
                ),
                ProductEntry(
                    slug="course",
                    name="Course",
                    group="courses",
                    prices=(
                        PriceEntry(slug="course", type="single_payment", amount=1999, currency="usd"),
                        PriceEntry(slug="lesson", type="single_payment", amount=0, currency="usd"),
                    ),
                ),
            ),
        ),
        PricingModelEntry(slug="partner", name="Partner"),
    ),
)


class World(UseCases[Store]):
    """One store of whichever adapter, with several organizations on it: each call says who acts."""

    async def organization(self, slug: str = "acme", *, catalog: CatalogDocument = CATALOG) -> Authenticated:
        """A new organization that sells this catalog in test mode; who acts for it there."""
        opened = await self.create_organization(
            NewOrganization(name=slug, owner_email=f"owner@{slug}.example"), COMMAND
        )
        auth = await self.store.by_api_key(secret_hash(opened.test_key))
        assert auth is not None
        await self.apply_catalog(catalog, auth, REQUEST)
        return auth

    async def customer(self, auth: Authenticated, external_id: str = "ada") -> CustomerFound:
        return await self.create_customer(NewCustomer(external_id=external_id), auth, REQUEST)

    async def session(
        self,
        auth: Authenticated,
        *,
        price: str = "course",
        quantity: int = 1,
        customer: str | None = None,
    ) -> CheckoutSession:
        draft = NewProductSession(
            price=price, quantity=quantity, customer=customer, anonymous=customer is None
        )
        return await self.open_checkout_session(draft, auth, REQUEST)

    async def report(self, fact: PaymentFact | SetupFact | ReversalFact, event_id: str = "evt_1") -> Booked:
        return await self.news(fact, inbound(fact, event_id))

    async def refund(self, auth: Authenticated, id: PaymentId, amount: int | None = None) -> Refunded:
        return await self.refund_payment(RefundAsked(id, NewRefund(amount=amount), auth, REQUEST))

    def work(self, auth: Authenticated, cause: ApiRequest | InboundEvent | Task = REQUEST) -> UnitOfWork:
        return UnitOfWork(cause, auth, self.ids, self.clock.now())

    async def events(self, auth: Authenticated, **wanted: object) -> list[RecordedEvent]:
        """The feed, once everything that has committed is in it."""
        while await self.worker_store.sequence(1000):
            pass
        return list(await self.store.page(auth, EventFilter(limit=1000, **wanted)))  # type: ignore[arg-type]

    async def event_types(self, auth: Authenticated, *, after: int = 0) -> list[str]:
        return [event.type for event in await self.events(auth, after=after)]

    async def lease(self, limit: int = 100) -> list[Task]:
        return list(await self.worker_store.lease(limit, self.clock.now(), timedelta(seconds=60)))


def inbound(
    fact: PaymentFact | SetupFact | ReversalFact, id: str = "evt_1", refusal: str | None = None
) -> InboundEvent:
    """Stripe's event that brought this fact."""
    return InboundEvent(
        id,
        "payment_intent.succeeded",
        (None if isinstance(fact, ReversalFact) else fact.organization_id) or OrganizationId(""),
        fact.livemode,
        NOON,
        refusal,
    )


def fact_of(session: CheckoutSession, *attempts: Attempt, ending: Ending | None = None) -> PaymentFact:
    """What Stripe would report of the session's intent."""
    assert session.payment_intent_id is not None
    assert session.currency is not None
    return PaymentFact(
        payment_intent_id=session.payment_intent_id,
        livemode=session.livemode,
        amount=session.amount,
        currency=session.currency,
        ending=ending,
        attempts=attempts,
        organization_id=session.organization_id,
        checkout_session_id=session.id,
    )


def set_up(session: CheckoutSession, ending: Ending = "succeeded") -> SetupFact:
    """What Stripe would report of the session's setup intent, and of the card that was left."""
    assert session.setup_intent_id is not None
    card = StoredMethod(f"pm_{session.setup_intent_id}_{session.id}", "card", "visa", "4242", 12, 2034)
    return SetupFact(
        setup_intent_id=session.setup_intent_id,
        livemode=session.livemode,
        ending=ending,
        attempts=(Attempt("setatt_1", "succeeded"),) if ending == "succeeded" else (),
        payment_method=card if ending == "succeeded" else None,
        organization_id=session.organization_id,
        checkout_session_id=session.id,
    )


@asynccontextmanager
async def memory_world() -> AsyncIterator[World]:
    store = MemoryStore()
    yield World(store, ids=TypeIds(), portal=store)


@asynccontextmanager
async def postgres_world(server: DatabaseServer) -> AsyncIterator[World]:
    async with (
        server.fresh() as database,
        open_pool(database.service_dsn, APP, max_size=8) as app,
        open_pool(database.service_dsn, WORKER, max_size=4) as worker,
        open_pool(database.service_dsn, PORTAL, min_size=0, max_size=4) as portal,
    ):
        yield World(PostgresStore(app), PostgresStore(worker), TypeIds(), portal=PortalStore(portal))


Racer = Callable[[], Awaitable[object]]
