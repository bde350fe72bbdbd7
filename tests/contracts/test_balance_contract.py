"""Balances: what is granted by hand, put right, and what became of it; the same on each adapter."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from application.usage.correct_balance import Corrected, CorrectionAsked
from domain.entity import NewEntity
from domain.errors import DomainError, Rejected
from domain.granting import NewGrant
from domain.ids import BalanceId
from domain.usage import Entry, Line
from tests.contracts.test_usage_contract import Shop, messages, shop_of
from tests.contracts.worlds import REQUEST, World


async def grant(shop: Shop, amount: int | None = 10, **more: Any) -> Line:
    asked = {"customer": "ada", "feature": "messages", "amount": amount} | more
    return await shop.world.grant_balance(msgspec.convert(asked, NewGrant), shop.auth, REQUEST)


async def correct(shop: Shop, id: BalanceId, amount: int, key: str | None = None) -> Corrected:
    return await shop.world.correct_balance(id, CorrectionAsked(amount=amount), key, shop.auth, REQUEST)


async def entries(shop: Shop, id: BalanceId) -> list[Entry]:
    found = await shop.world.store.entries(shop.auth, id, None, 100)
    assert found is not None
    return list(found)


async def balance_ids(shop: Shop) -> list[BalanceId]:
    context = await shop.world.store.balances(shop.auth, "ada", None, shop.world.clock.now())
    return [line.balance.id for line in context.lines]


async def test_what_is_granted_by_hand_is_used_up_and_ends(world: World) -> None:
    shop = await shop_of(world, messages(5))
    made = await grant(shop, 10, expires_at=world.clock.now() + timedelta(days=2))
    assert (made.balance.granted, made.current.remaining) == (10, 10)
    await shop.track(7)
    assert await shop.left() == (7, 8)
    world.clock.advance(timedelta(days=2))
    assert await shop.left() == (5, 0)
    assert [event.subject.id for event in await world.events(shop.auth, type="balance.granted")][-1:] == [
        made.balance.id
    ]


async def test_a_correction_holds_for_the_period_and_is_told(world: World) -> None:
    shop = await shop_of(world, messages(5))
    (balance_id,) = await balance_ids(shop)
    corrected = await correct(shop, balance_id, 3)
    assert (corrected.line.current.granted, corrected.line.current.remaining) == (8, 8)
    await shop.track(6)
    with pytest.raises(Rejected) as refused:
        await correct(shop, balance_id, -3)
    assert refused.value.code == "insufficient_balance"
    await correct(shop, balance_id, -2)
    assert await shop.left() == (6, 0)
    told = await world.events(shop.auth, type="balance.corrected")
    assert [(event.subject.id, event.data.object["amount"]) for event in told][:1] == [
        (corrected.usage.id, 3)
    ]
    world.clock.advance(timedelta(days=31))
    assert await shop.left() == (0, 5)


async def test_under_one_key_a_correction_is_made_once(world: World) -> None:
    shop = await shop_of(world, messages(5))
    (balance_id,) = await balance_ids(shop)
    made = await asyncio.gather(*(correct(shop, balance_id, 3, "k") for _ in range(5)))
    assert len({one.usage.id for one in made}) == 1
    assert await shop.left() == (0, 8)
    with pytest.raises(Rejected) as refused:
        await correct(shop, balance_id, 4, "k")
    assert refused.value.code == "idempotency_key_reused"


async def test_a_balances_entries_sum_to_what_remains(world: World) -> None:
    shop = await shop_of(world, messages(5, overage=True))
    (balance_id,) = await balance_ids(shop)
    assert await entries(shop, balance_id) == []
    for amount in (2, 9, -4):
        await shop.track(amount)
    await correct(shop, balance_id, 2)
    world.clock.advance(timedelta(days=31))
    await shop.track(1)
    found = (await entries(shop, balance_id))[::-1]
    assert [(entry.kind, entry.amount, entry.remaining) for entry in found] == [
        ("grant", 5, 5),
        ("usage", -2, 3),
        ("usage", -9, -6),
        ("usage", 4, -2),
        ("correction", 2, 0),
        ("reset", 5, 5),
        ("usage", -1, 4),
    ]
    assert [entry.number for entry in found] == list(range(1, 8))
    newest = await world.store.entries(shop.auth, balance_id, None, 2, 6)
    assert newest is not None
    assert [entry.number for entry in newest] == [5, 4]


async def test_usage_is_listed_newest_first_and_by_feature(world: World) -> None:
    shop = await shop_of(world, messages(5), messages(None, slug="images", unlimited=True))
    made = [(await shop.track(n, feature)).usage for n, feature in enumerate(("messages", "images") * 2, 1)]
    listed = await world.store.usages(shop.auth, "ada", 10)
    assert list(listed) == made[::-1]
    assert list(await world.store.usages(shop.auth, "ada", 1, made[2].id)) == [made[1]]
    assert list(await world.store.usages(shop.auth, "ada", 10, feature="images")) == [made[3], made[1]]
    for wrong in ({"customer": "nobody"}, {"feature": "nothing"}):
        asked: Any = {"customer": "ada", "feature": None} | wrong
        with pytest.raises(Rejected) as refused:
            await world.store.usages(shop.auth, asked["customer"], 10, feature=asked["feature"])
        assert refused.value.field == next(iter(wrong))


@pytest.mark.parametrize(
    ("draft", "code", "field"),
    [
        ({"customer": "nobody"}, "customer_not_found", None),
        ({"feature": "nothing"}, "feature_not_found", "feature"),
        ({"entity": "nowhere"}, "entity_not_found", None),
        ({"amount": None}, "invalid_grant", "amount"),
        ({"unlimited": True}, "invalid_grant", "amount"),
        ({"feature": "sso"}, "invalid_grant", "amount"),
        ({"expires_at": "2025-12-31T00:00:00Z"}, "invalid_grant", "expires_at"),
    ],
)
async def test_what_cannot_be_granted_is_refused(
    world: World, draft: dict[str, Any], code: str, field: str | None
) -> None:
    shop = await shop_of(world, messages(5))
    with pytest.raises(DomainError) as refused:
        await grant(shop, **draft)
    assert (refused.value.code, refused.value.field) == (code, field)


async def test_what_is_not_counted_or_not_there_cannot_be_corrected(world: World) -> None:
    shop = await shop_of(world, messages(None, unlimited=True))
    (unlimited,) = await balance_ids(shop)
    for balance_id, code in (
        (unlimited, "balance_not_counted"),
        (BalanceId(f"bal_{'0' * 26}"), "balance_not_found"),
    ):
        with pytest.raises(DomainError) as refused:
            await correct(shop, balance_id, 1)
        assert refused.value.code == code


async def seat(shop: Shop, name: str) -> None:
    draft = NewEntity(entity_id=name, feature="messages")
    await shop.world.create_entity("ada", draft, shop.auth, REQUEST)


async def test_each_entity_holds_a_unit_of_what_it_counts_against_until_it_is_deleted(world: World) -> None:
    shop = await shop_of(world, messages(3, reset="never"))
    for name in ("one", "two"):
        await seat(shop, name)
    assert await shop.left() == (2, 1)
    assert [(await shop.check(required=n)).allowed for n in (1, 2)] == [True, False]
    assert (await shop.track(5)).usage.recorded == 1
    with pytest.raises(Rejected) as refused:
        await seat(shop, "three")
    assert (refused.value.code, refused.value.field) == ("insufficient_balance", "feature")
    await world.delete_entity("ada", "one", shop.auth, REQUEST)
    await seat(shop, "three")
    assert await shop.left() == (3, 0)


async def test_of_entities_made_at_once_no_more_fit_than_there_are_units(world: World) -> None:
    shop = await shop_of(world, messages(3, reset="never"))
    made = await asyncio.gather(*(seat(shop, f"seat-{n}") for n in range(8)), return_exceptions=True)
    assert [one for one in made if one is None] == [None] * 3
    assert {one.code for one in made if isinstance(one, DomainError)} == {"insufficient_balance"}
    assert await shop.left() == (3, 0)
