"""Events on their way to real receivers, from books in PostgreSQL: each arrives at least once, and none
waits for another's endpoint."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from time import perf_counter

from aiohttp import web

from adapters.webhooks.sender import HttpSender
from application.webhooks.create_endpoint import CreateWebhookEndpoint
from application.webhooks.deliver_event import DeliverEvent
from domain.auth import Authenticated
from domain.webhook_address import AddressRule
from domain.webhook_endpoint import NewWebhookEndpoint, WebhookEndpoint
from entrypoints.deliveries import MOST_OF_ONE, Deliveries
from entrypoints.metrics.counted import Metrics
from entrypoints.worker import Worker
from tests.contracts.worlds import REQUEST, World, postgres_world
from tests.databases import DatabaseServer
from tests.receivers import receiving

ANYWHERE = AddressRule(allow_http=True, allow_private=True)


@asynccontextmanager
async def sending(world: World, timeout_seconds: float = 10.0) -> AsyncIterator[Worker]:
    """A worker that sends for real."""
    sender = HttpSender(ANYWHERE, timeout_seconds)
    store = world.worker_store
    deliver = DeliverEvent(sender, store, store, store, world.ids, world.clock)
    deliveries = Deliveries(store, deliver, world.clock, Metrics().deliveries)
    try:
        yield Worker(
            store, store, store, world.effects, world.retries, deliveries, world.clock, grace_seconds=0.1
        )
    finally:
        await sender.close()


async def endpoint(world: World, auth: Authenticated, url: str) -> WebhookEndpoint:
    create = CreateWebhookEndpoint(
        world.store, world.store, world.ids, world.clock, world.create_webhook_endpoint.secrets, ANYWHERE
    )
    return await create(NewWebhookEndpoint(url=url, event_types=("customer.created",)), auth, REQUEST)


async def until(worker: Worker, holds: asyncio.Event, seconds: float = 30) -> None:
    """The worker runs until it is so, and is then told to stop."""
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(seconds):
        await holds.wait()
    stop.set()
    await running


async def test_a_slow_endpoint_holds_up_nobody_else(database_server: DatabaseServer) -> None:
    arrived, begun, at_once = asyncio.Event(), 0, 0

    async def never(_: web.Request) -> web.StreamResponse:
        nonlocal begun, at_once
        begun += 1
        at_once = max(at_once, begun)
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            begun -= 1

    async def quickly(_: web.Request) -> web.StreamResponse:
        if len(quick.received) == 30:
            arrived.set()
        return web.Response()

    async with (
        postgres_world(database_server) as world,
        receiving(never) as slow,
        receiving(quickly) as quick,
        sending(world) as worker,
    ):
        auth = await world.organization()
        await endpoint(world, auth, slow.url)
        for n in range(20):
            await world.customer(auth, f"before-{n}")
        await world.events(auth)
        await endpoint(world, auth, quick.url)
        for n in range(30):
            await world.customer(auth, f"c{n}")
        began = perf_counter()
        await until(worker, arrived)
        assert perf_counter() - began < 10  # for as long as the slow one takes
        assert at_once == MOST_OF_ONE


async def test_every_event_arrives_whatever_receivers_do_and_whoever_is_killed(
    database_server: DatabaseServer,
) -> None:
    random = Random(11)  # noqa: S311
    acted_on: Counter[str] = Counter()
    hurried = asyncio.Event()

    async def unreliable(request: web.Request) -> web.StreamResponse:
        luck = random.random()
        if luck > 0.2:
            acted_on[request.headers["webhook-id"]] += 1
        if acted_on.total() > 15:
            hurried.set()
        return web.Response(status=200 if luck > 0.4 else 503)

    async with (
        postgres_world(database_server) as world,
        receiving(unreliable) as receiver,
        sending(world) as worker,
    ):
        auth = await world.organization()
        await endpoint(world, auth, receiver.url)
        for n in range(40):
            await world.customer(auth, f"c{n}")
        stop = asyncio.Event()
        dying = asyncio.create_task(worker.run(stop))
        await hurried.wait()
        dying.cancel()
        sending_now = [task for task in asyncio.all_tasks() if "Deliveries" in f"{task.get_coro()}"]
        for task in sending_now:  # what has arrived is not recorded
            task.cancel()
        await asyncio.gather(dying, *sending_now, return_exceptions=True)
        assert sending_now
        async with sending(world) as another:
            for _ in range(12):
                world.clock.advance(timedelta(hours=13))
                await another.drain()
        created = {event.id for event in await world.events(auth, type="customer.created")}
        assert set(acted_on) == created
        assert len(created) == 40
