"""`kill -9` of worker, API and PostgreSQL at random, under load, with receivers that fail; afterwards every
event has reached every endpoint.

python -m tests.faults.deliveries --seconds 120 --failing 0.3
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
from contextlib import AsyncExitStack, suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec
from aiohttp import web
from msgspec import Struct

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.migrations import SCHEMA
from tests.contracts.worlds import CATALOG
from tests.databases import connected
from tests.entrypoints.counterfoil_process import Running, counterfoil, postmaster, running
from tests.faults.receivers import Unreliable

_PATIENCE_SECONDS = 120
"""Without fewer to be delivered than there ever were."""
_LOOKS_BETWEEN = 10
_ALLOWED = {"COUNTERFOIL_WEBHOOK_ALLOW_HTTP": "true", "COUNTERFOIL_WEBHOOK_ALLOW_PRIVATE": "true"}
_WHOM = ("worker", "API", "PostgreSQL")


class Figures(Struct, frozen=True):
    """What a whole run came to."""

    seed: int
    seconds: float
    kills: dict[str, int]
    acknowledged: int
    events: int
    gaps: int
    endpoints: int
    acted_on: int
    """All told, of all endpoints; what was acted on before counts again."""
    again: int
    refused: int
    forged: int
    missing: list[str]
    settled_seconds: float

    @property
    def passed(self) -> bool:
        """Each endpoint has acted on every event, and the feed has no gaps."""
        return not (self.missing or self.gaps or self.forged)

    def __str__(self) -> str:
        killed = ", ".join(f"{name} {times}" for name, times in sorted(self.kills.items()))
        figures = [
            f"seed={self.seed} {self.seconds:.0f} s, kill -9 of: {killed or 'nobody'}",
            f"acknowledged={self.acknowledged} events={self.events} gaps in the feed={self.gaps}",
            f"endpoints={self.endpoints}: acted on={self.acted_on} (of that again={self.again}) "
            f"answered with a failure={self.refused} forged={self.forged}",
            f"never delivered={len(self.missing)}, settled {self.settled_seconds:.1f} s after the load",
        ]
        return "\n".join([*figures, *self.missing[:20]])


class Processes:
    """API and worker as processes of their own, on one embedded PostgreSQL which either starts again."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.api = ""
        self._folder = folder
        self._running: dict[str, tuple[Any, Running]] = {}
        self._killed: int | None = None
        self._starts = 0

    async def start(self, whom: str) -> None:
        """API or worker."""
        words = ("serve", "--no-worker", "--port", "0") if whom == "API" else ("worker",)
        self._starts += 1
        context = running(self._folder / f"run-{self._starts}", self.home, *words, **_ALLOWED)
        started = context.__enter__()
        self._running[whom] = context, started
        shown = r"listens on (http\S+)" if whom == "API" else "(The worker runs)"
        found = await asyncio.to_thread(started.wait_for, shown)
        if whom == "API":
            self.api = found[1]

    async def kill(self, whom: str) -> bool:
        """At once, whatever it is doing, and whether it was there; PostgreSQL is started again by those who
        need it."""
        if whom == "PostgreSQL":
            return self._kill_server()
        context, running_one = self._running[whom]
        running_one.process.kill()
        await asyncio.to_thread(running_one.process.wait)
        context.__exit__(None, None, None)
        await self.start(whom)
        return True

    def _kill_server(self) -> bool:
        server = postmaster(self.home)
        if server is None or server == self._killed:  # nobody has started it again yet
            return False
        self._killed = server
        with suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)
        return True

    async def stop(self) -> None:
        """Both, in good order."""
        for context, running_one in self._running.values():
            assert await asyncio.to_thread(running_one.stop) == 0, running_one.logged.read_text()
            context.__exit__(None, None, None)


