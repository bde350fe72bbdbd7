"""What may be used, and the record of what was: the same on each adapter."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from application.checkout.complete_free_checkout import SellerConfirms
from application.usage.check_feature import Checked, NewCheck
from application.usage.track_usage import NewTrack, Recorded
from domain.auth import Authenticated
from domain.catalog import MAX_COST, MAX_UNITS, ResetInterval
from domain.catalog_document import (
    CatalogDocument,
    CreditRateEntry,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    ProductFeatureEntry,
)
from domain.customer import NewCustomer
from domain.entity import NewEntity
from domain.errors import DomainError
from tests.contracts.worlds import REQUEST, World, set_up


def catalog(*given: ProductFeatureEntry) -> CatalogDocument:
    """A free default product that gives this."""
    return CatalogDocument(
        features=(
            FeatureEntry(slug="messages", name="Messages", type="metered"),
            FeatureEntry(slug="images", name="Images", type="metered"),
            FeatureEntry(slug="sso", name="Single sign-on", type="boolean"),
            FeatureEntry(
                slug="credits",
                name="Credits",
                type="credit",
                credit_rates=(
                    CreditRateEntry(slug="messages", cost=2),
                    CreditRateEntry(slug="images", cost=10),
                ),
            ),
        ),
        pricing_models=(
            PricingModelEntry(
                slug="standard",
                name="Standard",
                is_default=True,
                products=(
                    ProductEntry(slug="free", name="Free", is_default=True, features=given),
                    ProductEntry(
                        slug="pack",
                        name="Pack",
                        prices=(PriceEntry(slug="pack", type="single_payment", amount=0, currency="usd"),),
                        features=(ProductFeatureEntry(slug="credits", included=50, expires_after_days=30),),
                    ),
                ),
            ),
        ),
    )


class Shop:
    """One organization, whose customer Ada has the free product."""

    def __init__(self, world: World, auth: Authenticated) -> None:
        self.world = world
        self.auth = auth

    async def track(self, amount: int = 1, feature: str = "messages", **more: Any) -> Recorded:
        asked = {"customer": "ada", "feature": feature, "amount": amount} | more
        draft = msgspec.convert(asked, NewTrack)
        return await self.world.track_usage(draft, self.auth, REQUEST)

    async def check(self, feature: str = "messages", required: int = 1, **more: Any) -> Checked:
        asked = {"customer": "ada", "feature": feature, "required": required} | more
        draft = msgspec.convert(asked, NewCheck)
        return await self.world.check_feature(draft, self.auth, REQUEST)

    async def left(self, feature: str = "messages") -> tuple[int, int]:
        """Used and remaining."""
        standing = (await self.check(feature)).standing
        assert standing is not None
        return standing.used, standing.remaining

    async def refusal(self, **draft: Any) -> tuple[str, str | None]:
        with pytest.raises(DomainError) as refused:
            await self.track(**draft)
        return refused.value.code, refused.value.field


async def shop_of(world: World, *given: ProductFeatureEntry) -> Shop:
    auth = await world.organization(catalog=catalog(*given))
    await world.customer(auth)
    return Shop(world, auth)


def messages(included: int | None = 10, **more: Any) -> ProductFeatureEntry:
    return ProductFeatureEntry(**{"slug": "messages", "included": included, "reset": "month"} | more)


async def test_what_is_used_is_taken_from_what_is_included(world: World) -> None:
    shop = await shop_of(world, messages())
    assert await shop.left() == (0, 10)
    recorded = await shop.track(4)
    assert (recorded.usage.recorded, recorded.standing and recorded.standing.remaining) == (4, 6)
    assert await shop.left() == (4, 6)
    assert [(await shop.check(required=n)).allowed for n in (6, 7)] == [True, False]


async def test_of_more_than_is_left_what_fits_is_recorded_or_nothing_at_all(world: World) -> None:
    shop = await shop_of(world, messages())
    assert (await shop.track(12)).usage.recorded == 10
    assert (await shop.track(3)).usage.recorded == 0
    await shop.track(-2)
    assert await shop.refusal(amount=3, overage="reject") == ("insufficient_balance", "amount")
    assert await shop.left() == (8, 2)


async def test_overage_goes_below_zero_and_is_given_back_first(world: World) -> None:
    shop = await shop_of(world, messages(overage=True))
    assert (await shop.track(25)).usage.recorded == 25
    checked = await shop.check(required=1000)
    assert checked.allowed
    assert checked.standing is not None
    assert (checked.standing.used, checked.standing.remaining) == (25, 0)
    assert (await shop.track(-100)).usage.recorded == -25
    assert await shop.left() == (0, 10)


async def test_what_has_no_limit_is_counted_and_never_short(world: World) -> None:
    shop = await shop_of(world, messages(None, unlimited=True))
    assert (await shop.track(10**9)).usage.recorded == 10**9
    standing = (await shop.check(required=10**12)).standing
    assert standing is not None
    assert (standing.unlimited, standing.used, standing.granted) == (True, 10**9, 0)


async def test_a_boolean_feature_is_had_or_not_and_not_counted(world: World) -> None:
    shop = await shop_of(world, ProductFeatureEntry(slug="sso"))
    assert (await shop.check("sso")).allowed
    assert not (await shop.check("images")).allowed
    assert await shop.refusal(feature="sso") == ("feature_is_boolean", "feature")


async def test_credits_pay_for_a_feature_at_its_rate_once_its_own_are_used_up(world: World) -> None:
    shop = await shop_of(world, messages(3), ProductFeatureEntry(slug="credits", included=25))
    assert (await shop.track(5)).usage.recorded == 5
    assert await shop.left() == (3, 0)
    assert await shop.left("credits") == (4, 21)
    assert (await shop.track(1, "images")).usage.recorded == 1
    assert (await shop.track(2, "images")).usage.recorded == 1
    assert await shop.left("credits") == (24, 1)
    assert not (await shop.check()).allowed


@pytest.mark.parametrize(
    ("reset", "before", "after"),
    [
        ("minute", timedelta(seconds=59), timedelta(seconds=60)),
        ("hour", timedelta(minutes=59), timedelta(minutes=60)),
        ("day", timedelta(hours=23), timedelta(hours=24)),
        ("week", timedelta(days=6), timedelta(days=7)),
        ("month", timedelta(days=30), timedelta(days=31)),
        ("quarter", timedelta(days=89), timedelta(days=90)),
        ("year", timedelta(days=364), timedelta(days=365)),
    ],
)
async def test_a_new_period_begins_with_all_that_is_included(
    world: World, reset: ResetInterval, before: timedelta, after: timedelta
) -> None:
    shop = await shop_of(world, messages(reset=reset))
    await shop.track(7)
    world.clock.advance(before)
    assert await shop.left() == (7, 3)
    world.clock.advance(after - before)
    assert await shop.left() == (0, 10)
    recorded = await shop.track(1)
    assert recorded.standing is not None
    assert (recorded.standing.used, recorded.standing.remaining) == (1, 9)
    assert recorded.standing.resets_at == (await shop.check()).standing.resets_at  # type: ignore[union-attr]


async def test_resets_go_on_while_a_trial_ends_in_the_midst_of_them(world: World) -> None:
    """Its days are counted from the end of the trial, when billing begins."""
    shop = await shop_of(world)
    monthly = PriceEntry(
        slug="pro", type="subscription", amount=4900, currency="usd", interval="month", trial_days=14
    )
    pro = ProductEntry(slug="pro", name="Pro", prices=(monthly,), features=(messages(10, reset="week"),))
    (model,) = catalog().pricing_models
    selling = replace(catalog(), pricing_models=(replace(model, products=(*model.products, pro)),))
    await world.apply_catalog(selling, shop.auth, REQUEST)
    await world.report(set_up(await world.session(shop.auth, price="pro", customer="ada")))
    for _ in range(3):
        await shop.track(7)
        assert await shop.left() == (7, 3)
        world.clock.advance(timedelta(days=7))
        assert await shop.left() == (0, 10)


async def test_what_a_clock_that_is_behind_records_is_of_the_first_period(world: World) -> None:
    shop = await shop_of(world, messages())
    start = world.clock.now()
    world.clock.set(start - timedelta(milliseconds=5))
    await shop.track(4)
    world.clock.set(start)
    assert await shop.left() == (4, 6)


async def test_what_each_entity_has_is_not_more_for_several_that_are_bought(world: World) -> None:
    shop = await shop_of(world)
    seats = ProductEntry(
        slug="seats",
        name="Seats",
        group="seats",
        prices=(PriceEntry(slug="seats", type="subscription", amount=0, currency="usd", interval="month"),),
        features=(messages(50, per_entity=True), messages(3, slug="images")),
    )
    (model,) = catalog().pricing_models
    selling = replace(catalog(), pricing_models=(replace(model, products=(*model.products, seats)),))
    await world.apply_catalog(selling, shop.auth, REQUEST)
    session = await world.session(shop.auth, price="seats", quantity=4, customer="ada")
    await confirmed(world, shop.auth, session.id)
    await world.create_entity("ada", NewEntity(entity_id="seat-1"), shop.auth, REQUEST)
    standing = (await shop.check(entity="seat-1")).standing
    assert standing is not None
    assert standing.granted == 50
    assert await shop.left("images") == (0, 12)


async def test_a_purchase_gives_what_its_product_includes_for_each_one_until_it_ends(world: World) -> None:
    shop = await shop_of(world)
    session = await world.session(shop.auth, price="pack", quantity=3, customer="ada")
    assert not (await shop.check()).allowed
    await confirmed(world, shop.auth, session.id)
    assert await shop.left("credits") == (0, 150)
    await shop.track(4)
    assert await shop.left("credits") == (8, 142)
    world.clock.advance(timedelta(days=30))
    assert (await shop.check("credits")).standing is None


async def confirmed(world: World, auth: Authenticated, id: Any) -> None:
    await world.complete_free_checkout(SellerConfirms(id, auth, REQUEST))


async def test_under_one_key_it_is_recorded_once_and_answered_the_same(world: World) -> None:
    shop = await shop_of(world, messages())
    first = await shop.track(4, idempotency_key="k")
    await shop.track(1)
    again = await shop.track(4, idempotency_key="k")
    assert again == replace(first, replayed=True)
    assert await shop.left() == (5, 5)
    assert await shop.refusal(amount=5, idempotency_key="k") == (
        "idempotency_key_reused",
        "idempotency_key",
    )
    await world.create_customer(NewCustomer(external_id="bob"), shop.auth, REQUEST)
    assert await shop.refusal(amount=4, customer="bob", idempotency_key="k") == (
        "idempotency_key_reused",
        "idempotency_key",
    )


async def test_a_key_is_never_forgotten(world: World) -> None:
    shop = await shop_of(world, messages())
    first = await shop.track(4, idempotency_key="k")
    world.clock.advance(timedelta(days=400))
    await world.worker_store.forget_replies(world.clock.now(), 100)
    assert await shop.track(4, idempotency_key="k") == replace(first, replayed=True)
    assert await shop.left() == (0, 10)


@pytest.mark.parametrize("wrong", ["b@d", "a b", "a.b", "zoë"])
async def test_ids_are_what_they_are_everywhere(world: World, wrong: str) -> None:
    shop = await shop_of(world, messages())
    for field in ("customer", "entity"):
        asked: dict[str, Any] = {field: wrong}
        assert await shop.refusal(**asked) == ("invalid_external_id", field)
        with pytest.raises(DomainError) as refused:
            await shop.check(**asked)
        assert (refused.value.code, refused.value.field) == ("invalid_external_id", field)


async def test_who_or_what_is_not_there_is_said(world: World) -> None:
    shop = await shop_of(world, messages())
    assert await shop.refusal(customer="nobody") == ("customer_not_found", None)
    assert await shop.refusal(feature="nothing") == ("feature_not_found", "feature")
    assert await shop.refusal(entity="nowhere") == ("entity_not_found", None)
    missing: list[dict[str, Any]] = [{"customer": "nobody"}, {"feature": "nothing"}, {"entity": "nowhere"}]
    for wrong in missing:
        with pytest.raises(DomainError) as refused:
            await shop.check(**wrong)
        assert refused.value.code == f"{next(iter(wrong))}_not_found"


async def test_whoever_is_not_known_is_made_where_it_is_said_who_they_are(world: World) -> None:
    shop = await shop_of(world, messages(10), messages(5, slug="images", per_entity=True))
    who: dict[str, Any] = {"customer": "bob", "customer_data": {"email": "bob@example.test"}}
    checked = await asyncio.gather(*(shop.check(**who) for _ in range(5)))
    assert len({one.customer_id for one in checked}) == 1
    seat: dict[str, Any] = {"customer": "eve", "customer_data": {}, "entity": "seat-1", "entity_data": {}}
    recorded = await asyncio.gather(*(shop.track(1, "images", **seat) for _ in range(5)))
    assert len({(one.usage.customer_id, one.usage.entity_id) for one in recorded}) == 1
    standing = recorded[0].standing
    assert standing is not None
    assert (await shop.check("images", customer="eve", entity="seat-1")).standing == replace(
        standing, used=5, remaining=0
    )
    assert await shop.refusal(customer="b@d", customer_data={}) == ("invalid_external_id", "customer")
    assert await shop.refusal(entity="a.b", entity_data={}) == ("invalid_external_id", "entity")


async def test_crossing_a_threshold_is_told_once(world: World) -> None:
    shop = await shop_of(world, messages(thresholds=(50, 100)))
    for amount in (4, 1, 1, 4, 1):
        await shop.track(amount)
    told = await told_of(world, shop.auth)
    assert told == [[("messages", 50, 10, 5)], [("messages", 100, 10, 10)]]
    await shop.track(-10)
    await shop.track(10)
    assert (await told_of(world, shop.auth))[2:] == [[("messages", 50, 10, 10), ("messages", 100, 10, 10)]]


async def told_of(world: World, auth: Authenticated) -> list[list[tuple[str, int, int, int]]]:
    events = await world.events(auth, type="usage.threshold_reached")
    return [
        [
            (one["feature"], one["threshold"], one["granted"], one["used"])
            for one in event.data.object["crossed"]
        ]
        for event in events
    ]


async def test_many_at_once_take_no_more_than_there_is(world: World) -> None:
    shop = await shop_of(world, messages(100), ProductFeatureEntry(slug="credits", included=41))
    recorded = await asyncio.gather(*(shop.track(n % 5 + 1) for n in range(100)))
    assert sum(one.usage.recorded for one in recorded) == 120
    assert await shop.left() == (100, 0)
    assert await shop.left("credits") == (40, 1)


async def test_the_same_key_at_once_is_recorded_once(world: World) -> None:
    shop = await shop_of(world, messages())
    recorded = await asyncio.gather(*(shop.track(2, idempotency_key="k") for _ in range(8)))
    assert {one.usage.id for one in recorded} == {recorded[0].usage.id}
    assert sorted(one.replayed for one in recorded) == [False] + [True] * 7
    assert await shop.left() == (2, 8)


async def test_usage_while_the_customer_is_deleted_is_recorded_whole_or_refused(world: World) -> None:
    shop = await shop_of(world, messages())

    async def used(customer: str) -> int | str:
        try:
            return (await shop.track(4, customer=customer)).usage.recorded
        except DomainError as refused:
            return refused.code

    for n in range(25):
        name = f"bob-{n}"
        await world.customer(shop.auth, name)
        deleting = world.delete_customer(name, shop.auth, REQUEST)
        outcome, *_ = await asyncio.gather(used(name), deleting, used(name))
        assert outcome in (4, "customer_not_found")


async def test_the_largest_amounts_are_counted_at_the_highest_rate(world: World) -> None:
    document = catalog(
        ProductFeatureEntry(slug="credits", included=MAX_UNITS, overage=True, thresholds=(1, 1000))
    )
    rate = CreditRateEntry(slug="messages", cost=MAX_COST)
    features = tuple(
        replace(feature, credit_rates=(rate,) if feature.type == "credit" else ())
        for feature in document.features
    )
    auth = await world.organization(catalog=replace(document, features=features))
    await world.customer(auth)
    shop = Shop(world, auth)
    assert (await shop.track(MAX_UNITS)).usage.recorded == MAX_UNITS
    assert await shop.left("credits") == (MAX_UNITS * MAX_COST, 0)
    assert len(await told_of(world, auth)) == 1
