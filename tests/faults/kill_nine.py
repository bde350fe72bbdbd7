"""`kill -9` of the service or of PostgreSQL at random moments under load; afterwards, nothing may be missing.

python -m tests.faults.kill_nine --rounds 50
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from statistics import median

import httpx
import msgspec
from msgspec import Struct

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.migrations import SCHEMA
from adapters.sandbox.sandbox import random_letters
from adapters.sandbox.snapshot import open_books
from adapters.sandbox.state import Books as StripeBooks
from domain.effects import RenewSubscription
from tests.contracts.worlds import CATALOG
from tests.databases import connected
from tests.entrypoints.counterfoil_process import Running, counterfoil, postmaster, running
from tests.faults.audit import Findings, audited
from tests.faults.inspection import Inspection, inspected
from tests.faults.load import Address, Load

_SETTLED_SECONDS = 180
_SLUG = "acme"
_NO_RENEWAL = "effect ->> 'type' <> 'renew_subscription'"
"""Periods end when they end."""


class Figures(Struct, frozen=True):
    """What a whole run came to."""

    seed: int
    rounds: int
    kills: dict[str, int]
    customers: int
    sessions: int
    payments: int
    plans: int
    events: int
    restart_seconds: list[float]
    """From the kill to the next request that was acknowledged."""
    findings: Findings

    @property
    def passed(self) -> bool:
        """Nothing is lost, half, or twice."""
        return not (self.findings.lost or self.findings.half or self.findings.twice_at_stripe)

    def __str__(self) -> str:
        found = self.findings
        killed = ", ".join(f"{name} {times}" for name, times in sorted(self.kills.items()))
        acknowledged = self.customers + self.sessions + self.payments + self.plans
        figures = [
            f"seed={self.seed} rounds={self.rounds} kill -9 of: {killed}",
            f"acknowledged={acknowledged} (customers {self.customers}, checkout sessions {self.sessions}, "
            f"payments {self.payments}, subscriptions {self.plans}), events in the feed={self.events}",
            f"lost={len(found.lost)} half={len(found.half)} "
            f"not exactly once at Stripe={len(found.twice_at_stripe)}",
            f"restarts: median {median(self.restart_seconds):.2f} s, "
            f"longest {max(self.restart_seconds):.2f} s",
        ]
        return "\n".join([*figures, *found.lost[:20], *found.half[:20], *found.twice_at_stripe[:20]])


class Victim:
    """A real `counterfoil serve` with its own PostgreSQL and its sandbox, to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.address = Address()
        self._folder = folder
        self._starts = 0
        self._running: Running | None = None

    async def start(self) -> None:
        """Serve, at whichever port is free: clients look the address up."""
        self._starts += 1
        self._context = running(self._folder / f"run-{self._starts}", self.home, "serve", "--port", "0")
        self._running = self._context.__enter__()
        self.address.api = (await asyncio.to_thread(self._running.wait_for, r"listens on (http\S+)"))[1]
        self.address.stripe = (await asyncio.to_thread(self._running.wait_for, r"sandbox at (http\S+)"))[1]

    async def stop(self) -> None:
        """End it in good order."""
        assert self._running is not None
        assert await asyncio.to_thread(self._running.stop) == 0, self._running.logged.read_text()
        self._context.__exit__(None, None, None)

    async def kill(self, whom: str) -> None:
        """At once, whatever it is doing; the service is started again, and starts PostgreSQL by itself."""
        assert self._running is not None
        server = postmaster(self.home)
        if whom in ("PostgreSQL", "both") and server is not None:
            os.kill(server, signal.SIGKILL)
        if whom in ("service", "both"):
            self._running.process.kill()
            self._running.process.wait()
            self._context.__exit__(None, None, None)
            await self.start()

    def stripe(self) -> StripeBooks:
        """All that the sandbox keeps."""
        return open_books(self.home / "sandbox.json", random_letters)


async def kill_nine(folder: Path, *, rounds: int, clients: int, seed: int) -> Figures:
    """All rounds, and then the judgement."""
    random = Random(seed)  # noqa: S311
    victim = Victim(folder)
    made = counterfoil(
        victim.home, "organization", "create", "Acme", "--owner-email", "o@acme.test", "--json"
    )
    key = msgspec.json.decode(made.stdout)["test_key"]
    await victim.start()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as api:
        catalog = await api.put(f"{victim.address.api}/v1/catalog", json=msgspec.to_builtins(CATALOG))
        assert catalog.status_code == 200, catalog.text
    load = Load(victim.address, key, lambda: victim.stripe().publishable_key, Random(seed + 1))  # noqa: S311
    kills: Counter[str] = Counter()
    seconds: list[float] = []
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(clients, stop))
        for number in range(rounds):
            await load.next_acknowledgement()
            await asyncio.sleep(random.uniform(0.0, 1.5))  # the moment is random: nothing is waited for
            whom = ("service", "PostgreSQL", "both")[number % 3]
            kills[whom] += 1
            began = time.perf_counter()
            await victim.kill(whom)
            await load.next_acknowledgement()
            seconds.append(time.perf_counter() - began)
        stop.set()
    await victim.stop()
    await victim.start()
    books = await _settled(victim)
    feed = await _feed(victim.address.api, key)
    await victim.stop()
    findings = audited(books, load.acknowledged, victim.stripe(), feed)
    known = load.acknowledged
    return Figures(
        seed, rounds, dict(kills), len(known.customers), len(known.sessions), len(known.payments),
        len(known.plans), len(feed), seconds, findings,
    )  # fmt: skip


async def _settled(victim: Victim) -> Inspection:
    """The books, once Stripe has told all and the worker has done all; or when that takes too long."""
    deadline = time.monotonic() + _SETTLED_SECONDS
    async with connected(EmbeddedServer(victim.home).dsn(ADMIN)) as admin:
        # The dead hold leases for a minute yet; that they end is other tests' matter.
        await admin.execute(
            f"UPDATE {SCHEMA}.tasks SET due_at = now() WHERE due_at > now() AND {_NO_RENEWAL}"
        )
        while True:
            told = not victim.stripe().undelivered
            books = await inspected(admin, _SLUG)
            numbered = all(event.sequence is not None for event in books.events)
            done = all(isinstance(task.effect, RenewSubscription) for task in books.tasks)
            if (told and numbered and done) or time.monotonic() > deadline:
                return books
            await asyncio.sleep(0.5)


async def _feed(api: str, key: str) -> list[int]:
    numbers: list[int] = []
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        while page := (await http.get(f"{api}/v1/events?limit=100&after={len(numbers)}")).json()["data"]:
            numbers += [event["sequence"] for event in page]
    return numbers


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill_nine", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="counterfoil-kill-nine-"))
    figures = asyncio.run(kill_nine(folder, rounds=asked.rounds, clients=asked.clients, seed=asked.seed))
    sys.stdout.write(f"{figures}\n")
    if not figures.passed:
        sys.stdout.write(f"left for you to look at: {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