async def storm(
    folder: Path, *, seconds: float, failing: float, endpoints: int, clients: int, seed: int
) -> Figures:
    """The whole run, and the judgement."""
    random = Random(seed)  # noqa: S311
    processes = Processes(folder)
    made = counterfoil(
        processes.home, "organization", "create", "Acme", "--owner-email", "o@acme.test", "--json"
    )
    key = {"Authorization": f"Bearer {msgspec.json.decode(made.stdout)['test_key']}"}
    kills: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        receivers = [
            await _receiving(stack, Unreliable(failing, Random(seed + n)))  # noqa: S311
            for n in range(endpoints)
        ]
        for whom in ("API", "worker"):
            await processes.start(whom)
        http = await stack.enter_async_context(httpx.AsyncClient(headers=key, timeout=10))
        await _insist(http, processes, "PUT", "/v1/catalog", msgspec.to_builtins(CATALOG))
        await _settled(processes)  # what has happened so far has its number, and is for nobody
        first = [await _told(http, processes, url, receiver) for url, receiver in receivers]
        stop = asyncio.Event()
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            loads = [group.create_task(_load(http, processes, n, stop)) for n in range(clients)]
            while time.monotonic() < began + seconds:
                await asyncio.sleep(random.uniform(0.3, 3.0))  # the moment is random: nothing is waited for
                whom = random.choice(_WHOM)
                kills[whom] += await processes.kill(whom)
            stop.set()
        ended = time.monotonic()
        await _settled(processes)
        settled = time.monotonic() - ended
        feed = await _feed(http, processes)
        await processes.stop()
    missing = [
        f"endpoint {n} was never told of {event['id']} ({event['type']}, {event['sequence']})"
        for n, (_, receiver) in enumerate(receivers)
        for event in feed[first[n] :]
        if not receiver.acted_on[event["id"]]
    ]
    acted_on = sum(receiver.acted_on.total() for _, receiver in receivers)
    return Figures(
        seed, ended - began, dict(kills), sum(load.result() for load in loads), len(feed),
        sum(event["sequence"] != n for n, event in enumerate(feed, 1)), endpoints, acted_on,
        acted_on - sum(len(receiver.acted_on) for _, receiver in receivers),
        sum(receiver.refused for _, receiver in receivers), sum(one.forged for _, one in receivers),
        missing, settled,
    )  # fmt: skip


async def _receiving(stack: AsyncExitStack, receiver: Unreliable) -> tuple[str, Unreliable]:
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/hook", receiver


async def _told(http: httpx.AsyncClient, processes: Processes, url: str, receiver: Unreliable) -> int:
    """The receiver is to be told of everything; how many events there are that it need not know of."""
    before = await _feed(http, processes)
    made = await _insist(http, processes, "POST", "/v1/webhook-endpoints", {"url": url})
    receiver.secret = made["secret"]
    return len(before)


async def _load(http: httpx.AsyncClient, processes: Processes, number: int, stop: asyncio.Event) -> int:
    turn = 0
    while not stop.is_set():
        turn += 1
        body = {"external_id": f"customer-{number}-{turn}", "name": "Ada"}
        await _insist(http, processes, "POST", "/v1/customers", body)
    return turn


async def _insist(
    http: httpx.AsyncClient, processes: Processes, method: str, path: str, body: Any = None
) -> Any:
    """The first answer that is one, however often the service dies."""
    while True:
        try:
            reply = await http.request(method, processes.api + path, json=body)
            if reply.status_code < 300:
                return reply.json()
            assert reply.status_code in (409, 429) or reply.status_code >= 500, reply.text
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.05)  # between tries, as any client would pause


async def _feed(http: httpx.AsyncClient, processes: Processes) -> list[Any]:
    feed: list[Any] = []
    while True:
        after = feed[-1]["sequence"] if feed else 0
        page = (await _insist(http, processes, "GET", f"/v1/events?limit=100&after={after}"))["data"]
        if not page:
            return feed
        feed += page


async def _settled(processes: Processes) -> None:
    """Every event has its number, and nothing is to be delivered any more. Nobody waits for the next try, or
    for the leases of the dead: that these come is other tests' matter. It goes on for as long as they get
    fewer."""
    fewest, until = sys.maxsize, time.monotonic() + _PATIENCE_SECONDS
    looks = count()
    while time.monotonic() < until:
        try:
            async with connected(EmbeddedServer(processes.home).dsn(ADMIN)) as admin:
                if next(looks) % _LOOKS_BETWEEN == 0:
                    await admin.execute(
                        f"UPDATE {SCHEMA}.deliveries SET next_try_at = now() "
                        "WHERE status = 'pending' AND next_try_at > now()"
                    )
                await asyncio.sleep(0.5)
                left = await admin.fetchval(
                    f"SELECT (SELECT count(*) FROM {SCHEMA}.events WHERE sequence IS NULL) "
                    f"+ (SELECT count(*) FROM {SCHEMA}.deliveries WHERE status = 'pending')"
                )
            if left == 0:
                return
            if left < fewest:
                fewest, until = left, time.monotonic() + _PATIENCE_SECONDS
        except OSError:
            await asyncio.sleep(0.2)  # it is just being started again


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.deliveries", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--failing", type=float, default=0.3)
    parser.add_argument("--endpoints", type=int, default=3)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="counterfoil-deliveries-"))
    figures = asyncio.run(storm(folder, **vars(asked)))
    sys.stdout.write(f"{figures}\n")
    if not figures.passed:
        sys.stdout.write(f"left for you to look at: {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
