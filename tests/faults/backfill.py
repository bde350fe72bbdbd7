"""The backfill, interrupted, killed and run twice at once: each user ends with one customer at Stripe.

python -m tests.faults.backfill --users 10000
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from adapters.postgres.migrations import SCHEMA
from adapters.sandbox import Sandbox
from adapters.system import TypeIds
from domain.ids import UserId
from tests.databases import Database, choose, connected, running_server
from tests.entrypoints.counterfoil_process import Running, counterfoil, running

_SLUG = "acme"
_SECONDS = 3600
_WORDS = ("backfill-stripe-customers", "--delay-ms", "0")
_COLUMNS = ("organization_id", "livemode", "id", "email", "email_key", "created_at", "version")


class Figures(Struct, frozen=True):
    """What a whole run came to."""

    users: int
    statuses: dict[str, int]
    """Of each run, its exit status."""
    seconds: dict[str, float]
    at_stripe: int
    """Customers there, whoever they are for."""
    double: int
    """Users with more than one of them."""
    stored: int
    """Users whose customer at Stripe is the one in the books."""

    @property
    def passed(self) -> bool:
        """One for each, in the books, and each run ended as it should."""
        wanted = {"interrupted": 130, "killed": -signal.SIGKILL, "first": 0, "second": 0, "again": 0}
        exact = self.at_stripe == self.stored == self.users and self.double == 0
        return exact and self.statuses == wanted

    def __str__(self) -> str:
        runs = ", ".join(
            f"{name} {self.seconds[name]:.1f} s (status {status})" for name, status in self.statuses.items()
        )
        return (
            f"users={self.users} customers at Stripe={self.at_stripe} double={self.double} "
            f"in the books={self.stored}\nruns: {runs}"
        )


class Backfills:
    """Runs of the command, each a process of its own, on one database and one sandbox."""

    def __init__(self, folder: Path, settings: dict[str, str], sandbox: Sandbox) -> None:
        self.statuses: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self._folder = folder
        self._settings = settings
        self._sandbox = sandbox

    async def run(self, *names: str, until: int | None = None, asked: signal.Signals = signal.SIGINT) -> None:
        """So many at once, to their end; or asked to end, once there are so many customers."""
        began = time.perf_counter()
        with ExitStack() as stack:
            processes = [
                stack.enter_context(
                    running(self._folder / name, self._folder / "home", *_WORDS, **self._settings)
                )
                for name in names
            ]
            if until is not None:
                await self._made(until, processes)
                for one in processes:
                    one.process.send_signal(asked)
            for name, one in zip(names, processes, strict=True):
                self.statuses[name] = await asyncio.to_thread(one.process.wait, _SECONDS)
                self.seconds[name] = time.perf_counter() - began

    async def _made(self, number: int, processes: list[Running]) -> None:
        while len(users_at_stripe(self._sandbox)) < number:
            for one in processes:
                assert one.process.poll() is None, one.logged.read_text()
            await asyncio.sleep(0.01)


def users_at_stripe(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Whose each customer is, by its metadata, and its id."""
    customers = sandbox._account.books.customers
    return [(made["metadata"].get("user_id", ""), made["id"]) for made in customers.values()]


async def backfill(folder: Path, database: Database, users: int) -> Figures:
    """All runs, and what they have left."""
    async with Sandbox(deliver=False) as sandbox, connected(database.admin_dsn) as admin:
        settings = {
            "DATABASE_URL": database.service_dsn,
            "STRIPE_API_BASE": sandbox.url,
            "STRIPE_TEST_SECRET_KEY": sandbox.secret_key,
            "STRIPE_TEST_WEBHOOK_SECRET": sandbox.webhook_secret,
        }
        words = ("organization", "create", "Acme", "--owner-email", "o@acme.test", "--json")
        created = await asyncio.to_thread(counterfoil, folder / "home", *words, **settings)
        organization_id = msgspec.json.decode(created.stdout)["organization_id"]
        await filled(admin, organization_id, users - 1)  # the owner is one too
        runs = Backfills(folder, settings, sandbox)
        await runs.run("interrupted", until=users // 5)
        await runs.run("killed", until=2 * users // 5, asked=signal.SIGKILL)
        await runs.run("first", "second")
        await runs.run("again")
        made = users_at_stripe(sandbox)
        rows = await admin.fetch(f"SELECT id, stripe_customer_id FROM {SCHEMA}.users WHERE NOT livemode")
        known = {(row["id"], row["stripe_customer_id"]) for row in rows}
        times = Counter(user for user, _ in made)
        return Figures(
            users,
            runs.statuses,
            runs.seconds,
            len(made),
            sum(number > 1 for number in times.values()),
            len(known & set(made)),
        )


async def filled(admin: asyncpg.Connection, organization_id: str, users: int) -> None:
    """Users who signed up before Stripe was to know them."""
    ids = TypeIds()
    created_at = await admin.fetchval("SELECT now() - interval '30 days'")
    await admin.copy_records_to_table(
        "users",
        schema_name=SCHEMA,
        columns=_COLUMNS,
        records=[
            (organization_id, False, ids.new(UserId), f"u{n}@x.test", f"u{n}@x.test", created_at, 1)
            for n in range(users)
        ],
    )


async def _on_a_fresh_database(users: int) -> Figures:
    choice = choose()
    with running_server(choice) as server, tempfile.TemporaryDirectory() as folder:
        async with server.fresh() as database:
            return await backfill(Path(folder), database, users)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.backfill", description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    figures = asyncio.run(_on_a_fresh_database(parser.parse_args().users))
    sys.stdout.write(f"{figures}\n")
    return 0 if figures.passed else 1


if __name__ == "__main__":
    sys.exit(main())
