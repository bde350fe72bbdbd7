"""The whole service: real PostgreSQL, real HTTP, the sandbox Stripe, whose events the tests deliver."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import stripe
from dependency_injector import providers

from adapters.memory.mailer import MemoryMailer
from adapters.sandbox import Sandbox
from adapters.system import SystemClock
from application.causes import CommandLine
from application.organizations.create_organization import CreateOrganization, NewOrganization
from application.ports import Clock
from domain.ids import RequestId
from entrypoints.container import Container
from entrypoints.http.server import serving
from entrypoints.settings import Settings
from entrypoints.worker import Worker
from tests.contracts.worlds import CATALOG
from tests.databases import Database

Json = dict[str, Any]


@dataclass
class Service:
    """A running service with one organization that sells; `api` acts with its test key, `live` with its live
    key, and `buyer` reaches the sandbox as a buyer's browser does.
    """

    api: httpx.AsyncClient
    live: httpx.AsyncClient
    sandbox: Sandbox
    buyer: stripe.StripeClient
    worker: Worker
    mailer: MemoryMailer
    create_organization: CreateOrganization

    async def call(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Json:
        reply = await self.api.request(method, path, json=body)
        assert reply.status_code == expect, reply.text
        answer: Json = reply.json()
        return answer

    async def open_checkout(self, **fields: object) -> Json:
        draft = {"type": "product", "price": "course", "anonymous": True, **fields}
        return await self.call("POST", "/v1/checkout-sessions", draft, expect=201)

    def page(self, session: Json, rest: str = "") -> str:
        """The address of the session's hosted page, as it is to somebody without the token."""
        return f"{self.api.base_url}/checkout/{session['id']}{rest}"

    async def events(self) -> list[Json]:
        """The whole feed, once everything that has committed is in it."""
        await self.worker.drain()
        events: list[Json] = []
        while page := (await self.call("GET", f"/v1/events?limit=100&after={len(events)}"))["data"]:
            events += page
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        return events

    async def deliver(self, event: Json) -> httpx.Response:
        """Post one of the sandbox's events to the webhook, signed."""
        signed = self.sandbox.signed(event)
        return await self.api.post("/v1/stripe/webhooks", content=signed.body, headers=dict(signed.headers))

    async def pay(self, session: Json, method: str) -> str:
        """Confirm the session's intent with this payment method; its status, or the code of the decline."""
        try:
            intent = await self.buyer.v1.payment_intents.confirm_async(
                session["payment_intent_id"],
                {"payment_method": method, "return_url": self.page(session, "/return")},
            )
        except stripe.CardError as declined:
            return declined.code or ""
        return intent.status

    async def customers_at_stripe(self) -> list[stripe.Customer]:
        return list((await self.buyer.v1.customers.list_async({"limit": 100})).data)


@asynccontextmanager
async def running_service(
    database: Database, home: Path, *, deliver: bool = False, clock: Clock | None = None
) -> AsyncIterator[Service]:
    mailer = MemoryMailer()
    container = Container(
        mailer=providers.Object(mailer),
        clock=providers.Object(clock or SystemClock()),
        settings=providers.Object(Settings.read(home=home, log_level="error")),
        database_url=providers.Object(database.service_dsn),
        sandbox=providers.Factory(Sandbox, deliver=deliver, retry_delays=(0, 0, 0)),
    )
    async with serving(container) as server:
        assert server.sandbox is not None
        opened = await container.create_organization()(
            NewOrganization(name="Acme", owner_email="owner@acme.example"),
            CommandLine("test", RequestId("req_0")),
        )
        store = container.worker_store()
        retries, deliveries = container.inbox_retries(), container.deliveries()
        worker = Worker(store, store, store, container.effects(), retries, deliveries, container.clock())
        async with (
            _client(server.url, opened.test_key) as api,
            _client(server.url, opened.live_key) as live,
            _buyer(server.sandbox) as buyer,
        ):
            service = Service(
                api, live, server.sandbox, buyer, worker, mailer, container.create_organization()
            )
            await service.call("PUT", "/v1/catalog", msgspec.to_builtins(CATALOG))
            yield service


@asynccontextmanager
async def _client(url: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=64)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30) as client:
        yield client


@asynccontextmanager
async def _buyer(sandbox: Sandbox) -> AsyncIterator[stripe.StripeClient]:
    http = stripe.AIOHTTPClient()
    yield stripe.StripeClient(
        sandbox.secret_key, base_addresses={"api": sandbox.url}, http_client=http, max_network_retries=0
    )
    await http.close_async()  # type: ignore[no-untyped-call]  # the SDK gives it no types
