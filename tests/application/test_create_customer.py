"""An application introduces a customer."""

import asyncio

import pytest
from msgspec.structs import replace

from adapters.memory.store import MemoryStore
from domain.balance import Balance
from domain.catalog import PricingModel
from domain.catalog_document import CatalogDocument, PriceEntry, PricingModelEntry, ProductEntry
from domain.customer import NewCustomer
from domain.errors import Forbidden, Rejected
from domain.ids import OrganizationId, PricingModelId
from tests.application.promises import check_books, of_kind
from tests.world import CATALOG, MemoryWorld, World


async def model(world: MemoryWorld, slug: str) -> PricingModel:
    catalog = await world.store.catalog(world.auth)
    return next(model for model in catalog.pricing_models if model.slug == slug)


async def test_a_customer_gets_the_default_pricing_model(world: MemoryWorld) -> None:
    found = await world.customer(email="Alice@Example.Test", name="Alice", metadata={"plan": "gold"})
    assert found.created
    customer = found.record.customer
    assert customer.pricing_model_id == (await model(world, "standard")).id
    assert (customer.external_id, customer.email_key, customer.user_id) == (
        "alice",
        "alice@example.test",
        None,
    )
    assert await world.store.customer(world.auth, "alice") is not None


async def test_a_customer_gets_each_default_product_with_its_items(world: MemoryWorld) -> None:
    found = await world.customer()
    stored = await world.store.customer(world.auth, found.record.customer.id)
    assert stored is not None
    assert [record.subscription.id for record in stored.subscriptions] == [
        record.subscription.id for record in found.record.subscriptions
    ]
    (free, forum) = stored.subscriptions
    assert [(r.subscription.group, r.subscription.product_slug) for r in (free, forum)] == [
        ("", "free"),
        ("community", "forum"),
    ]
    catalog = await world.store.catalog(world.auth)
    (price,) = [price for price in catalog.prices if price.slug == "free"]
    assert [item.price_id for item in free.items] == [price.id]
    assert [item.price_id for item in forum.items] == [None]
    assert {r.subscription.status for r in (free, forum)} == {"active"}


async def test_the_events_of_a_new_customer_are_stored_in_order(world: MemoryWorld) -> None:
    before = len(world.store.events)
    found = await world.customer()
    told = world.store.events[before:]
    free, forum = found.record.subscriptions
    (balance,) = of_kind(world.store, Balance)
    assert [(event.type, event.subject.id) for event in told] == [
        ("customer.created", found.record.customer.id),
        ("subscription.created", free.subscription.id),
        ("subscription_item.created", free.items[0].id),
        ("balance.granted", balance.id),
        ("subscription.created", forum.subscription.id),
        ("subscription_item.created", forum.items[0].id),
    ]
    assert {event.actor.user_id for event in told} == {world.auth.user_id}
    assert {event.data.previous for event in told} == {None}


async def test_a_named_pricing_model_is_taken_with_its_own_defaults(world: MemoryWorld) -> None:
    wholesale = await model(world, "wholesale")
    found = await world.customer(pricing_model_id=wholesale.id)
    assert found.record.customer.pricing_model_id == wholesale.id
    assert [record.subscription.product_slug for record in found.record.subscriptions] == ["trade"]


async def refused_model(world: MemoryWorld, id: PricingModelId) -> None:
    with pytest.raises(Rejected) as refused:
        await world.customer(pricing_model_id=id)
    assert (refused.value.code, refused.value.field) == ("pricing_model_not_found", "pricing_model_id")
    assert await world.store.customer(world.auth, "alice") is None


async def test_an_unknown_pricing_model_is_refused(world: MemoryWorld) -> None:
    await refused_model(world, PricingModelId("pm_unknown"))


async def test_a_pricing_model_of_another_organization_is_refused(world: MemoryWorld) -> None:
    other, _ = await world.organization("Other")
    await world.apply(CATALOG, other)
    await refused_model(world, (await world.store.catalog(other)).pricing_models[0].id)


