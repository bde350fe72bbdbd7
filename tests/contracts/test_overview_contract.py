"""What a page about somebody's account is made of; on every store."""

from msgspec.structs import replace

from domain.auth import Authenticated
from domain.catalog import Price
from tests.contracts.test_expanding_contract import on_trial
from tests.contracts.test_list_contract import bought
from tests.contracts.worlds import CATALOG, REQUEST, World


async def prices_of(world: World, auth: Authenticated) -> dict[str, Price]:
    return {price.slug: price for price in (await world.store.catalog(auth)).prices}


async def test_all_that_is_current_of_a_customer_and_all_that_is_sold_to_them(world: World) -> None:
    auth = await world.organization()
    await bought(world, auth, "bob")
    await bought(world, auth, "ada")
    trial = await on_trial(world, auth, "ada")
    opened = await world.session(auth, customer="ada")
    overview = await world.store.billing_overview(auth, "ada", world.clock.now())
    record = await world.store.customer(auth, "ada")
    assert overview is not None
    assert record is not None
    assert overview.customer == record.customer
    assert tuple(held.record for held in overview.held) == record.subscriptions
    assert [(held.product.slug, [price.slug for price in held.prices]) for held in overview.held] == [
        ("pro", ["pro-trial"])
    ]
    (method,) = overview.payment_methods
    assert (method.customer_id, method.last4) == (record.customer.id, "4242")
    assert overview.invoices == tuple(await world.store.invoices(auth, 10, customer="ada"))
    assert [session.id for session in overview.sessions] == [opened.id]
    assert overview.trials_used == (trial,)
    assert [(plan.product.slug, [price.slug for price in plan.prices]) for plan in overview.plans] == [
        ("free", ["free-monthly"]),
        ("pro", ["pro", "pro-trial"]),
        ("course", ["course", "lesson"]),
    ]
    assert overview == await world.store.billing_overview(auth, record.customer.id, world.clock.now())


async def test_what_they_have_is_told_though_it_is_sold_no_more(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    before = (await prices_of(world, auth))["free-monthly"]
    standard, partner = CATALOG.pricing_models
    fewer = replace(standard, products=standard.products[1:])
    await world.apply_catalog(replace(CATALOG, pricing_models=(fewer, partner)), auth, REQUEST)
    overview = await world.store.billing_overview(auth, "ada", world.clock.now())
    assert overview is not None
    (held,) = overview.held
    assert [price.id for price in held.prices] == [before.id]
    assert [plan.product.slug for plan in overview.plans] == ["pro", "course"]


async def test_nobody_elses(world: World) -> None:
    auth = await world.organization()
    await bought(world, auth, "ada")
    for stranger in (await world.organization("other"), replace(auth, livemode=True)):
        assert await world.store.billing_overview(stranger, "ada", world.clock.now()) is None
    await world.delete_customer("ada", auth, REQUEST)
    assert await world.store.billing_overview(auth, "ada", world.clock.now()) is None
