"""Webhooks that never came, and what was done in the dashboard: `counterfoil reconcile` puts it right."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest

from adapters.sandbox import Fail, Hang, RateLimit
from tests.databases import Database, DatabaseServer
from tests.entrypoints.counterfoil_process import counterfoil
from tests.entrypoints.counterfoil_process import running as started
from tests.system.service import Json, Service, running_service

SINCE = ("--since", "2020-01-01", "--delay-ms", "0")


class Reconciled:
    """A service, and the command beside it."""

    def __init__(self, service: Service, database: Database, home: Path) -> None:
        self.service = service
        self._home = home
        self.settings = {
            "DATABASE_URL": database.service_dsn,
            "STRIPE_API_BASE": service.sandbox.url,
            "STRIPE_TEST_SECRET_KEY": service.sandbox.secret_key,
            "STRIPE_TEST_WEBHOOK_SECRET": service.sandbox.webhook_secret,
        }

    async def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command, to its end."""
        return await asyncio.to_thread(counterfoil, self._home, "reconcile", *SINCE, *words, **self.settings)

    async def found(self, *words: str, expect: int = 0) -> list[Json]:
        """What it found, as JSON."""
        ended = await self.run("--json", *words)
        assert ended.returncode == expect, ended.stderr
        found: list[Json] = msgspec.json.decode(ended.stdout)["data"]
        return found


@asynccontextmanager
async def shop(server: DatabaseServer, home: Path) -> AsyncIterator[Reconciled]:
    async with server.fresh() as database, running_service(database, home) as service:
        yield Reconciled(service, database, home)


async def deliver(service: Service, share_lost: float, random: Random) -> None:
    """Some of what Stripe has to tell never comes."""
    for event in service.sandbox.take_events():
        if random.random() >= share_lost:
            assert (await service.deliver(event)).status_code == 200


async def story(service: Service, share_lost: float) -> None:
    """Payments, a decline, a card left for a subscription; then refunds in the dashboard, and a dispute."""
    random = Random(int(share_lost * 100))  # noqa: S311 (to be repeated, not to be secret)
    paid = [await service.open_checkout(quantity=number) for number in (1, 2, 3)]
    declined = await service.open_checkout()
    disputed = await service.open_checkout()
    for session in paid:
        assert await service.pay(session, "pm_card_visa") == "succeeded"
    assert await service.pay(declined, "pm_card_chargeDeclined") == "card_declined"
    assert await service.pay(disputed, "pm_card_createDispute") == "succeeded"
    subscribing = await service.open_checkout(price="pro", customer_email="ada@example.com")
    await service.buyer.v1.setup_intents.confirm_async(
        subscribing["setup_intent_id"],
        {"payment_method": "pm_card_visa", "return_url": service.page(subscribing, "/return")},
    )
    await deliver(service, share_lost, random)
    for session, amount in zip(paid, (None, 1000, 1000), strict=True):
        wanted = {"payment_intent": session["payment_intent_id"]}
        refund = await service.buyer.v1.refunds.create_async(
            wanted if amount is None else {**wanted, "amount": amount}  # type: ignore[arg-type]
        )
    service.sandbox.settle_refund(refund.id, "failed")
    dispute = (await service.buyer.v1.disputes.list_async()).data[0]
    service.sandbox.close_dispute(dispute.id, "lost")
    await deliver(service, share_lost, random)


async def books(service: Service) -> list[list[str]]:
    """How everything stands, whatever it is called."""
    await service.worker.drain()
    await deliver(service, 0, Random(0))  # noqa: S311  (what came of the charges by the worker)
    await service.worker.drain()
    shown = []
    for kind, fields in (
        ("payments", ("status", "amount", "refunded_amount", "failure_code")),
        ("purchases", ("status", "amount")),
        ("subscriptions", ("status",)),
        ("invoices", ("status", "total")),
        ("customers", ("email",)),
    ):
        rows = (await service.call("GET", f"/v1/{kind}?limit=100"))["data"]
        shown.append(sorted(str([row.get(field) for field in fields]) for row in rows))
    return shown


