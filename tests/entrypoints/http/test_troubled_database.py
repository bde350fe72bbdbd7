"""What requests are answered while PostgreSQL has no time for them, or is not there; and that it passes."""

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx
from dependency_injector import providers

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.migrations import migrate
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, create_service_login
from entrypoints.container import Container
from entrypoints.http.server import serving
from entrypoints.settings import Settings
from tests.databases import SERVICE, Database, connected
from tests.entrypoints.http.conftest import CATALOG, assert_problem, organization
from tests.integration.embedded_process import postmaster

POOL_SIZE = 2
WAIT_SECONDS = 0.3


def on(dsn: str, home: Path) -> Container:
    settings = Settings.read(home=home, pool_size=POOL_SIZE, pool_wait_seconds=WAIT_SECONDS)
    return Container(settings=providers.Object(settings), database_url=providers.Object(dsn))


async def test_when_all_connections_are_taken_the_answer_is_quick_and_busy(
    fresh_database: Database, tmp_path: Path
) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with (
        serving(container) as served,
        httpx.AsyncClient(base_url=served.url, timeout=30) as client,
        connected(fresh_database.admin_dsn) as admin,
    ):
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        assert (await client.put("/v1/catalog", json=CATALOG)).status_code == 200
        async with admin.transaction():
            await admin.execute("LOCK TABLE counterfoil.customers")
            held = []
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            for n in range(POOL_SIZE):  # one after the other: at once, they would go in one call
                held.append(
                    asyncio.create_task(client.post("/v1/customers", json={"external_id": f"held-{n}"}))
                )
                while await admin.fetchval(waiting) <= n:  # noqa: ASYNC110 (only the database knows)
                    await asyncio.sleep(0.01)
            for call in (
                client.get("/v1/catalog"),
                client.post("/v1/customers", json={"external_id": "ada"}),
                client.get("/health/ready"),
            ):
                started = time.monotonic()
                reply = await call
                assert WAIT_SECONDS <= time.monotonic() - started < 4  # those that hold them give up after 5
                assert_problem(reply, 503, "database_busy")
                assert reply.headers["retry-after"] == "1"
        assert [(await reply).status_code for reply in held] == [201, 201]
        assert (await client.post("/v1/customers", json={"external_id": "ada"})).status_code == 201


async def test_a_lock_that_is_not_let_go_is_busy_too(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    impatient = providers.Singleton(open_pool, fresh_database.service_dsn, APP, statement_seconds=0.2)
    with container.app_pool.override(impatient):
        async with (
            serving(container) as served,
            httpx.AsyncClient(base_url=served.url, timeout=30) as client,
            connected(fresh_database.admin_dsn) as admin,
        ):
            made = await organization(container, "Acme")
            client.headers["authorization"] = f"Bearer {made.test_key}"
            async with admin.transaction():
                await admin.execute("LOCK TABLE counterfoil.products")
                assert_problem(await client.get("/v1/catalog"), 503, "database_busy")
            assert (await client.get("/v1/catalog")).status_code == 200


async def test_nobody_is_allowed_anything_while_the_database_does_not_answer(
    fresh_database: Database, tmp_path: Path
) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    impatient = providers.Singleton(open_pool, fresh_database.service_dsn, APP, statement_seconds=0.2)
    with container.app_pool.override(impatient):
        async with (
            serving(container) as served,
            httpx.AsyncClient(base_url=served.url, timeout=30) as client,
            connected(fresh_database.admin_dsn) as admin,
        ):
            made = await organization(container, "Acme")
            client.headers["authorization"] = f"Bearer {made.test_key}"
            used = {"customer": "ada", "feature": "seats"}
            for path, body in (("catalog", _METERED), ("customers", {"external_id": "ada"})):
                method = "PUT" if path == "catalog" else "POST"
                assert (await client.request(method, f"/v1/{path}", json=body)).is_success
            async with admin.transaction():
                await admin.execute("LOCK TABLE counterfoil.balances")
                for path in ("check", "track"):
                    assert_problem(await client.post(f"/v1/{path}", json=used), 503, "database_busy")
            checked = (await client.post("/v1/check", json=used)).json()
            assert (checked["allowed"], checked["balance"]["used"]) == (True, 0)


_METERED: dict[str, object] = {
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
                    "features": [{"slug": "seats", "included": 3}],
                }
            ],
        }
    ],
}


async def test_a_database_that_is_gone_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "home") as server:
        async with connected(server.dsn(ADMIN)) as admin:
            await migrate(admin)
            await create_service_login(admin, SERVICE)
        container = on(server.dsn(SERVICE), tmp_path)
        async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
            made = await organization(container, "Acme")
            client.headers["authorization"] = f"Bearer {made.test_key}"
            assert (await client.put("/v1/catalog", json=CATALOG)).status_code == 200
            os.kill(postmaster(server), signal.SIGKILL)
            replies = await asyncio.gather(
                *(client.post("/v1/customers", json={"external_id": f"n{n}"}) for n in range(20))
            )
            for reply in (*replies, await client.get("/health/ready")):
                assert_problem(reply, 503, "database_unavailable")
                assert reply.headers["retry-after"] == "5"
                for leaked in ("postgres", "socket", "Connect", "Error", "counterfoil_", str(tmp_path)):
                    assert leaked not in reply.json()["detail"]
            assert (await client.get("/health/live")).status_code == 200
            server.attach_or_start()
            assert (await client.get("/health/ready")).status_code == 200
            assert (await client.post("/v1/customers", json={"external_id": "ada"})).status_code == 201
