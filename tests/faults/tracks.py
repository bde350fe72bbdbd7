"""Usage under load, while the service is killed and its connections are cut; afterwards every unit is there.

python -m tests.faults.tracks --tracks 10000 --balances 50
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import asyncpg
import httpx
import msgspec
from msgspec import Struct

from domain.catalog_document import (
    CatalogDocument,
    CreditRateEntry,
    FeatureEntry,
    PricingModelEntry,
    ProductEntry,
    ProductFeatureEntry,
)
from tests.databases import SERVICE, Database, choose, connected, running_server
from tests.entrypoints.counterfoil_process import Running, counterfoil, running
from tests.faults.load import Address
from tests.faults.reckoning import reckoned, usage_books
from tests.faults.tracking import COSTS, Trackers, tracks

_CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = $1 AND (state = 'active' OR random() < 0.5)
"""


class Storm(Struct, frozen=True):
    """How much is recorded, and what happens meanwhile."""

    tracks: int
    balances: int
    """Two for each customer: their messages, and the credits that pay for more of them, and for images."""
    connections: int
    kills: int
    """`kill -9` of the service."""
    cuts: int
    """Of all busy connections to the database, and half of the others."""
    seed: int

    @property
    def customers(self) -> int:
        """Who own the balances."""
        return self.balances // 2


class Reckoning(Struct, frozen=True):
    """What a whole run came to."""

    storm: Storm
    recorded: int
    units: int
    refused: int
    tries: int
    connections_cut: int
    replayed: int
    entries: int
    resets: int
    seconds: float
    wrong: list[str]

    @property
    def passed(self) -> bool:
        """Every answer is kept, and nothing else is booked."""
        return not self.wrong and self.replayed == self.recorded

    def __str__(self) -> str:
        storm = self.storm
        figures = [
            f"seed={storm.seed} tracks={storm.tracks} balances={storm.balances} "
            f"connections={storm.connections}: {self.seconds:.1f} s",
            f"kill -9 of the service: {storm.kills}; database connections cut: {self.connections_cut} "
            f"at {storm.cuts} moments",
            f"acknowledged: recorded={self.recorded} ({self.units} units) refused={self.refused}, "
            f"in {self.tries} tries",
            f"answered the same again: {self.replayed} of {self.recorded}",
            f"entries={self.entries} (new periods {self.resets}), wrong={len(self.wrong)}",
        ]
        return "\n".join([*figures, *self.wrong[:20]])


