"""What is answered to named requests: kept by the commit that does what was asked, and forgotten in time."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.causes import ApiRequest
from application.idempotency import IdempotencyKey, Reply
from application.unit_of_work import UnitOfWork
from domain.auth import Authenticated
from domain.change import Change, stored
from domain.customer import Customer
from domain.errors import Repeated, StaleState
from domain.events import Event
from domain.ids import RequestId
from tests.contracts.worlds import World

ROUTE = "POST /v1/things"


def named(key: str = "k1", request: str = "req_1") -> ApiRequest:
    answer = IdempotencyKey(ROUTE, key, "f" * 64, lambda result: Reply(201, f'{{"said": "{result} ✓"}}'))
    return ApiRequest(RequestId(request), answer)


def renaming(world: World, auth: Authenticated, known: Customer, cause: ApiRequest) -> UnitOfWork:
    work = world.work(auth, cause)
    work.record(Change(replace(known, name="new"), (Event("customer.updated"),), known))
    return work


async def test_a_reply_is_kept_with_what_was_done_byte_for_byte(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)
    work = renaming(world, auth, known, named())
    work.answer("done")
    assert await world.store.kept_reply(auth, ROUTE, "k1") is None
    await world.store.commit(work)
    kept = await world.store.kept_reply(auth, ROUTE, "k1")
    assert kept is not None
    assert kept.reply == Reply(201, '{"said": "done ✓"}')
    assert (kept.fingerprint, kept.subject_id) == ("f" * 64, None)


async def test_the_same_key_stores_nothing_the_second_time(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)
    first = world.work(auth, named())
    first.answer("first")
    await world.store.commit(first)
    second = renaming(world, auth, known, named(request="req_2"))
    second.answer("second")
    with pytest.raises(Repeated):
        await world.store.commit(second)
    kept = await world.store.kept_reply(auth, ROUTE, "k1")
    assert kept is not None
    assert kept.reply == Reply(201, '{"said": "first ✓"}')
    assert "customer.updated" not in await world.event_types(auth)


async def test_what_failed_keeps_no_reply(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)
    work = renaming(world, auth, replace(known, version=9), named())
    work.answer("never")
    with pytest.raises(StaleState):
        await world.store.commit(work)
    assert await world.store.kept_reply(auth, ROUTE, "k1") is None


async def test_a_request_that_is_begun_gets_its_reply_once(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)
    begun = renaming(world, auth, known, named())
    begun.begin(known)
    await world.store.commit(begun)
    kept = await world.store.kept_reply(auth, ROUTE, "k1")
    assert kept is not None
    assert (kept.subject_id, kept.reply) == (known.id, None)
    again = renaming(world, auth, stored(known), named(request="req_2"))
    again.begin(known)
    with pytest.raises(Repeated):
        await world.store.commit(again)
    for number in (1, 2):
        ending = world.work(auth, named(request=f"req_{number}"))
        ending.answer(number)
        if number == 1:
            await world.store.commit(ending)
        else:
            with pytest.raises(Repeated):
                await world.store.commit(ending)
    kept = await world.store.kept_reply(auth, ROUTE, "k1")
    assert kept is not None
    assert kept.reply == Reply(201, '{"said": "1 ✓"}')


async def test_of_many_at_once_one_is_done(world: World) -> None:
    auth = await world.organization()

    async def ask(number: int) -> bool:
        work = world.work(auth, named(request=f"req_{number}"))
        work.answer(number)
        try:
            await world.store.commit(work)
        except Repeated:
            return False
        return True

    assert sum(await asyncio.gather(*map(ask, range(12)))) == 1


async def test_a_key_is_its_organizations_and_modes_own(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    for auth in (acme, other, replace(acme, livemode=True)):
        work = world.work(auth, named())
        work.answer(auth.organization_id)
        await world.store.commit(work)
    for auth in (acme, other):
        kept = await world.store.kept_reply(auth, ROUTE, "k1")
        assert kept is not None
        assert kept.reply is not None
        assert auth.organization_id in kept.reply.body


async def test_replies_are_forgotten_oldest_first(world: World) -> None:
    auth = await world.organization()
    for key in ("k1", "k2", "k3"):
        work = world.work(auth, named(key))
        work.answer(key)
        await world.store.commit(work)
        world.clock.advance(timedelta(hours=1))
    until = world.clock.now() - timedelta(minutes=90)
    assert [await world.worker_store.forget_replies(until, 1) for _ in range(3)] == [1, 1, 0]
    assert await world.store.kept_reply(auth, ROUTE, "k1") is None
    assert await world.store.kept_reply(auth, ROUTE, "k3") is not None
