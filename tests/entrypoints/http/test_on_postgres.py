"""The whole service on PostgreSQL: opened, refused, and served from."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest
from dependency_injector import providers

from adapters.postgres.errors import DatabaseNotMigratedError, DatabaseRoleUnsafeError
from entrypoints.container import Container, opened
from entrypoints.http.server import serving
from entrypoints.settings import Settings
from tests.databases import Database
from tests.entrypoints.http.conftest import CATALOG, organization


def on(dsn: str, home: Path) -> Container:
    """The real thing, Stripe aside."""
    settings = Settings.read(home=home, pool_size=4)
    return Container(settings=providers.Object(settings), database_url=providers.Object(dsn))


async def test_an_anonymous_checkout_from_end_to_end(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        assert (await client.get("/health/ready")).status_code == 200
        assert (await client.put("/v1/catalog", json=CATALOG)).status_code == 200
        body = {"type": "product", "price": "book", "anonymous": True, "success_url": "https://shop.example/"}
        opening = await client.post("/v1/checkout-sessions", json=body)
        assert opening.status_code == 201, opening.text
        session = opening.json()
        back = f"/checkout/{session['id']}/return"
        assert served.sandbox is not None
        async with httpx.AsyncClient(
            base_url=served.sandbox.url, auth=(served.sandbox.secret_key, "")
        ) as buyer:
            await buyer.post(
                f"/v1/payment_intents/{session['payment_intent_id']}/confirm",
                data={"payment_method": "pm_card_visa", "return_url": served.url + back},
            )
        returns = await asyncio.gather(*(client.get(back) for _ in range(10)))
        assert {reply.status_code for reply in returns} == {303}
        await served.sandbox.drain()
        read = (await client.get(f"/v1/checkout-sessions/{session['id']}")).json()
        assert read["status"] == "succeeded"
        customer = (await client.get(f"/v1/customers/{read['customer_id']}")).json()
        assert customer["subscriptions"][0]["product_slug"] == "free"
        await container.worker_store().sequence(1000)
        events = (await client.get("/v1/events?limit=100")).json()["data"]
        told = Counter(event["type"] for event in events)
        for once in ("customer.created", "subscription.created", "purchase.completed", "payment.succeeded"):
            assert told[once] == 1
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))


async def test_fifty_at_once_make_one_customer(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        await client.put("/v1/catalog", json=CATALOG)
        replies = await asyncio.gather(
            *(client.post("/v1/customers", json={"external_id": "ada"}) for _ in range(50))
        )
        assert Counter(reply.status_code for reply in replies) == {201: 1, 200: 49}
        assert len({reply.json()["id"] for reply in replies}) == 1


async def test_a_container_can_be_opened_again(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    for name in ("Acme", "Bcme"):
        async with opened(container):
            assert (await organization(container, name)).slug == name.lower()


async def test_a_superuser_is_not_served_with(fresh_database: Database, tmp_path: Path) -> None:
    with pytest.raises(DatabaseRoleUnsafeError):
        async with opened(on(fresh_database.admin_dsn, tmp_path)):
            pass


async def test_a_database_that_is_not_migrated_is_not_served_from(
    blank_database: Database, tmp_path: Path
) -> None:
    with pytest.raises(DatabaseNotMigratedError, match="counterfoil migrate"):
        async with serving(on(blank_database.service_dsn, tmp_path)):
            pass
