"""SIGTERM with work in hand: real processes, real signals, and a lock in the database that holds it."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from adapters.sandbox.faults import Hang
from tests.databases import Database, connected
from tests.entrypoints import counterfoil_process
from tests.system.processes import Processes, processes, until


@pytest.fixture
async def running(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Processes]:
    async with processes(fresh_database, tmp_path) as both:
        yield both


@asynccontextmanager
async def customers_locked(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """While the block runs, whoever reads or writes a customer waits. Gives a connection to watch that."""
    async with (
        connected(database.admin_dsn) as watcher,
        connected(database.admin_dsn) as holder,
        holder.transaction(),
    ):
        await holder.execute("LOCK TABLE counterfoil.customers IN ACCESS EXCLUSIVE MODE")
        yield watcher


async def somebody_waits(watcher: asyncpg.Connection, role: str) -> None:
    async def waiting() -> bool:
        return bool(
            await watcher.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock' AND application_name = $1",
                f"counterfoil {role}",
            )
        )

    await until(waiting)


async def nobody_new(url: str) -> None:
    async def refused() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                await client.get(f"{url}/health/live")
        except httpx.TransportError:
            return True
        return False

    await until(refused)


async def ended(process: subprocess.Popen[str]) -> int:
    return await asyncio.to_thread(process.wait, 15)


async def test_the_api_answers_what_was_begun_and_lets_nobody_new_in(
    running: Processes, fresh_database: Database
) -> None:
    async with customers_locked(fresh_database) as watcher:
        begun = asyncio.create_task(running.client.post("/v1/customers", json={"external_id": "ada"}))
        await somebody_waits(watcher, "app")
        running.api.process.send_signal(signal.SIGTERM)
        await nobody_new(running.api_url)
        assert running.api.process.poll() is None
    assert (await begun).status_code == 201
    assert await ended(running.api.process) == 0


async def test_the_worker_finishes_its_task(running: Processes, fresh_database: Database) -> None:
    with running.sandbox.misbehave(Hang(path="/v1/customers")) as hold:
        await running.client.post("/v1/customers", json={"external_id": "ada"})
        await hold.met()
        async with customers_locked(fresh_database) as watcher:
            hold.end()
            await somebody_waits(watcher, "worker")
            running.worker.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            assert running.worker.process.poll() is None
    assert await ended(running.worker.process) == 0
    ada = (await running.client.get("/v1/customers/ada")).json()
    assert ada["stripe_customer_id"].startswith("cus_")


async def test_a_second_signal_ends_it_at_once(running: Processes, tmp_path: Path) -> None:
    with running.sandbox.misbehave(Hang(path="/v1/customers")) as hold:
        await running.client.post("/v1/customers", json={"external_id": "ada"})
        await hold.met()
        assert await ended_by_signals(running.worker.process) == -signal.SIGTERM
    words = ("serve", "--port", "0")
    with counterfoil_process.running(
        tmp_path / "both", tmp_path / "home", *words, **running.settings
    ) as both:
        both.wait_for("listens on")
        with running.sandbox.misbehave(Hang(path="/v1/customers")) as hold:
            await running.client.post("/v1/customers", json={"external_id": "grace"})
            await hold.met()
            assert await ended_by_signals(both.process) == -signal.SIGTERM


async def ended_by_signals(process: subprocess.Popen[str]) -> int:
    """How it ends while its work is held: the first signal asks, and one after that does not."""

    def signaled() -> bool:
        process.send_signal(signal.SIGTERM)
        return process.poll() is not None

    await until(signaled, 5)
    return process.returncode