@pytest.mark.parametrize("share_lost", [0.5, 1.0])
async def test_what_was_lost_is_booked_and_a_second_run_finds_nothing(
    database_server: DatabaseServer, tmp_path: Path, share_lost: float
) -> None:
    async with shop(database_server, tmp_path / "whole") as whole:
        await story(whole.service, 0)
        expected = await books(whole.service)
        assert await whole.found() == []
    async with shop(database_server, tmp_path / "lossy") as lossy:
        await story(lossy.service, share_lost)
        planned = await lossy.found(expect=1)
        assert {finding["outcome"] for finding in planned} == {"found"}
        applied = await lossy.found("--apply")
        assert {finding["outcome"] for finding in applied} == {"applied"}
        assert await books(lossy.service) == expected
        assert await lossy.found("--apply") == []


@pytest.fixture
async def running(database_server: DatabaseServer, tmp_path: Path) -> AsyncIterator[Reconciled]:
    async with shop(database_server, tmp_path) as opened:
        yield opened


async def test_a_person_reads_what_differs_then_applies_it(running: Reconciled) -> None:
    session = await running.service.open_checkout()
    assert await running.service.pay(session, "pm_card_visa") == "succeeded"
    planned = await running.run()
    assert (planned.returncode, planned.stderr) == (1, "")
    assert "payment_intent.succeeded is not in the books: " in planned.stdout
    assert "payment.succeeded" in planned.stdout
    assert session["id"] in planned.stdout
    applied = await running.run("--apply")
    assert (applied.returncode, applied.stderr) == (0, "")
    assert "1 applied, 0 kept in the inbox, 0 failed, 0 for a person." in applied.stdout
    again = await running.run("--apply", "--organization", "acme")
    assert (again.returncode, again.stdout.endswith("looked at: nothing differs.\n")) == (0, True)


async def test_what_cannot_be_mended_is_told_and_no_failure_of_applying(running: Reconciled) -> None:
    await running.service.call("POST", "/v1/customers", {"external_id": "ada"}, expect=201)
    await running.service.worker.drain()
    known = (await running.service.call("GET", "/v1/customers/ada"))["stripe_customer_id"]
    assert await running.found() == []
    await running.service.buyer.v1.customers.delete_async(known)
    (finding,) = await running.found("--apply")
    assert (finding["kind"], finding["stripe_id"], finding["mends"]) == (
        "deleted_at_stripe",
        known,
        False,
    )
    assert len(await running.found(expect=1)) == 1


async def test_what_does_not_fit_is_kept_and_pointed_to(running: Reconciled) -> None:
    session = await running.service.open_checkout()
    assert await running.service.pay(session, "pm_card_visa") == "succeeded"
    await running.service.call("PUT", "/v1/catalog", {"pricing_models": []})
    (kept,) = {finding["code"] for finding in await running.found("--apply", expect=1)}
    assert kept == "no_default_pricing_model"
    again = await running.run("--apply")
    assert again.returncode == 0
    assert "wait in the inbox: counterfoil inbox list" in again.stdout


async def test_a_stripe_that_fails_half_way_is_told_and_the_next_run_goes_on(running: Reconciled) -> None:
    session = await running.service.open_checkout()
    assert await running.service.pay(session, "pm_card_visa") == "succeeded"
    with running.service.sandbox.misbehave(Fail(path="/v1/setup_intents", status=500, times="always")):
        ended = await running.run("--apply")
    assert (ended.returncode, "1 applied" in ended.stdout) == (1, True)
    assert ended.stderr.startswith("counterfoil: payment_provider_unavailable: ")
    assert await running.found("--apply") == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (RateLimit(path="/v1/setup_intents", times="always"), "payment_provider_unavailable"),
        (Fail(path="/v1/setup_intents", status=400, times="always"), "payment_provider_refused"),
    ],
    ids=["rate limit", "refused"],
)
async def test_whatever_ends_it_what_was_applied_is_told(
    running: Reconciled, fault: Fail | RateLimit, code: str
) -> None:
    session = await running.service.open_checkout()
    assert await running.service.pay(session, "pm_card_visa") == "succeeded"
    with running.service.sandbox.misbehave(fault):
        ended = await running.run("--apply", "--json")
    assert (ended.returncode, ended.stderr.startswith(f"counterfoil: {code}: ")) == (1, True)
    told = msgspec.json.decode(ended.stdout)
    assert ([finding["outcome"] for finding in told["data"]], told["complete"]) == (["applied"], False)
    assert await running.found("--apply") == []