class Service:
    """A real `counterfoil serve` on a database that outlives it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.address = Address()
        self.home = folder / "home"
        self._folder = folder
        self._where = {"DATABASE_URL": database.service_dsn}
        self._starts = 0

    def key_of_new_organization(self) -> str:
        """Its secret for test mode."""
        words = ("organization", "create", "Acme", "--owner-email", "o@acme.test", "--json")
        made = counterfoil(self.home, *words, **self._where)
        assert made.returncode == 0, made.stderr
        key: str = msgspec.json.decode(made.stdout)["test_key"]
        return key

    async def start(self) -> None:
        """Serve, at whichever port is free: clients look the address up."""
        self._starts += 1
        run = self._folder / f"run-{self._starts}"
        self._context = running(run, self.home, "serve", "--port", "0", **self._where)
        self._running: Running = self._context.__enter__()
        self.address.api = (await asyncio.to_thread(self._running.wait_for, r"listens on (http\S+)"))[1]

    async def kill(self) -> None:
        """At once, whatever it is doing: what it has asked of the database goes on there. Then start it."""
        self._running.process.kill()
        self._running.process.wait()
        self._context.__exit__(None, None, None)
        await self.start()

    async def stop(self) -> None:
        """End it in good order."""
        assert await asyncio.to_thread(self._running.stop) == 0, self._running.logged.read_text()
        self._context.__exit__(None, None, None)


async def weather(storm: Storm, folder: Path, database: Database) -> Reckoning:
    """The whole storm, and then the reckoning."""
    random = Random(storm.seed)  # noqa: S311
    service = Service(folder, database)
    key = service.key_of_new_organization()
    await service.start()
    await _introduce(service.address.api, key, storm)
    trackers = Trackers(service.address, key)
    wanted = tracks(storm.tracks, storm.customers, random)
    began = time.perf_counter()
    async with connected(database.admin_dsn) as admin:
        async with asyncio.TaskGroup() as group:
            group.create_task(trackers.run(wanted, storm.connections))
            cut = group.create_task(_strike(storm, trackers, service, admin, random))
        seconds = time.perf_counter() - began
        tries = trackers.answered.tries
        replayed = await trackers.ask_again(wanted, storm.connections)
        await service.stop()
        books = await usage_books(admin)
    entries = [entry for balance in books.balances for entry in balance.entries]
    recorded = trackers.answered.recorded
    return Reckoning(
        storm,
        recorded=len(recorded),
        units=sum(reply["recorded"] for reply in recorded.values()),
        refused=len(trackers.answered.refused),
        tries=tries,
        connections_cut=cut.result(),
        replayed=replayed,
        entries=len(entries),
        resets=sum(entry.kind == "reset" for entry in entries),
        seconds=seconds,
        wrong=reckoned(books, trackers.answered),
    )


async def _strike(
    storm: Storm, trackers: Trackers, service: Service, admin: asyncpg.Connection, random: Random
) -> int:
    """At random moments of the work; how many connections were cut."""
    what = ["kill"] * storm.kills + ["cut"] * storm.cuts
    random.shuffle(what)
    connections = 0
    for moment, strike in zip(sorted(random.sample(range(storm.tracks), len(what))), what, strict=True):
        await trackers.until(moment)
        if strike == "kill":
            await service.kill()
        else:
            connections += await admin.fetchval(_CUT, SERVICE)
    return connections


async def _introduce(api: str, key: str, storm: Storm) -> None:
    async with httpx.AsyncClient(
        base_url=api, headers={"Authorization": f"Bearer {key}"}, timeout=30
    ) as http:
        catalog = msgspec.to_builtins(_catalog(2 * storm.tracks // storm.customers))
        replies = [await http.put("/v1/catalog", json=catalog)]
        for number in range(storm.customers):
            replies.append(await http.post("/v1/customers", json={"external_id": f"customer-{number}"}))
        for reply in replies:
            assert reply.status_code in (200, 201), reply.text


def _catalog(units: int) -> CatalogDocument:
    """Everyone has so many messages each minute, and as many credits for what is more; few have enough."""
    rates = tuple(CreditRateEntry(slug=slug, cost=cost) for slug, cost in COSTS.items())
    free = ProductEntry(
        slug="free",
        name="Free",
        is_default=True,
        features=(
            ProductFeatureEntry(slug="messages", included=units, reset="minute"),
            ProductFeatureEntry(slug="credits", included=2 * units),
        ),
    )
    return CatalogDocument(
        features=(
            FeatureEntry(slug="messages", name="Messages", type="metered"),
            FeatureEntry(slug="images", name="Images", type="metered"),
            FeatureEntry(slug="credits", name="Credits", type="credit", credit_rates=rates),
        ),
        pricing_models=(
            PricingModelEntry(slug="standard", name="Standard", is_default=True, products=(free,)),
        ),
    )


async def _weathered(storm: Storm, folder: Path) -> Reckoning:
    with running_server(choose()) as server:
        async with server.fresh() as database:
            return await weather(storm, folder, database)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.tracks", description=__doc__)
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--balances", type=int, default=50)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--cuts", type=int, default=24)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    storm = msgspec.convert(vars(parser.parse_args()), Storm)
    with tempfile.TemporaryDirectory(prefix="counterfoil-tracks-") as folder:
        reckoning = asyncio.run(_weathered(storm, Path(folder)))
    sys.stdout.write(f"{reckoning}\n")
    return 0 if reckoning.passed else 1


if __name__ == "__main__":
    sys.exit(main())