async def test_a_pricing_model_of_the_other_mode_is_refused(world: MemoryWorld) -> None:
    await world.apply(CATALOG, world.live)
    await refused_model(world, (await world.store.catalog(world.live)).pricing_models[0].id)


async def test_an_archived_pricing_model_is_refused(world: MemoryWorld) -> None:
    wholesale = await model(world, "wholesale")
    await world.apply(replace(CATALOG, pricing_models=CATALOG.pricing_models[:1]))
    await refused_model(world, wholesale.id)


async def test_without_a_default_pricing_model_no_customer_is_made(world: MemoryWorld) -> None:
    await world.apply(replace(CATALOG, pricing_models=CATALOG.pricing_models[1:]))
    with pytest.raises(Rejected) as refused:
        await world.customer()
    assert (refused.value.code, refused.value.detail) == (
        "no_default_pricing_model",
        "No default pricing model found for organization",
    )
    assert await world.store.customer(world.auth, "alice") is None


async def test_a_customer_of_another_organization_is_refused_even_if_it_is_known(world: MemoryWorld) -> None:
    await world.customer()
    for external_id in ("alice", "bob"):
        with pytest.raises(Forbidden) as refused:
            await world.customer(external_id, organization_id=OrganizationId("org_other"))
        assert (refused.value.code, refused.value.detail) == (
            "organization_mismatch",
            "Customer organizationId must match authenticated organizationId",
        )


async def test_the_organization_may_be_named_if_it_is_the_right_one(world: MemoryWorld) -> None:
    assert (await world.customer(organization_id=world.auth.organization_id)).created


async def test_an_external_id_that_breaks_the_rule_is_refused(world: MemoryWorld) -> None:
    with pytest.raises(Rejected) as refused:
        await world.customer("al.ice")
    assert refused.value.code == "invalid_external_id"


async def test_a_known_customer_is_returned_untouched(world: MemoryWorld) -> None:
    first = await world.customer(name="Alice")
    before = world.store.states, world.store.events, world.store.tasks
    wholesale = await model(world, "wholesale")
    again = await world.customer(name="Mallory", email="m@example.test", pricing_model_id=wholesale.id)
    assert not again.created
    assert again.record.customer.id == first.record.customer.id
    assert again.record.customer.name == "Alice"
    assert [r.subscription.id for r in again.record.subscriptions] == [
        r.subscription.id for r in first.record.subscriptions
    ]
    assert (world.store.states, world.store.events, world.store.tasks) == before


async def test_one_external_id_is_another_customer_in_another_mode_or_organization(
    world: MemoryWorld,
) -> None:
    other, _ = await world.organization("Other")
    made = {(await world.customer()).record.customer.id}
    for auth in (world.live, other):
        await world.apply(CATALOG, auth)
        found = await world.create_customer(NewCustomer(external_id="alice"), auth, world.request())
        assert found.created
        made.add(found.record.customer.id)
    assert len(made) == 3


async def test_fifty_at_once_make_one_customer_one_set_of_events_and_one_task(world: MemoryWorld) -> None:
    before = len(world.store.events)
    found = await asyncio.gather(*(world.customer() for _ in range(50)))
    assert len({each.record.customer.id for each in found}) == 1
    assert [each.created for each in found].count(True) == 1
    assert {len(each.record.subscriptions) for each in found} == {2}
    assert len(world.store.events) - before == 6
    assert len(world.store.tasks) == 1


async def test_without_a_default_product_nothing_is_subscribed_to() -> None:
    monthly = PriceEntry(slug="pro", type="subscription", amount=0, currency="usd", interval="month")
    sold = ProductEntry(slug="pro", name="Pro", prices=(monthly,))
    bare = CatalogDocument(
        pricing_models=(PricingModelEntry(slug="bare", name="Bare", is_default=True, products=(sold,)),)
    )
    world = await World.opened(MemoryStore(), bare)
    made = await world.customer("ada")
    assert made.record.subscriptions == ()
    assert [model.id for model in of_kind(world.store, PricingModel)] == [
        made.record.customer.pricing_model_id
    ]
    check_books(world.store)
