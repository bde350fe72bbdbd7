"""The API over stores in memory: everything between a request and a port is the real thing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest
from dependency_injector import providers
from litestar import Litestar

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from adapters.memory.secrets import SequentialSecrets
from adapters.memory.store import MemoryStore
from application.causes import CommandLine
from application.operator_ports import Backlog
from application.organizations.create_organization import NewOrganization, OrganizationCreated
from application.unit_of_work import UnitOfWork
from domain.auth import AuthContext, Authenticated
from domain.customer import NewCustomer
from domain.identity import CustomerContext
from domain.ids import Ids, RequestId
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.entrypoints.http.described import held_to

TEST_WEBHOOK_SECRET = "whsec_of_test_mode"
LIVE_WEBHOOK_SECRET = "whsec_of_live_mode"

CATALOG: dict[str, Any] = {
    "features": [{"slug": "seats", "name": "Seats", "type": "metered"}],
    "pricing_models": [
        {
            "slug": "standard",
            "name": "Standard",
            "is_default": True,
            "products": [
                {
                    "slug": "free",
                    "name": "Free",
                    "is_default": True,
                    "features": [{"slug": "seats", "included": 5, "reset": "month"}],
                },
                {
                    "slug": "book",
                    "name": "Book",
                    "group": "books",
                    "prices": [{"slug": "book", "type": "single_payment", "amount": 1500, "currency": "usd"}],
                },
                {
                    "slug": "sample",
                    "name": "Sample",
                    "group": "books",
                    "prices": [{"slug": "sample", "type": "single_payment", "amount": 0, "currency": "usd"}],
                },
            ],
        }
    ],
}


class Seconds:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FragileStore(MemoryStore):
    """A store in which something else may happen `first`, by the name of a call: it breaks, or takes long."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, Callable[[], Awaitable[None]]] = {}

    async def _first(self, call: str) -> None:
        if call in self.first:
            await self.first[call]()

    async def commit(self, work: UnitOfWork) -> None:
        await self._first("commit")
        await super().commit(work)

    async def backlog(self, now: datetime, limit: int) -> Backlog:
        await self._first("backlog")
        return await super().backlog(now, limit)

    async def by_api_key(self, secret_hash: str) -> Authenticated | None:
        await self._first("by_api_key")
        return await super().by_api_key(secret_hash)

    async def creation_context(self, auth: AuthContext, draft: NewCustomer) -> CustomerContext:
        await self._first("creation_context")
        return await super().creation_context(auth, draft)


@dataclass
class Service:
    """The service, what it stands on, and a client with the test key of an organization."""

    container: Container
    app: Litestar
    client: httpx.AsyncClient
    made: OrganizationCreated
    store: FragileStore
    gateway: MemoryGateway
    clock: FixedClock
    seconds: Seconds

    async def with_catalog(self) -> "Service":
        reply = await self.client.put("/v1/catalog", json=CATALOG)
        assert reply.status_code == 200, reply.text
        return self

    async def open_session(self, **given: object) -> dict[str, Any]:
        body = {"type": "product", "price": "book", "anonymous": True, **given}
        reply = await self.client.post("/v1/checkout-sessions", json=body)
        assert reply.status_code == 201, reply.text
        opened: dict[str, Any] = reply.json()
        return opened


def in_memory(clock: FixedClock, **settings: object) -> tuple[Container, FragileStore, MemoryGateway]:
    """A container whose stores and gateway are in memory."""
    store, gateway = FragileStore(), MemoryGateway()
    read = Settings.read(
        stripe_test_secret_key="sk_test_1",
        stripe_test_webhook_secret=TEST_WEBHOOK_SECRET,
        stripe_live_secret_key="sk_live_1",
        stripe_live_webhook_secret=LIVE_WEBHOOK_SECRET,
        **settings,
    )
    container = Container(settings=providers.Object(read))
    container.store.override(providers.Object(store))
    container.worker_store.override(providers.Object(store))
    container.portal_store.override(providers.Object(store))
    container.gateway.override(providers.Object(gateway))
    container.clock.override(providers.Object(clock))
    container.secrets.override(providers.Singleton(SequentialSecrets))
    return container, store, gateway


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """The service with one organization, whose catalog is empty."""
    async with running() as service:
        yield service


@asynccontextmanager
async def running(ids: Ids | None = None) -> AsyncIterator[Service]:
    """The same, outside of tests; with other ids, if they are given."""
    clock, seconds = FixedClock(), Seconds()
    container, store, gateway = in_memory(clock, public_url="https://pay.example.com")
    if ids is not None:
        container.ids.override(providers.Object(ids))
    container.seconds.override(providers.Object(seconds))
    app = create_app(container)
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),  # type: ignore[arg-type]
            base_url="http://service.test",
            event_hooks={"response": [held_to(app).check]},
        ) as client,
    ):
        made = await organization(container, "Acme")
        service = Service(container, app, client, made, store, gateway, clock, seconds)
        client.headers["authorization"] = f"Bearer {service.made.test_key}"
        yield service


async def organization(container: Container, name: str) -> OrganizationCreated:
    """Another organization in the same books."""
    cause = CommandLine("test", container.ids().new(RequestId))
    command = NewOrganization(name=name, owner_email="owner@example.com")
    return await container.create_organization()(command, cause)


def assert_problem(reply: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The reply is a problem of this status and code, about this field."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = reply.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"urn:counterfoil:error:{code}"
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])
    return problem
