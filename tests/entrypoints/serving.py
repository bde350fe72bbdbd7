"""A service that runs, one for a module's tests, and the commands that are run beside it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.inbox_tries import GIVEN_UP_AFTER
from domain.account import secret_hash
from domain.catalog_document import CatalogDocument
from domain.intent import Attempt
from entrypoints.embedded import DatabaseChoice
from tests.contracts.worlds import CATALOG, NOON, REQUEST, World, fact_of
from tests.entrypoints.counterfoil_process import counterfoil, running


@dataclass(frozen=True)
class Service:
    """Where it is served, whose home it is, and the first organization, `acme`."""

    url: str
    home: Path
    organization_id: str
    test_key: str

    def told(self, *words: str, status: int = 0) -> str:
        """What a command prints that ends with this status, and has nothing to say on standard error."""
        ended = counterfoil(self.home, *words)
        assert (ended.returncode, ended.stderr) == (status, ""), ended
        return ended.stdout

    def json(self, *words: str, status: int = 0) -> Any:
        """The same, of a command that prints JSON."""
        return msgspec.json.decode(self.told(*words, "--json", status=status))

    def refused(self, *words: str, status: int = 1) -> str:
        """The one line on standard error of a command that fails."""
        ended = counterfoil(self.home, *words)
        assert (ended.returncode, ended.stdout) == (status, ""), ended
        (line,) = ended.stderr.splitlines()
        return line

    def kept_in_the_inbox(self, event_id: str) -> None:
        """Somebody who has no account pays and then there is no pricing model. It came so long ago that it is
        not tried again by itself: the worker of the service leaves it to the command."""

        async def pay(dsn: str) -> None:
            async with open_pool(dsn, APP) as app, open_pool(dsn, WORKER) as worker:
                world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
                auth = await world.store.by_api_key(secret_hash(self.test_key))
                assert auth is not None
                await world.apply_catalog(CATALOG, auth, REQUEST)
                session = await world.session(auth)
                await world.apply_catalog(CatalogDocument(), auth, REQUEST)
                fact = fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded")
                world.clock.set(NOON + GIVEN_UP_AFTER)
                assert (await world.report(fact, event_id)).refusal == "no_default_pricing_model"

        with DatabaseChoice(None, self.home).service(lasting=False) as database:
            asyncio.run(pay(database.dsn))

    def get(self, path: str, key: str | None = None) -> httpx.Response:
        """What the API answers to whoever has this key, or acme's test key."""
        return httpx.get(f"{self.url}{path}", headers={"authorization": f"Bearer {key or self.test_key}"})


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    """`counterfoil serve`, in a home of its own, with one organization, for as long as the block runs."""
    home = folder / "home"
    with running(folder, home, "serve", "--port", "0") as server:
        url = server.wait_for(r"listens on (\S+)")[1]
        made = counterfoil(
            home, "organization", "create", "Acme", "--owner-email", "owner@acme.test", "--json"
        )
        created = msgspec.json.decode(made.stdout)
        yield Service(url, home, created["organization_id"], created["test_key"])
        assert server.stop() == 0