async def test_from_when_on_there_are_events_is_told(running: Reconciled) -> None:
    ended = await running.run()
    assert "Stripe keeps events for 30 days: they were read from " in ended.stdout
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert "Stripe keeps" not in (await running.run("--since", yesterday)).stdout
    assert msgspec.json.decode((await running.run("--json")).stdout)["events_since"] is not None


async def test_a_mode_without_a_key_says_which(running: Reconciled) -> None:
    ended = await running.run("--live")
    assert (ended.returncode, ended.stdout.startswith("0 looked at")) == (1, True)
    assert ended.stderr.startswith("counterfoil: payment_provider_not_configured: ")


@pytest.mark.parametrize(
    "words",
    [
        ("--since", "yesterday"),
        ("--since", "2999-01-01"),
        ("--since", "0001-01-01T00:00:00+05:00"),
        ("--until", "2019-01-01"),
    ],
)
async def test_a_period_that_is_none_is_wrong_usage(running: Reconciled, words: tuple[str, str]) -> None:
    ended = await running.run(*words)
    assert (ended.returncode, words[0] in ended.stderr) == (2, True)


async def test_ctrl_c_ends_it_after_the_one_in_hand(running: Reconciled, tmp_path: Path) -> None:
    session = await running.service.open_checkout()
    assert await running.service.pay(session, "pm_card_visa") == "succeeded"
    with (
        running.service.sandbox.misbehave(Hang(path="/v1/payment_intents", method="GET")) as hang,
        started(tmp_path / "run", tmp_path, "reconcile", *SINCE, "--apply", **running.settings) as one,
    ):
        await hang.met()
        one.process.send_signal(signal.SIGINT)
        hang.end()
        status = await asyncio.to_thread(one.process.wait, 60)
    assert (status, one.shown.read_text().startswith("KIND")) == (130, True)
    assert "Stopped. " in one.shown.read_text()
    assert await running.found("--apply") == []


async def test_runs_at_once_beside_the_webhooks_book_everything_once(running: Reconciled) -> None:
    service = running.service
    for number in (1, 2, 3):
        session = await service.open_checkout(quantity=number)
        assert await service.pay(session, "pm_card_visa") == "succeeded"
        await service.buyer.v1.refunds.create_async(
            {"payment_intent": session["payment_intent_id"], "amount": 500}
        )
    first, second, _ = await asyncio.gather(
        running.run("--apply"),
        running.run("--apply"),
        deliver(service, 0.2, Random(1)),  # noqa: S311
    )
    assert (first.returncode, second.returncode) == (0, 0), (first.stdout, second.stdout)
    assert await running.found("--apply") == []
    paid = (await service.call("GET", "/v1/payments"))["data"]
    assert [(one["status"], one["refunded_amount"]) for one in paid] == [("succeeded", 500)] * 3
    await service.worker.drain()
    told = [event["type"] for event in (await service.call("GET", "/v1/events?limit=100"))["data"]]
    assert (told.count("payment.succeeded"), told.count("payment.refunded")) == (3, 3)


async def test_a_run_that_is_killed_is_made_up_for_by_the_next(running: Reconciled, tmp_path: Path) -> None:
    service = running.service
    session = await service.open_checkout()
    assert await service.pay(session, "pm_card_visa") == "succeeded"
    await service.buyer.v1.refunds.create_async({"payment_intent": session["payment_intent_id"]})
    with (
        service.sandbox.misbehave(Hang(path="/v1/payment_intents/", method="GET")) as hang,
        started(tmp_path / "run", tmp_path, "reconcile", *SINCE, "--apply", **running.settings) as one,
    ):
        await hang.met()  # the payment is booked, and whose the refund is has been asked
        one.process.kill()
        await asyncio.to_thread(one.process.wait, 60)
        hang.end()
    (booked,) = (await service.call("GET", "/v1/payments"))["data"]
    assert (booked["status"], booked["refunded_amount"]) == ("succeeded", 0)
    assert {finding["outcome"] for finding in await running.found("--apply")} == {"applied"}
    assert await running.found("--apply") == []
