"""`backfill-stripe-customers`, as a person sees it at a terminal."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from adapters.postgres.migrations import SCHEMA
from adapters.sandbox import Fail, Hang
from tests.databases import Database, connected
from tests.entrypoints.counterfoil_process import _COMMAND, _HERE, counterfoil, environment
from tests.faults.backfill import filled
from tests.system.service import Service

_WORDS = ("backfill-stripe-customers", "--delay-ms", "0")


@pytest.fixture
def settings(service: Service, fresh_database: Database) -> dict[str, str]:
    return {
        "DATABASE_URL": fresh_database.service_dsn,
        "STRIPE_API_BASE": service.sandbox.url,
        "STRIPE_TEST_SECRET_KEY": service.sandbox.secret_key,
        "STRIPE_TEST_WEBHOOK_SECRET": service.sandbox.webhook_secret,
    }


@contextmanager
def at_a_terminal(home: Path, settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command, and the end of the terminal at which it is looked at."""
    watched, terminal = os.openpty()
    with subprocess.Popen(  # noqa: S603
        [*_COMMAND, *_WORDS],
        cwd=_HERE,
        env=environment(home, COLUMNS="100", **settings),
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    ) as process:
        os.close(terminal)
        try:
            yield process, watched
        finally:
            os.close(watched)


def everything_shown(watched: int) -> str:
    """Until nobody writes there any more."""
    shown = b""
    with suppress(OSError):  # so a terminal ends
        while part := os.read(watched, 4096):
            shown += part
    return shown.decode()


async def test_it_shows_how_far_it_is_and_what_came_of_it(
    service: Service, settings: dict[str, str], tmp_path: Path
) -> None:
    for number in range(4):
        await service.call("POST", "/v1/users", {"email": f"u{number}@example.com"}, expect=201)
    with at_a_terminal(tmp_path, settings) as (process, watched):
        shown = await asyncio.to_thread(everything_shown, watched)
        said, _ = await asyncio.to_thread(process.communicate)
    assert (process.returncode, said) == (0, "5 made known to Stripe, 0 failed.\n")
    assert "5/5" in shown
    assert "100%" in shown
    assert "@" not in shown


async def test_ctrl_c_ends_it_after_the_one_in_hand(
    service: Service, settings: dict[str, str], tmp_path: Path
) -> None:
    for number in range(4):
        await service.call("POST", "/v1/users", {"email": f"u{number}@example.com"}, expect=201)
    with at_a_terminal(tmp_path, settings) as (process, watched):
        with service.sandbox.misbehave(Hang(path="/v1/customers", method="POST", skip=2)) as hang:
            await hang.met()
            process.send_signal(signal.SIGINT)
        await asyncio.to_thread(everything_shown, watched)
        said, _ = await asyncio.to_thread(process.communicate)
    assert (process.returncode, said) == (130, "Stopped. 2 made known to Stripe, 0 failed.\n")
    assert len(await service.customers_at_stripe()) == 2


async def test_who_fails_is_met_once_however_many_they_are(
    service: Service, settings: dict[str, str], fresh_database: Database, tmp_path: Path
) -> None:
    async with connected(fresh_database.admin_dsn) as admin:
        organization_id = await admin.fetchval(f"SELECT organization_id FROM {SCHEMA}.organizations")
        await filled(admin, organization_id, 120)
    with service.sandbox.misbehave(Fail(path="/v1/customers", status=400, times="always")):
        ended = await asyncio.to_thread(counterfoil, tmp_path, *_WORDS, **settings)
    assert (ended.returncode, ended.stdout) == (1, "0 made known to Stripe, 121 failed.\n")
    told = [line.split() for line in ended.stderr.splitlines()]
    assert {code for _, code in told} == {"payment_provider_refused"}
    assert len({user for user, _ in told}) == len(told) == 121
