"""The billing portal's door when many are at it at once, on every adapter: it holds to its limits."""

import asyncio
from datetime import timedelta

from domain.customer import NewCustomer
from domain.errors import DomainError
from domain.portal import ADDRESS_LIMITS, MOST_TRIES, SENDER_LIMITS, AccessRequest
from tests.contracts.test_portal_contract import (
    EMAIL,
    anonymous_purchase,
    ask,
    code_for,
    seller_of,
    try_code,
    wrong,
)
from tests.contracts.worlds import REQUEST, World


def codes_of(came: list[AccessRequest | BaseException]) -> list[str]:
    return [one.code for one in came if isinstance(one, DomainError)]


async def test_of_fifty_guesses_at_once_five_are_counted_and_the_right_one_comes_too_late(
    world: World,
) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    asked = await ask(world, acme)
    code = await code_for(world, asked)
    guesses = [f"{(int(code) + 1 + n) % 1_000_000:06}" for n in range(50)]
    came = await asyncio.gather(*(try_code(world, acme, asked, guess) for guess in guesses))
    assert came == ["access_code_invalid"] * 50
    assert await try_code(world, acme, asked, code) == "access_code_invalid"
    counted = await world.store.access_context(acme, asked.id)
    assert counted is not None
    assert (counted.request.tries, counted.request.used_at) == (MOST_TRIES, None)
    assert "user.signed_up" not in await world.event_types(acme)


async def test_the_right_code_among_fifty_guesses_at_once_begins_one_session_or_none(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    asked = await ask(world, acme)
    code = await code_for(world, asked)
    given = [code if n % 10 == 0 else wrong(code) for n in range(50)]
    came = await asyncio.gather(*(try_code(world, acme, asked, each) for each in given))
    assert came.count("in") <= 1
    counted = await world.store.access_context(acme, asked.id)
    assert counted is not None
    assert counted.request.tries <= MOST_TRIES
    assert (counted.request.used_at is not None) == ("in" in came)


async def test_of_many_who_ask_for_one_address_at_once_five_are_heard(world: World) -> None:
    acme = await world.organization()
    for heard, hours in ((ADDRESS_LIMITS[0].most, 1), (ADDRESS_LIMITS[1].most - ADDRESS_LIMITS[0].most, 2)):
        came = await asyncio.gather(
            *(ask(world, acme, EMAIL.swapcase() if n % 2 else EMAIL, f"place {n}") for n in range(20)),
            return_exceptions=True,
        )
        assert sum(isinstance(one, AccessRequest) for one in came) == heard
        assert codes_of(came) == ["too_many_access_codes"] * (20 - heard)
        world.clock.advance(timedelta(hours=hours))
    (came_later,) = await asyncio.gather(ask(world, acme, EMAIL, "elsewhere"), return_exceptions=True)
    assert codes_of([came_later]) == ["too_many_access_codes"]  # ten a day


async def test_one_sender_and_one_address_at_once_are_held_to_both_limits(world: World) -> None:
    acme = await world.organization()
    addresses = [f"{n % 8}@example.com" for n in range(64)]
    came = await asyncio.gather(
        *(ask(world, acme, address, f"place {n // 32}") for n, address in enumerate(addresses)),
        return_exceptions=True,
    )
    heard = [one for one in came if isinstance(one, AccessRequest)]
    assert set(codes_of(came)) == {"too_many_access_codes"}
    assert len(heard) + len(codes_of(came)) == 64
    for sender in ("place 0", "place 1"):
        assert sum(one.sender == sender for one in heard) <= SENDER_LIMITS[0].most
    for address in set(addresses):
        assert sum(one.email == address for one in heard) <= ADDRESS_LIMITS[0].most
    assert len(heard) >= SENDER_LIMITS[0].most


async def test_of_many_who_come_by_one_link_at_once_one_gets_in(world: World) -> None:
    acme = await world.organization()
    await world.create_customer(NewCustomer(external_id="ada", email=EMAIL), acme, REQUEST)
    link = await world.make_portal_link("ada", acme)

    async def come() -> str:
        try:
            await world.use_portal_link(link.secret, seller_of(acme), livemode=acme.livemode)
        except DomainError as refusal:
            return refusal.code
        return "in"

    came = await asyncio.gather(*(come() for _ in range(20)))
    assert sorted(came) == ["in", *["portal_link_invalid"] * 19]
