"""Usage of several callers recorded in one call, on the real database: each has an answer of its own."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from adapters.postgres.combining import AT_ONCE, TOGETHER
from adapters.postgres.store import PostgresStore
from application.usage.check_feature import NewCheck
from application.usage.track_usage import NewTrack, Recorded
from domain.auth import Authenticated
from domain.catalog_document import ProductFeatureEntry
from domain.errors import DomainError
from tests.contracts.test_usage_contract import catalog
from tests.contracts.worlds import REQUEST, World
from tests.databases import Database, connected
from tests.integration.test_combined_commits import process, until_calls_wait

Asked = tuple[Authenticated, dict[str, Any]]


async def shop(world: World, slug: str) -> Authenticated:
    """Ada and Bob have ten messages each, and credits for five more."""
    messages, paying = (
        ProductFeatureEntry(slug="messages", included=10),
        ProductFeatureEntry(slug="credits", included=10),
    )
    auth = await world.organization(slug, catalog=catalog(messages, paying))
    for name in ("ada", "bob"):
        await world.customer(auth, name)
    return auth


async def track_together(
    world: World, database: Database, ahead: Authenticated, asked: Sequence[Asked]
) -> list[Recorded | DomainError]:
    """All in one call, which waits until they are all there."""
    async with AsyncExitStack() as stack:
        lock = await stack.enter_async_context(connected(database.admin_dsn))
        watch = await stack.enter_async_context(connected(database.admin_dsn))
        await stack.enter_async_context(lock.transaction())
        await lock.execute("LOCK TABLE counterfoil.usages IN ACCESS EXCLUSIVE MODE")
        first = []
        for number in range(AT_ONCE):
            first.append(
                asyncio.create_task(track(world, ahead, customer="ada", idempotency_key=f"{number}"))
            )
            await until_calls_wait(watch, number + 1)
        tasks = [asyncio.create_task(track(world, auth, **draft)) for auth, draft in asked]
        await asyncio.sleep(0)  # each has asked by now
    await asyncio.gather(*first)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        assert isinstance(outcome, Recorded | DomainError), outcome
    return outcomes  # type: ignore[return-value]  # as has just been asserted


async def track(world: World, auth: Authenticated, **draft: Any) -> Recorded:
    return await world.track_usage(msgspec.convert({"feature": "messages"} | draft, NewTrack), auth, REQUEST)


async def used(world: World, auth: Authenticated, customer: str, feature: str) -> int:
    checked = await world.check_feature(NewCheck(customer=customer, feature=feature), auth, REQUEST)
    assert checked.standing is not None
    return checked.standing.used


def outcome_of(outcome: Recorded | DomainError) -> object:
    return outcome.usage.recorded if isinstance(outcome, Recorded) else outcome.code


async def test_each_of_those_recorded_in_one_call_has_its_own_answer(fresh_database: Database) -> None:
    async with process(fresh_database) as (world, store):
        acme, other, ahead = [await shop(world, slug) for slug in ("acme", "other", "ahead")]
        named: dict[str, Any] = {"customer": "ada", "amount": 3, "idempotency_key": "k"}
        expected: list[tuple[Authenticated, dict[str, Any], object]] = [
            (acme, named, 3),
            (other, named, 3),
            (acme, named, 3),
            (acme, named | {"amount": 4}, "idempotency_key_reused"),
            (acme, named | {"customer": "bob"}, "idempotency_key_reused"),
            (other, {"customer": "nobody"}, "customer_not_found"),
            (acme, {"customer": "ada", "feature": "nothing"}, "feature_not_found"),
            (acme, {"customer": "ada", "feature": "sso"}, "feature_is_boolean"),
            (acme, {"customer": "ada", "entity": "nowhere"}, "entity_not_found"),
            (acme, {"customer": "ada", "amount": 13, "overage": "reject"}, "insufficient_balance"),
            (acme, {"customer": "ada", "amount": 9}, 9),
            (acme, {"customer": "ada", "amount": 2, "feature": "images"}, 0),
            (acme, {"customer": "ada", "amount": 5}, 3),
            (acme, {"customer": "ada", "amount": 1, "overage": "reject"}, "insufficient_balance"),
            (acme, {"customer": "ada", "amount": -2}, -2),
            (acme, {"customer": "ada", "amount": 1, "overage": "reject"}, 1),
        ]
        expected += [
            (auth, {"customer": "bob", "amount": 1}, 1 if number < 15 else 0)
            for number in range(24)
            for auth in (acme, other)
        ]
        assert len(expected) == TOGETHER
        before = store.database.round_trips
        asked = [(auth, draft) for auth, draft, _ in expected]
        outcomes = await track_together(world, fresh_database, ahead, asked)
        assert store.database.round_trips - before == AT_ONCE + 1
        told = [(draft, outcome_of(one)) for (_, draft), one in zip(asked, outcomes, strict=True)]
        assert told == [(draft, wanted) for _, draft, wanted in expected]
        first, elsewhere, again = outcomes[:3]
        assert isinstance(first, Recorded)
        assert isinstance(again, Recorded)
        assert again == msgspec.structs.replace(first, replayed=True)
        assert isinstance(elsewhere, Recorded)
        assert elsewhere.usage.organization_id == other.organization_id
        assert [await used(world, acme, "ada", feature) for feature in ("messages", "credits")] == [10, 8]
        assert [await used(world, other, "ada", feature) for feature in ("messages", "credits")] == [3, 0]
        for auth in (acme, other):
            assert [await used(world, auth, "bob", feature) for feature in ("messages", "credits")] == [
                10,
                10,
            ]
        await levels_are_the_sums_of_their_entries(store, world, acme, other)


async def levels_are_the_sums_of_their_entries(
    store: PostgresStore, world: World, *auths: Authenticated
) -> None:
    for auth in auths:
        for customer in ("ada", "bob"):
            for line in (await store.balances(auth, customer, None, world.clock.now())).lines:
                entries = await store.entries(auth, line.balance.id, None, 100)
                assert entries is not None
                level = line.level
                if level is not None:
                    assert level.entries == len(entries)
                    assert level.remaining == sum(entry.amount for entry in entries)
