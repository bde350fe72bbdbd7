"""What the billing portal costs at the database, from request to reply, on warm connections."""

import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from tests.databases import Database
from tests.integration.wire import Wire, tapped
from tests.system.service import Service, running_service
from tests.system.test_portal_strangers import arrive, code_of, subscriber


@dataclass
class Counted:
    """The service, with a wire between it and PostgreSQL."""

    service: Service
    wire: Wire
    stack: AsyncExitStack

    async def of(self, request: Awaitable[httpx.Response], status: int = 200) -> tuple[int, httpx.Response]:
        """How often it spoke to PostgreSQL before it had this answer."""
        await self.service.sandbox.drain()
        before = self.wire.turns
        reply = await request
        assert reply.status_code == status, reply.text
        return self.wire.turns - before, reply


@pytest.fixture
async def counted(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Counted]:
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(tapped(fresh_database.service_dsn))
        database = replace(fresh_database, service_dsn=wire.dsn)
        service = await stack.enter_async_context(running_service(database, tmp_path, deliver=True))
        yield Counted(service, wire, stack)


async def visit(counted: Counted, name: str) -> dict[str, int]:
    """Somebody comes in, looks around, and leaves: how often each step spoke to PostgreSQL."""
    visitor = await arrive(counted.service, counted.stack)
    taken: dict[str, int] = {}
    taken["the door"], door = await counted.of(visitor.get())
    taken["asking for a code"], _ = await counted.of(
        visitor.send(door, "/access", email=f"{name}@example.com"), 303
    )
    taken["where it is given"], page = await counted.of(visitor.get("/code"))
    code = await code_of(counted.service, f"{name}@example.com")
    taken["a wrong code"], _ = await counted.of(visitor.send(page, "/code", code="x"), 422)
    taken["the right code"], _ = await counted.of(visitor.send(page, "/code", code=code), 303)
    taken["everything"], home = await counted.of(visitor.get())
    listed = re.findall(r"/test(/customers/\w+/invoices)", home.text)[0]
    taken["all invoices"], _ = await counted.of(visitor.get(listed))
    taken["canceling"], _ = await counted.of(visitor.send(home, "/cancel"), 303)
    taken["keeping"], _ = await counted.of(visitor.send(await visitor.get(), "/resume"), 303)
    taken["leaving"], _ = await counted.of(visitor.send(home, "/sign-out"), 303)
    return taken


async def by_link(counted: Counted, name: str) -> dict[str, int]:
    """Somebody comes by a link of the application's."""
    made = await counted.service.call("POST", f"/v1/customers/{name}/portal-link", expect=201)
    visitor = await arrive(counted.service, counted.stack)
    taken: dict[str, int] = {}
    taken["looking at a link"], page = await counted.of(visitor.client.get(made["url"]))
    taken["going on"], _ = await counted.of(visitor.send(page, "/link"), 303)
    return taken


async def test_getting_in_takes_six_a_page_inside_three_and_what_is_done_there_four(counted: Counted) -> None:
    """Whose portal it is, and whose session, is asked for each time: one each."""
    for name in ("bob", "ada"):
        await subscriber(counted.service, name)
    await visit(counted, "bob")  # prepares each statement
    assert await visit(counted, "ada") == {
        "the door": 1,
        "asking for a code": 2,
        "where it is given": 1,
        "a wrong code": 3,
        "the right code": 6,
        "everything": 3,
        "all invoices": 3,
        "canceling": 4,
        "keeping": 4,
        "leaving": 3,
    }


async def test_coming_by_a_link_takes_three(counted: Counted) -> None:
    for name in ("bob", "ada"):
        await counted.service.call("POST", "/v1/customers", {"external_id": name}, expect=201)
    await by_link(counted, "bob")
    assert await by_link(counted, "ada") == {"looking at a link": 2, "going on": 3}


async def test_asking_for_a_code_does_the_same_whether_the_address_is_known_or_not(counted: Counted) -> None:
    """So that the time it takes tells nothing."""
    person = {"external_id": "ada", "email": "ada@example.com"}
    await counted.service.call("POST", "/v1/customers", person, expect=201)
    taken = []
    for email in ("warm@example.com", "ada@example.com", "nobody@example.com", "ada@example.com"):
        visitor = await arrive(counted.service, counted.stack)
        door = await visitor.get()
        turns, _ = await counted.of(visitor.send(door, "/access", email=email), 303)
        wrong, _ = await counted.of(visitor.send(await visitor.get("/code"), "/code", code="x"), 422)
        taken.append((turns, wrong))
    assert taken[1:] == [(2, 3)] * 3
