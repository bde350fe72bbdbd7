"""The portal's door when many are at it at once. Over real HTTP, with PostgreSQL and the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.system.service import Service
from tests.system.test_portal_strangers import ADA, arrive, code_of


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_of_fifty_guesses_at_once_five_are_counted_and_the_right_code_comes_too_late(
    service: Service, stack: AsyncExitStack
) -> None:
    await service.call("POST", "/v1/customers", {"external_id": "ada", "email": ADA}, expect=201)
    eve = await arrive(service, stack)
    page = await eve.asks(ADA)
    code = (await code_of(service, ADA)).replace(" ", "")
    wrong = [f"{(int(code) + 1 + n) % 1_000_000:06}" for n in range(50)]
    guesses = await asyncio.gather(*(eve.send(page, "/code", code=guess) for guess in wrong))
    assert {guess.status_code for guess in guesses} == {422}
    assert (await eve.send(page, "/code", code=code)).status_code == 422
    assert "Send me a code" in (await eve.get()).text


async def test_of_many_who_ask_for_an_address_at_once_five_are_heard(
    service: Service, stack: AsyncExitStack
) -> None:
    await service.call("POST", "/v1/customers", {"external_id": "ada", "email": ADA}, expect=201)
    strangers = [await arrive(service, stack) for _ in range(12)]
    doors = [await stranger.get() for stranger in strangers]
    asked = await asyncio.gather(
        *(each.send(door, "/access", email=ADA) for each, door in zip(strangers, doors, strict=True))
    )
    assert sorted(reply.status_code for reply in asked) == [303] * 5 + [429] * 7
    await service.worker.drain()
    assert len(service.mailer.sent) == 5


async def test_of_many_who_come_by_one_link_at_once_one_gets_in_and_looking_at_it_uses_nothing_up(
    service: Service, stack: AsyncExitStack
) -> None:
    """Mail programs look at every link, some of them without a body, some many times."""
    await service.call("POST", "/v1/customers", {"external_id": "ada", "email": ADA}, expect=201)
    link = (await service.call("POST", "/v1/customers/ada/portal-link", expect=201))["url"]
    scanner = await arrive(service, stack)
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        await scanner.client.request(method, link)
    people = [await arrive(service, stack) for _ in range(12)]
    shown = [await each.client.get(link) for each in people]
    came = await asyncio.gather(*(each.send(page, "/link") for each, page in zip(people, shown, strict=True)))
    assert sorted(reply.status_code for reply in came) == [303] + [422] * 11
    inside = [each for each in people if "Sign out" in (await each.get()).text]
    assert len(inside) == 1
