"""Who has nothing else of a group any more has its free default, as when they were new; on every store."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from application.usage.check_feature import NewCheck
from application.usage.track_usage import NewTrack
from domain.attaching import NewAttachment
from domain.auth import Authenticated
from domain.cancellation import NewCancellation
from domain.catalog_document import CatalogDocument, ProductEntry
from domain.entity import NewEntity
from domain.errors import Rejected
from domain.subscription import Subscription
from tests.attachables import CATALOG, PRODUCTS, product, recurring
from tests.contracts.worlds import REQUEST, World, set_up

NOW = NewCancellation(at="now")


async def shop(world: World, catalog: CatalogDocument = CATALOG) -> Authenticated:
    """An organization with one customer, who has what a new one has."""
    auth = await world.organization(catalog=catalog)
    await world.customer(auth)
    return auth


def selling(*products: ProductEntry) -> CatalogDocument:
    """The same features, and these products."""
    (standard, *_) = CATALOG.pricing_models
    return replace(CATALOG, pricing_models=(replace(standard, products=products),))


def in_group(entry: ProductEntry, group: str) -> ProductEntry:
    """What stood in no group stands in this one."""
    return replace(entry, group=entry.group or group)


async def held(world: World, auth: Authenticated) -> list[Subscription]:
    record = await world.store.customer(auth, "ada")
    assert record is not None
    return [one.subscription for one in record.subscriptions]


async def attach(world: World, auth: Authenticated, name: str, **more: Any) -> Subscription:
    """Ada has this now."""
    attached = await world.attach_product(NewAttachment(customer="ada", product=name, **more), auth, REQUEST)
    assert attached.subscription is not None
    return attached.subscription.subscription


async def left(world: World, auth: Authenticated) -> tuple[int, int] | None:
    """Seats that Ada has used, and that remain."""
    checked = await world.check_feature(NewCheck(customer="ada", feature="seats"), auth, REQUEST)
    return (checked.standing.used, checked.standing.remaining) if checked.standing else None


@pytest.mark.parametrize("name", ["starter", "team"])
async def test_whatever_plan_ends_leaves_the_free_default_and_what_was_used_of_it_is_used(
    world: World, name: str
) -> None:
    auth = await shop(world)
    (first,) = await held(world, auth)
    await world.track_usage(NewTrack(customer="ada", feature="seats", amount=2), auth, REQUEST)
    taken = await attach(world, auth, name)
    assert await left(world, auth) is None
    world.clock.advance(timedelta(hours=1))
    ended = await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
    assert ended.subscription.status == "canceled"
    (free,) = await held(world, auth)
    assert free.id != first.id
    assert (free.product_slug, free.status, free.is_free) == ("free", "active", True)
    assert (free.current_period_start, free.billing_anchor) == (world.clock.now(), world.clock.now())
    record = await world.store.subscription(auth, free.id)
    assert record is not None
    assert len(record.items) == 1
    (line,) = (await world.store.balances(auth, "ada", None, world.clock.now())).lines
    assert line.balance.subscription_id == free.id
    assert await left(world, auth) == (2, 1)
    told = await world.event_types(auth)
    assert told[-4:] == [
        "subscription.canceled",
        "subscription.created",
        "subscription_item.created",
        "balance.moved",
    ]
    again = await attach(world, auth, "starter")
    assert [one.id for one in await held(world, auth)] == [again.id]
    await world.cancel_subscription(again.id, NOW, auth, REQUEST)
    assert await left(world, auth) == (2, 1)
    world.clock.advance(timedelta(days=31))
    assert await left(world, auth) == (0, 3)


async def test_what_the_free_plan_gives_by_now_is_given_anew(world: World) -> None:
    auth = await shop(world)
    await world.track_usage(NewTrack(customer="ada", feature="seats", amount=2), auth, REQUEST)
    taken = await attach(world, auth, "starter")
    free, *others = PRODUCTS
    seats = replace(free.features[0], included=5)
    await world.apply_catalog(selling(replace(free, features=(seats,)), *others), auth, REQUEST)
    await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
    assert await left(world, auth) == (0, 5)


async def test_a_plan_that_was_never_paid_for_leaves_it_too(world: World) -> None:
    auth = await shop(world)
    session = await world.session(auth, price="pro", customer="ada")
    assert (await world.report(set_up(session))).refusal is None
    (pro,) = await held(world, auth)
    assert pro.status == "incomplete"
    await world.cancel_subscription(pro.id, NewCancellation(), auth, REQUEST)
    assert [one.product_slug for one in await held(world, auth)] == ["free"]


async def test_of_two_who_end_it_at_once_one_does_and_the_free_one_comes_once(world: World) -> None:
    auth = await shop(world)
    taken = await attach(world, auth, "team")
    ended = await asyncio.gather(
        *(world.cancel_subscription(taken.id, NOW, auth, REQUEST) for _ in range(8)), return_exceptions=True
    )
    refused = [one.code for one in ended if isinstance(one, Rejected)]
    assert refused == ["subscription_canceled"] * 7
    assert [one.product_slug for one in await held(world, auth)] == ["free"]


async def test_a_trial_that_came_by_itself_leaves_it(world: World) -> None:
    trial = product(
        "preview", recurring("preview", 2900, trial_days=7, trial_requires_card=False), is_default=True
    )
    auth = await shop(world, selling(*PRODUCTS, trial))
    (preview,) = await held(world, auth)
    assert preview.status == "trialing"
    await world.cancel_subscription(preview.id, NOW, auth, REQUEST)
    assert [one.product_slug for one in await held(world, auth)] == ["free"]


async def test_who_ends_the_free_plan_itself_wants_none(world: World) -> None:
    auth = await shop(world)
    (free,) = await held(world, auth)
    await world.cancel_subscription(free.id, NOW, auth, REQUEST)
    assert await held(world, auth) == []


async def test_an_add_on_and_an_entitys_plan_leave_nothing(world: World) -> None:
    auth = await shop(world)
    before = await held(world, auth)
    await world.create_entity("ada", NewEntity(entity_id="desk"), auth, REQUEST)
    for name, more in (("plugin", {}), ("starter", {"entity": "desk"})):
        taken = await attach(world, auth, name, **more)
        await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
        assert await held(world, auth) == before


async def test_who_paid_for_what_is_free_by_now_has_it_free_afterwards(world: World) -> None:
    before = product("basic", recurring("basic", 900, trial_days=7, trial_requires_card=False))
    auth = await shop(world, selling(before))
    taken = await attach(world, auth, "basic")
    assert not taken.is_free
    after = product("basic", recurring("basic-free", 0), is_default=True)
    await world.apply_catalog(selling(after), auth, REQUEST)
    await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
    assert [(one.product_slug, one.is_free) for one in await held(world, auth)] == [("basic", True)]


async def test_a_group_that_was_renamed_has_its_default(world: World) -> None:
    auth = await shop(world)
    taken = await attach(world, auth, "starter")
    await world.apply_catalog(selling(*(in_group(one, "plans") for one in PRODUCTS)), auth, REQUEST)
    await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
    assert [one.product_slug for one in await held(world, auth)] == ["free"]


async def test_a_default_that_is_had_elsewhere_does_not_come_a_second_time(world: World) -> None:
    free, extra = PRODUCTS[0], product("extra", recurring("extra", 0), group="x")
    auth = await shop(world, selling(free, extra))
    before = await held(world, auth)
    taken = await attach(world, auth, "extra")
    await world.apply_catalog(selling(in_group(free, "x"), extra), auth, REQUEST)
    await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
    assert await held(world, auth) == before


async def test_what_the_free_plan_did_not_give_for_a_while_is_not_given_anew(world: World) -> None:
    auth = await shop(world)
    await world.track_usage(NewTrack(customer="ada", feature="seats", amount=2), auth, REQUEST)
    free, *others = PRODUCTS
    for features in ((), free.features):
        taken = await attach(world, auth, "starter")
        await world.apply_catalog(selling(replace(free, features=features), *others), auth, REQUEST)
        await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
    assert await left(world, auth) == (2, 1)


async def test_what_is_not_sold_any_more_does_not_come_back(world: World) -> None:
    auth = await shop(world)
    taken = await attach(world, auth, "starter")
    await world.apply_catalog(selling(*PRODUCTS[1:]), auth, REQUEST)
    await world.cancel_subscription(taken.id, NOW, auth, REQUEST)
    assert await held(world, auth) == []
