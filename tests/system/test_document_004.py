"""Document 004's testing checklist and success criteria, by their words: HTTP, PostgreSQL, the sandbox.

(Those of intake payments are in test_document_004_intake.py.)
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.memory.clock import FixedClock
from adapters.postgres.migrations import SCHEMA
from adapters.sandbox import Disconnect, Fail, Fault, Hang, RateLimit, SearchLag
from tests.databases import Database, connected
from tests.entrypoints.counterfoil_process import counterfoil
from tests.system.service import Json, Service, running_service

ADA = {"external_id": "ada", "email": "Ada@Example.com", "name": "Ada Lovelace"}
STRIPE_FAILS: dict[str, list[Fault]] = {
    "down": [Disconnect(path="/v1/customers", times=6)],
    "down after it has acted": [Disconnect(path="/v1/customers", moment="after", times=6)],
    "at fault": [Fail(path="/v1/customers", times=6)],
    "at fault after it has acted": [Fail(path="/v1/customers", method="POST", moment="after", times=2)],
    "limiting": [RateLimit(path="/v1/customers", times=6)],
    "behind in its search": [
        Fail(path="/v1/customers", method="POST", moment="after"),
        SearchLag(writes=1),
    ],
}


@dataclass
class Running:
    """The service, its books, and a clock that a test moves on."""

    service: Service
    database: Database
    clock: FixedClock
    home: Path

    async def sign_up(self, status: int = 201, **given: Any) -> Json:
        return await self.service.call("POST", "/v1/users", {**ADA, **given}, expect=status)

    async def user(self, reference: str = "ada") -> Json:
        return await self.service.call("GET", f"/v1/users/{reference}")

    async def in_the_end(self) -> None:
        """The worker does what is due, again and again, as hours pass."""
        for _ in range(8):
            await self.service.worker.drain()
            self.clock.advance(timedelta(hours=1))

    async def at_stripe(self) -> dict[str, Json]:
        """The customers there, by whose they are: exactly one for each."""
        found: dict[str, Json] = {}
        for customer in await self.service.customers_at_stripe():
            made = customer.to_dict()
            user_id = made["metadata"]["user_id"]
            assert user_id not in found, f"{user_id} has more than one customer at Stripe"
            found[user_id] = {name: made[name] for name in ("id", "email", "name")} | made["metadata"]
        return found

    async def backfilled(self, *words: str) -> Any:
        """The command, as somebody who runs the service gives it."""
        settings = {
            "DATABASE_URL": self.database.service_dsn,
            "STRIPE_API_BASE": self.service.sandbox.url,
            "STRIPE_TEST_SECRET_KEY": self.service.sandbox.secret_key,
            "STRIPE_TEST_WEBHOOK_SECRET": self.service.sandbox.webhook_secret,
        }
        command = ("backfill-stripe-customers", "--delay-ms", "0", *words)
        return await asyncio.to_thread(counterfoil, self.home, *command, **settings)


@pytest.fixture
async def running(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Running]:
    clock = FixedClock(datetime.now(UTC))
    async with running_service(fresh_database, tmp_path, clock=clock) as service:
        yield Running(service, fresh_database, clock, tmp_path / "commands")


async def assert_known(running: Running) -> None:
    """One customer at Stripe, with the metadata of the document, and its id and time in the books."""
    user = await running.user()
    (made,) = (await running.at_stripe()).values()
    assert made == {
        "id": user["stripe_customer_id"],
        "email": ADA["email"],
        "name": ADA["name"],
        "user_id": user["id"],
        "source": "platform_signup",
        "created_via": "counterfoil",
        "organization_id": made["organization_id"],
        "livemode": "false",
    }
    assert user["stripe_customer_created_at"] is not None


# Manual testing


async def test_new_user_signup_creates_stripe_customer(running: Running) -> None:
    await running.sign_up()
    assert await running.at_stripe() == {}
    await running.service.worker.drain()
    await assert_known(running)


async def test_stripe_customer_id_saved_to_database(running: Running) -> None:
    user = await running.sign_up()
    await running.service.worker.drain()
    known = (await running.at_stripe())[user["id"]]
    by_stripe = await running.service.call("GET", f"/v1/users?stripe_customer_id={known['id']}")
    assert [found["id"] for found in by_stripe["data"]] == [user["id"]]
    async with connected(running.database.admin_dsn) as admin:
        row = await admin.fetchrow(f"SELECT * FROM {SCHEMA}.users WHERE id = $1", user["id"])
    assert row is not None
    assert (row["stripe_customer_id"], row["stripe_customer_created_at"]) == (
        known["id"],
        running.clock.now(),
    )


async def test_duplicate_signup_does_not_create_duplicate_customer(running: Running) -> None:
    bodies = [ADA, {**ADA, "email": "ada@example.com"}, {**ADA, "external_id": None}]
    replies = await asyncio.gather(
        *(running.service.api.post("/v1/users", json=body) for body in bodies * 5),
        running.service.worker.drain(),
    )
    users = [reply.json() for reply in replies if reply is not None]
    assert len({user["id"] for user in users}) == 1
    await asyncio.gather(running.service.worker.drain(), running.service.worker.drain())
    await running.sign_up(200)
    await running.service.worker.drain()
    assert list(await running.at_stripe()) == [users[0]["id"]]


async def test_existing_users_can_be_backfilled(running: Running) -> None:
    signed_up = [await running.sign_up(external_id=f"u{n}", email=f"u{n}@example.com") for n in range(5)]
    async with connected(running.database.admin_dsn) as admin:  # they were there before anybody was told
        await admin.execute(f"DELETE FROM {SCHEMA}.tasks")
    counted = await running.backfilled("--dry-run")
    assert (counted.returncode, counted.stdout) == (
        0,
        "6 users have no Stripe customer. Nothing was done.\n",
    )
    assert await running.at_stripe() == {}
    first = await running.backfilled("--limit", "2")
    assert (first.returncode, first.stdout) == (0, "2 made known to Stripe, 0 failed.\n")
    rest = await running.backfilled()
    assert (rest.returncode, rest.stdout) == (0, "4 made known to Stripe, 0 failed.\n")
    again = await running.backfilled()
    assert (again.returncode, again.stdout) == (0, "0 made known to Stripe, 0 failed.\n")
    known = await running.at_stripe()
    assert {user["id"] for user in signed_up} < known.keys()  # and the organization's owner
    for user in signed_up:
        assert (await running.user(user["id"]))["stripe_customer_id"] == known[user["id"]]["id"]
        assert known[user["id"]]["email"] == user["email"]
    left = await running.service.call("GET", "/v1/users?without_stripe_customer=true")
    assert left["data"] == []


@pytest.mark.parametrize("faults", STRIPE_FAILS.values(), ids=STRIPE_FAILS)
async def test_stripe_failures_do_not_block_signup(running: Running, faults: list[Fault]) -> None:
    for fault in faults:
        running.service.sandbox.misbehave(fault)
    user = await running.sign_up()
    await running.service.worker.drain()
    assert await running.sign_up(200) == await running.user()
    await running.in_the_end()
    running.service.sandbox.behave()
    await running.in_the_end()
    assert list(await running.at_stripe()) == [user["id"]]
    await assert_known(running)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_stripe_that_hangs_does_not_block_signup(running: Running, moment: Any) -> None:
    with running.service.sandbox.misbehave(Hang(path="/v1/customers", moment=moment)) as hang:
        await running.sign_up()
        working = asyncio.create_task(running.service.worker.drain())
        await hang.met()
        await running.sign_up(email="eve@example.com", external_id="eve")
        assert (await running.user())["stripe_customer_id"] is None
    await working
    await running.in_the_end()
    assert len(await running.at_stripe()) == 2


# Unit tests


async def test_create_stripe_customer_for_user_creates_customer(running: Running) -> None:
    await running.sign_up()
    await running.service.worker.drain()
    await assert_known(running)


async def test_get_or_create_stripe_customer_returns_existing(running: Running) -> None:
    """Whoever else is at it, and though nobody has written down that it was made."""
    user = await running.sign_up()
    running.service.sandbox.misbehave(Disconnect(path="/v1/customers", moment="after", times=3))
    await running.service.worker.drain()
    (made,) = (await running.at_stripe()).values()
    assert (await running.user())["stripe_customer_id"] is None
    running.clock.advance(timedelta(hours=1))
    runs = await asyncio.gather(running.backfilled(), running.backfilled(), running.service.worker.drain())
    assert [run.returncode for run in runs if run is not None] == [0, 0]
    assert (await running.at_stripe())[user["id"]]["id"] == made["id"]
    assert (await running.user())["stripe_customer_id"] == made["id"]


async def test_error_handling_does_not_throw(running: Running) -> None:
    with running.service.sandbox.misbehave(Fail(path="/v1/customers", times="always")):
        for number in range(3):
            await running.sign_up(external_id=f"u{number}", email=f"u{number}@example.com")
        await running.service.worker.drain()
        failed = await running.backfilled("--limit", "2")
    assert (failed.returncode, failed.stdout) == (1, "0 made known to Stripe, 2 failed.\n")
    lines = failed.stderr.splitlines()
    assert [line.split()[1] for line in lines] == ["payment_provider_unavailable"] * 2
    assert "@" not in failed.stderr
    await running.in_the_end()
    assert len(await running.at_stripe()) == 3


# Integration tests


async def test_full_signup_flow_creates_customer(running: Running) -> None:
    user = await running.sign_up()
    told = [event for event in await running.service.events() if event["type"].startswith("user.")]
    assert [event["type"] for event in told][-2:] == ["user.signed_up", "user.updated"]
    await assert_known(running)
    changes = {"name": "Countess of Lovelace", "email": "countess@example.com"}
    await running.service.call("PATCH", "/v1/users/ada", changes)
    await running.service.worker.drain()
    made = (await running.at_stripe())[user["id"]]
    assert (made["name"], made["email"]) == (changes["name"], changes["email"])


# Success criteria


async def test_every_new_signup_creates_a_stripe_customer(running: Running) -> None:
    users = await asyncio.gather(
        *(running.sign_up(external_id=f"u{n}", email=f"u{n}@example.com") for n in range(20))
    )
    await running.service.worker.drain()
    assert (await running.at_stripe()).keys() == {user["id"] for user in users}


async def test_stripe_customer_id_stored_in_database(running: Running) -> None:
    await running.sign_up()
    await running.service.worker.drain()
    assert (await running.user())["stripe_customer_id"] in {
        made["id"] for made in (await running.at_stripe()).values()
    }


async def test_no_signup_failures_due_to_stripe_errors(running: Running) -> None:
    with running.service.sandbox.misbehave(Disconnect(times="always")):
        users = await asyncio.gather(
            *(running.sign_up(external_id=f"u{n}", email=f"u{n}@example.com") for n in range(10)),
        )
        await running.service.worker.drain()
    await running.in_the_end()
    assert (await running.at_stripe()).keys() == {user["id"] for user in users}


async def test_existing_users_can_be_backfilled_where_stripe_is_not_set_up(running: Running) -> None:
    """Told at once, and nothing is done."""
    live = await running.backfilled("--live")
    assert (live.returncode, live.stdout) == (1, "0 made known to Stripe, 0 failed.\n")
    assert live.stderr.startswith("counterfoil: payment_provider_not_configured: ")
    assert (await running.backfilled("--delay-ms", "-1")).returncode == 2
    assert await running.at_stripe() == {}


async def test_proper_error_logging_and_monitoring(running: Running) -> None:
    user = await running.sign_up()
    fault = Fail(path="/v1/customers", times="always")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with running.service.sandbox.misbehave(fault), structlog.testing.capture_logs() as logged:
        await running.service.worker.drain()
    (line,) = [line for line in logged if line["event"] == "task_postponed"]
    assert (line["code"], line["log_level"]) == ("payment_provider_unavailable", "warning")
    assert ADA["email"] not in str(logged)
    metrics = (await running.service.api.get("/metrics")).text
    counted = 'operation="create_user_customer",result="payment_provider_unavailable"'
    assert counted in metrics
    await running.in_the_end()
    assert list(await running.at_stripe()) == [user["id"]]
