"""Where checkouts go on in every order: a shop on a store of whichever adapter, and what is kept of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from adapters.memory.gateway import MemoryGateway
from adapters.memory.secrets import SequentialSecrets
from adapters.memory.store import MemoryStore
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from domain.auth import ClientToken
from domain.catalog_document import CatalogDocument, PriceEntry, PricingModelEntry, ProductEntry
from domain.change import State
from domain.checkout import BuyerDetails, CheckoutSession
from domain.customer import Customer
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact
from tests.databases import DatabaseServer, connected
from tests.faults.inspection import Inspection, inspected
from tests.faults.judgement import Books
from tests.use_cases import Store
from tests.world import World

S = TypeVar("S", bound=State)


def _monthly(slug: str, amount: int, trial_days: int | None = None) -> PriceEntry:
    return PriceEntry(
        slug=slug,
        type="subscription",
        amount=amount,
        currency="usd",
        interval="month",
        trial_days=trial_days,
    )


CATALOG = CatalogDocument(
    pricing_models=(
        PricingModelEntry(
            slug="standard",
            name="Standard",
            is_default=True,
            products=(
                ProductEntry(slug="free", name="Free", is_default=True, prices=(_monthly("free", 0),)),
                ProductEntry(
                    slug="book",
                    name="Book",
                    prices=(PriceEntry(slug="book", type="single_payment", amount=1500, currency="usd"),),
                ),
                ProductEntry(
                    slug="sample",
                    name="Sample",
                    prices=(PriceEntry(slug="sample", type="single_payment", amount=0, currency="usd"),),
                ),
                ProductEntry(slug="starter", name="Starter", prices=(_monthly("starter", 0),)),
                ProductEntry(
                    slug="pro", name="Pro", prices=(_monthly("pro", 4900), _monthly("pro-trial", 4900, 14))
                ),
            ),
        ),
    ),
)


class Shop(World[Store]):
    """One organization. `inspect` shows all that is stored of it. Where the worker is slow, nothing is done
    by it until the end, and Stripe knows of charges of which we do not."""

    inspect: Callable[[], Awaitable[Books]]
    worker_is_slow = False

    async def kept(self, kind: type[S]) -> list[S]:
        """Every state of one type, in the order of ids."""
        states = (await self.inspect()).states
        return sorted((one for one in states if isinstance(one, kind)), key=lambda one: one.id)

    async def told(self, fact: PaymentFact | SetupFact | ReversalFact) -> None:
        """Stripe reports it, and it fits."""
        booked = await self.report(fact)
        assert booked.refusal is None, booked.refusal

    async def wants(self, session: CheckoutSession, quantity: int) -> CheckoutSession:
        """The buyer changes their mind about how many it shall be."""
        token, details = ClientToken(session.client_token), BuyerDetails(quantity=quantity)
        return await self.update_checkout_session(session.id, details, token, self.request())

    async def intent_as_made(self, session: CheckoutSession) -> PaymentFact:
        """The session's payment intent, before anybody tried to pay."""
        assert session.payment_intent_id is not None
        return _as_made(await self.gateway.payment_intent(session.payment_intent_id, livemode=False))

    async def setup_as_made(self, session: CheckoutSession) -> SetupFact:
        """The session's setup intent, before anybody tried."""
        assert session.setup_intent_id is not None
        setup = await self.gateway.setup_intent(session.setup_intent_id, livemode=False)
        return replace(setup, attempts=(), ending=None, payment_method=None)

    async def charge_as_made(self) -> PaymentFact:
        """The payment intent of the newest invoice, before it was charged."""
        invoice = (await self.kept(Invoice))[-1]
        if self.worker_is_slow:
            (customer,) = await self.kept(Customer)
            assert customer.stripe_customer_id is not None
            made = await self.gateway.create_invoice_intent(
                invoice, customer.stripe_customer_id, idempotency_key=invoice.id
            )
            return _as_made(await self.gateway.payment_intent(made.id, livemode=False))
        if invoice.payment_intent_id is None:
            await self.worker_drains()
            invoice = (await self.kept(Invoice))[-1]
        assert invoice.payment_intent_id is not None
        return _as_made(await self.gateway.payment_intent(invoice.payment_intent_id, livemode=False))


def _as_made(intent: PaymentFact) -> PaymentFact:
    return replace(intent, attempts=(), ending=None)


class Ground(Protocol):
    """Opens a new shop."""

    async def __call__(self, *, worker_is_slow: bool = False) -> Shop: ...


async def memory_ground(*, worker_is_slow: bool = False) -> Shop:
    """On a store of its own."""
    store = MemoryStore()
    shop = Shop(store)

    async def inspect() -> Books:
        return Inspection(store.states, store.events, tuple(store.tasks), tuple(store.inbox))

    return await _opened(shop, "acme", inspect, worker_is_slow=worker_is_slow)


@asynccontextmanager
async def postgres_ground(server: DatabaseServer) -> AsyncIterator[Ground]:
    """On one database; each shop is another organization."""
    numbers = count(1)
    outside: dict[str, Any] = {
        "ids": TypeIds(),
        "secrets": SequentialSecrets(),
        "gateway": MemoryGateway(),
    }
    async with (
        server.fresh() as database,
        open_pool(database.service_dsn, APP, max_size=8) as app,
        open_pool(database.service_dsn, WORKER, max_size=8) as worker,
        connected(database.admin_dsn) as admin,
    ):

        async def opened(*, worker_is_slow: bool = False) -> Shop:
            slug = f"acme-{next(numbers)}"
            shop = Shop(PostgresStore(app), PostgresStore(worker), **outside)

            async def inspect() -> Books:
                return await inspected(admin, slug)

            return await _opened(shop, slug, inspect, worker_is_slow=worker_is_slow)

        yield opened


async def _opened(
    shop: Shop, slug: str, inspect: Callable[[], Awaitable[Books]], *, worker_is_slow: bool
) -> Shop:
    shop.inspect, shop.worker_is_slow = inspect, worker_is_slow
    shop.auth, shop.live = await shop.organization(slug)
    await shop.apply(CATALOG)
    return shop
