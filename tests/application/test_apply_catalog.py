"""The catalog becomes what a document says."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.catalog import Catalog
from domain.catalog_changes import CatalogChange
from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    document_of,
)
from domain.errors import Rejected
from domain.ids import PriceId, PricingModelId
from tests import builders
from tests.world import CATALOG, MemoryWorld


def model(slug: str = "standard", *products: ProductEntry, is_default: bool = True) -> PricingModelEntry:
    return PricingModelEntry(slug=slug, name=slug.title(), is_default=is_default, products=products)


def book(amount: int = 1500, **changes: object) -> ProductEntry:
    price = PriceEntry(slug="book", type="single_payment", amount=amount, currency="usd")
    return replace(ProductEntry(slug="book", name="Book", prices=(price,)), **changes)


def selling(*models: PricingModelEntry) -> CatalogDocument:
    return CatalogDocument(pricing_models=models)


def summary(changes: tuple[CatalogChange, ...]) -> list[str]:
    return [f"{change.type} {change.slug} {change.action}" for change in changes]


async def sold(world: MemoryWorld) -> Catalog:
    return await world.store.catalog(world.auth)


async def test_nothing_is_told_before_what_it_belongs_to(world: MemoryWorld) -> None:
    known: set[str] = set()
    for event in world.store.events:
        known.add(event.subject.id)
        parents = event.data.object.get("pricing_model_id"), event.data.object.get("product_id")
        assert known.issuperset(filter(None, parents)), f"{event.type} of {event.data.object['slug']}"


async def test_applying_a_catalog_twice_changes_nothing_the_second_time(world: MemoryWorld) -> None:
    before = world.store.events
    again = await world.apply(CATALOG)
    assert again.changes == ()
    assert world.store.events == before


async def test_what_is_read_can_be_applied_and_changes_nothing(world: MemoryWorld) -> None:
    document = document_of(await sold(world))
    assert (await world.apply(document)).changes == ()
    assert document_of(await sold(world)) == document
    assert [entry.slug for entry in document.pricing_models] == ["standard", "wholesale"]
    assert [entry.slug for entry in document.pricing_models[0].products] == [
        "book",
        "forum",
        "free",
        "pro",
        "sample",
    ]
    free = document.pricing_models[0].products[2]
    assert [(given.slug, given.included, given.reset) for given in free.features] == [("seats", 3, "month")]


async def test_a_dry_run_says_what_would_change_and_changes_nothing(world: MemoryWorld) -> None:
    before = world.store.events
    wanted = selling(model("standard", book(1800)))
    dry = await world.apply_catalog(wanted, world.auth, world.request(), dry_run=True)
    assert dry.dry_run
    assert world.store.events == before
    real = await world.apply(wanted)
    assert summary(real.changes) == summary(dry.changes)
    assert world.store.events != before


async def test_a_changed_price_is_a_new_price_and_the_old_one_is_archived(world: MemoryWorld) -> None:
    await world.apply(selling(model("standard", book(1500))))
    (before,) = (await sold(world)).prices
    changed = await world.apply(selling(model("standard", book(1800))))
    (after,) = (await sold(world)).prices
    assert summary(changed.changes) == ["price book archived", "price book created"]
    assert (after.amount, after.id != before.id) == (1800, True)
    opened = await world.store.opening_context(world.auth, builders.asked(before.id))
    assert opened.price is not None
    assert (opened.price.amount, opened.price.archived_at) == (1500, world.clock.now())


async def test_a_changed_name_is_the_same_product_under_another_name(world: MemoryWorld) -> None:
    await world.apply(selling(model("standard", book())))
    (before,) = (await sold(world)).products
    world.clock.advance(timedelta(days=1))
    renamed = await world.apply(selling(model("standard", book(name="Livre"))))
    (after,) = (await sold(world)).products
    assert summary(renamed.changes) == ["product book updated"]
    assert (after.id, after.name, after.created_at) == (before.id, "Livre", before.created_at)
    told = world.store.events[-1]
    assert (told.type, told.data.previous) == ("product.updated", {"name": "Book"})


async def test_the_default_moves_from_one_pricing_model_to_another(world: MemoryWorld) -> None:
    await world.apply(selling(model("a"), model("b", is_default=False)))
    switched = await world.apply(selling(model("a", is_default=False), model("b")))
    assert summary(switched.changes) == ["pricing_model a updated", "pricing_model b updated"]
    back = await world.apply(selling(model("a"), model("b", is_default=False)))
    assert summary(back.changes) == ["pricing_model b updated", "pricing_model a updated"]
    assert [m.slug for m in (await sold(world)).pricing_models if m.is_default] == ["a"]


async def test_the_default_moves_to_a_pricing_model_that_is_new(world: MemoryWorld) -> None:
    await world.apply(selling(model("z")))
    moved = await world.apply(selling(model("a"), model("z", is_default=False)))
    assert summary(moved.changes) == ["pricing_model z updated", "pricing_model a created"]


async def test_the_default_moves_from_a_pricing_model_that_goes(world: MemoryWorld) -> None:
    await world.apply(selling(model("a", is_default=False), model("z")))
    moved = await world.apply(selling(model("a")))
    assert summary(moved.changes) == ["pricing_model z archived", "pricing_model a updated"]


async def test_the_default_of_a_group_moves_from_one_product_to_another(world: MemoryWorld) -> None:
    def having(default: str) -> CatalogDocument:
        products = (ProductEntry(slug=slug, name=slug, is_default=slug == default) for slug in "ab")
        return selling(model("standard", *products))

    await world.apply(having("b"))
    moved = await world.apply(having("a"))
    assert summary(moved.changes) == ["product b updated", "product a updated"]


async def test_what_a_document_leaves_out_is_archived_with_all_that_it_has(world: MemoryWorld) -> None:
    await world.apply(selling(model("standard", book()), model("old", book(), is_default=False)))
    gone = await world.apply(selling(model("standard", book())))
    assert summary(gone.changes) == [
        "price book archived",
        "product book archived",
        "pricing_model old archived",
    ]


async def test_the_slug_of_something_archived_is_free_again(world: MemoryWorld) -> None:
    await world.apply(selling(model("standard", book())))
    before = await sold(world)
    await world.apply(selling(model("standard")))
    await world.apply(selling(model("standard", book())))
    after = await sold(world)
    assert after.products[0].slug == before.products[0].slug
    assert after.products[0].id != before.products[0].id


async def test_a_price_can_move_to_another_product(world: MemoryWorld) -> None:
    await world.apply(selling(model("standard", book(), ProductEntry(slug="bundle", name="Bundle"))))
    price = book().prices
    moved = await world.apply(
        selling(model("standard", book(prices=()), ProductEntry(slug="bundle", name="Bundle", prices=price)))
    )
    assert summary(moved.changes) == ["price book archived", "price book created"]


async def test_a_features_type_cannot_change(world: MemoryWorld) -> None:
    with pytest.raises(Rejected) as refused:
        await world.apply(CatalogDocument(features=(FeatureEntry(slug="seats", name="S", type="boolean"),)))
    assert (refused.value.code, refused.value.field) == ("invalid_catalog", "features[0].type")


async def test_an_id_in_a_document_must_be_that_of_its_slug(world: MemoryWorld) -> None:
    wrong = replace(model("standard"), id=PricingModelId("pm_other"))
    with pytest.raises(Rejected) as refused:
        await world.apply(selling(wrong))
    assert refused.value.field == "pricing_models[0].id"
    new = replace(model("new"), id=PricingModelId("pm_other"))
    with pytest.raises(Rejected):
        await world.apply(selling(new))


async def test_a_changed_price_is_known_by_the_id_of_the_one_it_replaces(world: MemoryWorld) -> None:
    await world.apply(selling(model("standard", book(1500))))
    (before,) = (await sold(world)).prices

    def costing(amount: int, price_id: PriceId) -> CatalogDocument:
        (price,) = book(amount).prices
        return selling(model("standard", book(prices=(replace(price, id=price_id),))))

    with pytest.raises(Rejected) as refused:
        await world.apply(costing(1800, PriceId("price_other")))
    assert refused.value.field == "pricing_models[0].products[0].prices[0].id"
    changed = await world.apply(costing(1800, before.id))
    assert summary(changed.changes) == ["price book archived", "price book created"]


async def test_two_catalogs_applied_at_once_do_not_mix(world: MemoryWorld) -> None:
    await asyncio.gather(
        *(world.apply(selling(model(slug, book(amount)))) for slug, amount in (("a", 100), ("b", 200)))
    )
    catalog = await sold(world)
    assert [(m.slug, p.amount) for m, p in zip(catalog.pricing_models, catalog.prices, strict=True)] in (
        [("a", 100)],
        [("b", 200)],
    )


async def test_test_mode_and_another_organization_have_catalogs_of_their_own(world: MemoryWorld) -> None:
    other, _ = await world.organization("Other")
    await world.apply(CATALOG, world.live)
    before = await sold(world)
    await world.apply(selling(model("else", book())), other)
    assert await sold(world) == before
    assert (await world.store.catalog(world.live)).prices != before.prices
    assert [m.slug for m in (await world.store.catalog(other)).pricing_models] == ["else"]
