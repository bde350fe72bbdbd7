"""A sandbox on a free port, the official SDK pointed at it, and a receiver for its webhooks.

Every reply of the sandbox in every test is held against Stripe's own description, and so is every request
that it accepted: what the sandbox takes and gives beyond Stripe is a defect of the sandbox.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import stripe
from aiohttp import web

from adapters.sandbox import Exchange, Sandbox
from tests.stripe_contract.exchanges import check_exchange


class Clock:
    """Starts at the real time, since the SDK compares signatures with it, and moves only when told."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Receiver:
    """A webhook endpoint that answers what it is told, then 200, and remembers what it got."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        self.received: list[tuple[bytes, str]] = []
        self.reached = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.received.append((await request.read(), request.headers["Stripe-Signature"]))
        self.reached.set()
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers={"Location": self.url} if status == 302 else None)

    def ids(self) -> list[str]:
        return [json.loads(body)["id"] for body, _ in self.received]

    def types(self, secret: str) -> list[str]:
        """The types received so far, each verified by the SDK."""
        events = [stripe.Webhook.construct_event(body, header, secret) for body, header in self.received]
        return [event.type for event in events]


def client(sandbox: Sandbox, key: str | None = None) -> Any:
    """The official SDK. Untyped here, since these tests also send what its types forbid."""
    return stripe.StripeClient(
        key or sandbox.secret_key,
        base_addresses={"api": sandbox.url},
        http_client=stripe.AIOHTTPClient(timeout=5),
        stripe_version="2026-08-26.dahlia",
        max_network_retries=0,
    )


def told(raised: pytest.ExceptionInfo[stripe.StripeError]) -> Any:
    """The error the SDK raised, with whatever the sandbox put into it."""
    return raised.value


async def close(sdk: Any) -> None:
    await sdk._requestor._get_http_client().close_async()


async def create_intent(sdk: Any, amount: int = 500, currency: str = "eur", **more: Any) -> Any:
    return await sdk.v1.payment_intents.create_async(
        {"amount": amount, "currency": currency, "payment_method_types": ["card"], **more}
    )


async def confirm_intent(sdk: Any, intent: Any, method: Any = "pm_card_visa", **more: Any) -> Any:
    return await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": method, **more})


async def create_setup(sdk: Any, **more: Any) -> Any:
    return await sdk.v1.setup_intents.create_async({"payment_method_types": ["card"], **more})


async def confirm_setup(sdk: Any, intent: Any, method: Any = "pm_card_visa", **more: Any) -> Any:
    return await sdk.v1.setup_intents.confirm_async(intent.id, {"payment_method": method, **more})


async def charge(sdk: Any, customer: str, method: str, **more: Any) -> Any:
    """With the buyer away."""
    return await create_intent(
        sdk, customer=customer, payment_method=method, off_session=True, confirm=True, **more
    )


async def event_types(sdk: Any) -> Any:
    return [event.type for event in reversed((await sdk.v1.events.list_async({"limit": 100})).data)]


class Controls:
    """The control interface, over HTTP."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def call(self, verb: str, at: str, *, expect: int = 200, **form: Any) -> Any:
        data = {name: str(value) for name, value in form.items()}
        async with self._http.request(verb, f"/_sandbox/{at}", data=data or None) as reply:
            assert reply.status == expect, await reply.text()
            return await reply.json()

    async def tell(self, kind: str, **form: Any) -> str:
        """Tell a fault; its id."""
        told = await self.call("POST", "faults", kind=kind, **form)
        return str(told["id"])

    async def met(self, id: str) -> Any:
        return await self.call("GET", f"faults/{id}/met")

    async def end(self, id: str) -> None:
        await self.call("DELETE", f"faults/{id}")


@asynccontextmanager
async def controlling(sandbox: Sandbox) -> AsyncIterator[Controls]:
    async with aiohttp.ClientSession(sandbox.url, timeout=aiohttp.ClientTimeout(total=5)) as http:
        yield Controls(http)


@pytest.fixture
async def controls(sandbox: Sandbox) -> AsyncIterator[Controls]:
    async with controlling(sandbox) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exchanges() -> Iterator[list[Exchange]]:
    seen: list[Exchange] = []
    yield seen
    for exchange in seen:
        check_exchange(exchange)


@pytest.fixture
async def sandbox(clock: Clock, exchanges: list[Exchange]) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, on_exchange=exchanges.append, retry_delays=(0, 0, 0)) as running:
        yield running


@pytest.fixture
async def sdk(sandbox: Sandbox) -> AsyncIterator[Any]:
    opened = client(sandbox)
    yield opened
    await close(opened)


@pytest.fixture
async def buyer(sandbox: Sandbox) -> AsyncIterator[Any]:
    """What a checkout page can do: the publishable key."""
    opened = client(sandbox, sandbox.publishable_key)
    yield opened
    await close(opened)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    at = Receiver()
    application = web.Application()
    application.router.add_route("*", "/hooks", at.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    at.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    yield at
    await runner.cleanup()
