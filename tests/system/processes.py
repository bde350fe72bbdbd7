"""The service as it is deployed: API and worker as processes of their own, one PostgreSQL; and a sandbox."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import stripe

from adapters.sandbox import Sandbox
from tests.contracts.worlds import CATALOG
from tests.databases import Database
from tests.entrypoints.counterfoil_process import Running, counterfoil, running

DATABASE_PASSWORD = "hunter2-of-the-database"
"""Where the server asks for none, one is given all the same: it must not be told."""


@dataclass(frozen=True)
class Processes:
    """Both processes, where they answer, and a client with the test key of an organization that sells."""

    api: Running
    api_url: str
    worker: Running
    worker_url: str
    client: httpx.AsyncClient
    key: str
    organization_id: str
    sandbox: Sandbox
    buyer: stripe.StripeClient
    settings: dict[str, str]


@asynccontextmanager
async def processes(database: Database, folder: Path, **more: str) -> AsyncIterator[Processes]:
    """Both of them, for as long as the block runs; with more settings."""
    home = folder / "home"
    async with Sandbox() as sandbox:
        settings = {
            "DATABASE_URL": with_password(database.service_dsn),
            "STRIPE_API_BASE": sandbox.url,
            "STRIPE_TEST_SECRET_KEY": sandbox.secret_key,
            "STRIPE_TEST_PUBLISHABLE_KEY": sandbox.publishable_key,
            "STRIPE_TEST_WEBHOOK_SECRET": sandbox.webhook_secret,
            **more,
        }
        create = ("organization", "create", "Acme", "--owner-email", "owner@acme.test", "--json")
        made = msgspec.json.decode(counterfoil(home, *create, **settings).stdout)
        with (
            running(folder / "api", home, "serve", "--no-worker", "--port", "0", **settings) as api,
            running(folder / "worker", home, "worker", "--metrics-port", "0", **settings) as worker,
        ):
            url = api.wait_for(r"listens on (\S+)")[1]
            worker_url = worker.wait_for(r"metrics at (\S+)")[1]
            sandbox.register_webhook(f"{url}/v1/stripe/webhooks")
            http = stripe.AIOHTTPClient()
            buyer = stripe.StripeClient(
                sandbox.secret_key,
                base_addresses={"api": sandbox.url},
                http_client=http,
                max_network_retries=0,
            )
            key = {"authorization": f"Bearer {made['test_key']}"}
            async with AsyncExitStack() as stack:
                for process in (api, worker):
                    stack.push_async_callback(stopped, process)
                stack.push_async_callback(http.close_async)
                client = await stack.enter_async_context(
                    httpx.AsyncClient(base_url=url, headers=key, timeout=30)
                )
                catalog = await client.put("/v1/catalog", json=msgspec.to_builtins(CATALOG))
                assert catalog.status_code == 200, catalog.text
                yield Processes(
                    api,
                    url,
                    worker,
                    worker_url,
                    client,
                    made["test_key"],
                    made["organization_id"],
                    sandbox,
                    buyer,
                    settings,
                )


async def stopped(process: Running) -> None:
    """Asked to end, if it is up still. In a thread: the sandbox lives in this one, and may be asked."""
    if process.process.poll() is None:
        await asyncio.to_thread(process.stop)


def with_password(dsn: str) -> str:
    """The same address, with a password in it."""
    head, at, tail = dsn.partition("@")
    return dsn if ":" in head.removeprefix("postgresql://") else f"{head}:{DATABASE_PASSWORD}{at}{tail}"


async def until(holds: Callable[[], Any], seconds: float = 15) -> None:
    """Until it is so; asked again and again, as files and other processes tell nobody."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)
