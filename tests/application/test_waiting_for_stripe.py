"""Two at once ask Stripe for one customer: whoever is told that the key is in use has the other's answer."""

from adapters.memory.gateway import MemoryGateway
from adapters.memory.store import MemoryStore
from domain.catalog_document import CatalogDocument, PriceEntry, PricingModelEntry, ProductEntry
from domain.effects import CreateStripeCustomer
from domain.errors import Unavailable
from domain.ids import OrganizationId
from tests.application.promises import check_books
from tests.world import World

_PRICE = PriceEntry(slug="pro", type="subscription", amount=4900, currency="usd", interval="month")
_PRO = ProductEntry(slug="pro", name="Pro", is_default=True, force_paid_default=True, prices=(_PRICE,))
CATALOG = CatalogDocument(
    pricing_models=(PricingModelEntry(slug="standard", name="Standard", is_default=True, products=(_PRO,)),)
)


class KeyInUse(MemoryGateway):
    """While it is asked, the worker asks the same, and is done when the key is said to be in use."""

    world: World[MemoryStore]
    is_in_use = False

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        if not self.is_in_use:
            return await super().create_customer(
                customer, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
            )
        self.is_in_use = False
        await self.world.worker_drains()
        raise Unavailable("payment_provider_unavailable", "The key is in use.")


async def opened() -> tuple[World[MemoryStore], KeyInUse]:
    gateway = KeyInUse()
    world = gateway.world = World(MemoryStore(), gateway=gateway)
    world.auth, world.live = await world.organization("Acme")
    await world.apply(CATALOG)
    return world, gateway


async def test_whoever_makes_the_customer_has_the_id_that_the_worker_got() -> None:
    world, gateway = await opened()
    gateway.is_in_use = True
    found = await world.customer("ada")
    (at_stripe,) = gateway.customers
    assert (found.created, found.record.customer.stripe_customer_id) == (True, at_stripe.id)
    check_books(world.store)


async def test_whoever_finds_the_customer_has_it_too() -> None:
    world, gateway = await opened()
    gateway.fail_next("before")
    assert (await world.customer("ada")).record.customer.stripe_customer_id is None
    gateway.is_in_use = True
    found = await world.customer("ada")
    (at_stripe,) = gateway.customers
    assert (found.created, found.record.customer.stripe_customer_id) == (False, at_stripe.id)
    check_books(world.store)
