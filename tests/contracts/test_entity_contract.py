"""Entities: one for each external id of a customer, however many ask at once; on every store."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from application.entities.create_entity import EntityFound
from domain.auth import Authenticated
from domain.change import stored
from domain.entity import Entity, NewEntity
from domain.errors import NotFound, Rejected
from tests.attachables import CATALOG
from tests.contracts.worlds import REQUEST, World


async def shop(world: World, slug: str = "acme") -> Authenticated:
    """An organization with two customers."""
    auth = await world.organization(slug, catalog=CATALOG)
    for customer in ("ada", "bob"):
        await world.customer(auth, customer)
    return auth


async def entity(
    world: World, auth: Authenticated, entity_id: str = "seat-1", customer: str = "ada", **draft: Any
) -> EntityFound:
    return await world.create_entity(customer, NewEntity(entity_id=entity_id, **draft), auth, REQUEST)


async def found(world: World, auth: Authenticated, reference: str, customer: str = "ada") -> Entity | None:
    return (await world.store.entity_context(auth, customer, reference)).entity


async def told(world: World, auth: Authenticated) -> list[str]:
    return [name for name in await world.event_types(auth) if name.startswith("entity.")]


async def test_it_is_made_once_and_found_by_either_id_of_its_own_customer(world: World) -> None:
    auth = await shop(world)
    ada = (await world.customer(auth, "ada")).record.customer
    made = await entity(world, auth, name="Front desk", feature="seats")
    assert made.created
    assert (made.entity.external_id, made.entity.name) == ("seat-1", "Front desk")
    assert (made.entity.customer_id, made.entity.created_at) == (ada.id, world.clock.now())
    (seats,) = [one for one in (await world.store.catalog(auth)).features if one.slug == "seats"]
    assert made.entity.feature_id == seats.id
    kept = stored(made.entity)
    for customer in (ada.id, "ada"):
        for reference in (made.entity.id, "seat-1"):
            assert await found(world, auth, reference, customer) == kept
    for reference in (made.entity.id, "seat-1"):
        assert await found(world, auth, reference, "bob") is None
    assert await told(world, auth) == ["entity.created"]


async def test_one_that_is_known_is_returned_as_it_is(world: World) -> None:
    auth = await shop(world)
    made = await entity(world, auth, name="Front desk")
    again = await entity(world, auth, name="Back office", feature="nothing-of-the-kind")
    assert again == EntityFound(stored(made.entity), created=False)
    assert await told(world, auth) == ["entity.created"]


async def test_another_customer_may_use_the_same_id(world: World) -> None:
    auth = await shop(world)
    hers, his = await entity(world, auth), await entity(world, auth, customer="bob")
    assert hers.created
    assert his.created
    assert hers.entity.id != his.entity.id


async def test_any_number_at_once_make_one(world: World) -> None:
    auth = await shop(world)
    several = await asyncio.gather(*(entity(world, auth, f"seat-{n % 3}") for n in range(24)))
    assert len({one.entity.id for one in several}) == 3
    assert sum(one.created for one in several) == 3
    assert await told(world, auth) == ["entity.created"] * 3


async def test_one_that_is_deleted_stays_in_the_books_and_frees_its_id(world: World) -> None:
    auth = await shop(world)
    first = (await entity(world, auth)).entity
    world.clock.advance(timedelta(minutes=1))
    deleted = await world.delete_entity("ada", "seat-1", auth, REQUEST)
    assert (deleted.id, deleted.deleted_at) == (first.id, world.clock.now())
    assert await found(world, auth, "seat-1") is None
    assert await found(world, auth, first.id) == deleted
    with pytest.raises(NotFound) as refused:
        await world.delete_entity("ada", "seat-1", auth, REQUEST)
    assert refused.value.code == "entity_not_found"
    assert await world.delete_entity("ada", first.id, auth, REQUEST) == deleted
    anew = await entity(world, auth)
    assert anew.created
    assert anew.entity.id != first.id
    assert await found(world, auth, "seat-1") == stored(anew.entity)
    assert await told(world, auth) == ["entity.created", "entity.deleted", "entity.created"]


async def test_deleted_by_any_number_at_once_it_is_deleted_once(world: World) -> None:
    auth = await shop(world)
    made = (await entity(world, auth)).entity
    several = await asyncio.gather(*(world.delete_entity("ada", made.id, auth, REQUEST) for _ in range(10)))
    assert len(set(map(repr, several))) == 1
    assert await told(world, auth) == ["entity.created", "entity.deleted"]


async def test_made_and_deleted_at_once_there_is_never_more_than_one(world: World) -> None:
    auth = await shop(world)

    async def delete() -> None:
        with suppress(NotFound):
            await world.delete_entity("ada", "seat-1", auth, REQUEST)

    await asyncio.gather(*(work for _ in range(8) for work in (entity(world, auth), delete())))
    there = await world.store.entities(auth, "ada", 100)
    events = await told(world, auth)
    assert len(there) == events.count("entity.created") - events.count("entity.deleted") <= 1


async def test_pages_are_newest_first_and_leave_nothing_out_but_what_is_deleted(world: World) -> None:
    auth = await shop(world)
    for number in range(6):
        await entity(world, auth, f"seat-{number}")
        await entity(world, auth, f"seat-{number}", customer="bob")
    await world.delete_entity("ada", "seat-3", auth, REQUEST)
    everything = list(await world.store.entities(auth, "ada", 100))
    assert [one.external_id for one in everything] == ["seat-5", "seat-4", "seat-2", "seat-1", "seat-0"]
    seen: list[Entity] = []
    for size in (2, 2, 1, 0):
        page = await world.store.entities(auth, "ada", 2, seen[-1].id if seen else None)
        assert len(page) == size
        seen += page
    assert seen == everything


async def test_nobody_has_none(world: World) -> None:
    auth = await shop(world)
    for call in (
        entity(world, auth, customer="cyd"),
        world.delete_entity("cyd", "seat-1", auth, REQUEST),
        world.store.entities(auth, "cyd", 10),
    ):
        with pytest.raises(NotFound) as refused:
            await call
        assert refused.value.code == "customer_not_found"
    context = await world.store.entity_context(auth, "cyd", "seat-1")
    assert (context.customer_id, context.entity) == (None, None)


@pytest.mark.parametrize(
    ("draft", "code", "field"),
    [
        ({"feature": "rooms"}, "feature_not_found", "feature"),
        ({"feature": "sso"}, "feature_not_metered", "feature"),
        ({"entity_id": "seat 1"}, "invalid_external_id", "entity_id"),
        ({"entity_id": "ent_1"}, "invalid_external_id", "entity_id"),
        ({"entity_id": "cus_1"}, "invalid_external_id", "entity_id"),
    ],
)
async def test_what_breaks_a_rule_is_refused_and_nothing_is_stored(
    world: World, draft: dict[str, str], code: str, field: str
) -> None:
    auth = await shop(world)
    with pytest.raises(Rejected) as refused:
        await entity(world, auth, **draft)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await world.store.entities(auth, "ada", 10) == []


async def test_an_archived_feature_is_not_there(world: World) -> None:
    auth = await shop(world)
    free, *others = CATALOG.pricing_models[0].products
    models = (
        replace(CATALOG.pricing_models[0], products=(replace(free, features=()), *others)),
        CATALOG.pricing_models[1],
    )
    await world.apply_catalog(replace(CATALOG, features=(), pricing_models=models), auth, REQUEST)
    with pytest.raises(Rejected) as refused:
        await entity(world, auth, feature="seats")
    assert refused.value.code == "feature_not_found"


async def test_another_organization_or_mode_finds_none(world: World) -> None:
    auth = await shop(world)
    made = (await entity(world, auth)).entity
    other = await shop(world, "other")
    live = replace(auth, livemode=True)
    await world.apply_catalog(CATALOG, live, REQUEST)
    await world.customer(live, "ada")
    for stranger in (other, live):
        for reference in (made.id, "seat-1"):
            assert await found(world, stranger, reference) is None
        assert await world.store.entities(stranger, "ada", 10) == []
        assert (await world.store.entity_context(stranger, made.customer_id, made.id)).customer_id is None
