"""The demo's process: its own PostgreSQL, the sandbox, API and worker together, and the walk through them."""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from application.causes import CommandLine
from application.organizations.create_organization import NewOrganization, OrganizationCreated
from domain.ids import RequestId
from entrypoints.commands.running import container_on, settings_read
from entrypoints.commands.worker import worker_of
from entrypoints.container import Container
from entrypoints.demo.clients import Application, Buyer, DemoFailedError
from entrypoints.demo.commands import commands_to_try
from entrypoints.demo.screen import Screen
from entrypoints.demo.walk import Walk
from entrypoints.embedded import DatabaseChoice
from entrypoints.http import server
from entrypoints.http.server import Serving
from entrypoints.settings import Settings

_NO_STRIPE = dict.fromkeys(
    f"stripe_{mode}_{what}"
    for mode in ("test", "live")
    for what in ("secret_key", "publishable_key", "webhook_secret")
)
"""Whatever the environment says: the demo never talks to Stripe itself."""


def show(*, once: bool, port: int) -> None:
    """Run the demo. Raises DemoFailedError when something that should be there is not."""
    screen = Screen()
    screen.title("Counterfoil: a stranger pays")
    screen.note("PostgreSQL, the sandbox that stands in for Stripe, API and worker start in this process …")
    settings = settings_read(database_url=None, public_url=None, log_level="error", **_NO_STRIPE)
    with _rooms(settings, once=once) as (choice, sandbox_home), choice.service(lasting=True) as database:
        private = settings.model_copy(update={"home": sandbox_home})
        container = container_on(private, database.dsn)
        playing = _Demo(container, screen, choice.home, once=once)
        server.serve(container, "127.0.0.1", port, beside=playing)
    if once:
        screen.good("Everything was as it should be. The demo is over, and has stopped what it started.")


@contextmanager
def _rooms(settings: Settings, *, once: bool) -> Iterator[tuple[DatabaseChoice, Path]]:
    """A database and a folder for the sandbox, apart from those of `serve`; with `once`, only for now."""
    choice = DatabaseChoice.of(settings)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="demo-", dir=settings.home) as folder:
        yield choice.apart(Path(folder).name if once else "demo"), Path(folder)


@dataclass(frozen=True, slots=True)
class _Demo:
    """What runs beside the server: the worker, and the walk."""

    container: Container
    screen: Screen
    home: Path
    once: bool

    async def __call__(self, served: Serving, stop: asyncio.Event) -> None:
        over = asyncio.Event()
        working = asyncio.create_task(worker_of(self.container).run(over))
        try:
            await _unless_stopped(self._walk(served), stop)
            if not self.once:
                await stop.wait()
        finally:
            over.set()
            await working

    async def _walk(self, served: Serving) -> None:
        if served.sandbox is None:
            raise DemoFailedError("the sandbox did not stand in for Stripe")
        organization = await self._organization()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            application = Application(http, served.url, organization.test_key)
            buyer = Buyer(http, served.sandbox.url, served.sandbox.publishable_key)
            await Walk(application, buyer, self.screen)(organization)
        if not self.once:
            sandbox = served.sandbox
            words = commands_to_try(served.url, organization.test_key, sandbox.url, sandbox.publishable_key)
            self.screen.good(f"The demo stays up, at {served.url}. Try, in another terminal:")
            self.screen.plain(words)
            self.screen.note(f"Its database: COUNTERFOIL_HOME={self.home}    Ctrl-C ends the demo.")

    async def _organization(self) -> OrganizationCreated:
        cause = CommandLine("demo", self.container.ids().new(RequestId))
        slug = f"demo-{cause.request_id[-12:]}"
        command = NewOrganization(name="Ada's Bookshop", owner_email="owner@example.com", slug=slug)
        return await self.container.create_organization()(command, cause)


async def _unless_stopped(walk: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    walking, stopping = asyncio.create_task(walk), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((walking, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not walking.done():
            raise DemoFailedError("it was stopped before its end")
        walking.result()
    finally:
        for task in (walking, stopping):
            task.cancel()
        await asyncio.gather(walking, stopping, return_exceptions=True)
