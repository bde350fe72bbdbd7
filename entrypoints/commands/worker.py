"""`counterfoil worker`: effects, the events' numbers and deliveries, apart from the API."""

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated

import typer
from rich.console import Console

from entrypoints.commands.running import container_on, run, settings_read, stop_signal
from entrypoints.container import Container, opened
from entrypoints.embedded import DatabaseChoice, ServiceDatabase
from entrypoints.http.watching import watched
from entrypoints.settings import Settings
from entrypoints.worker import Worker


def worker(
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Answer /health and /metrics there; 0 takes any that is free."),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(help="The address to answer /health and /metrics at.")
    ] = "127.0.0.1",
) -> None:
    """Perform effects, number events and deliver them, apart from the API; any number of workers may run at
    once.

    `counterfoil serve` has one inside. The sandbox lives inside `serve`, so that a worker of its own needs
    STRIPE_TEST_SECRET_KEY for test mode: without it, effects wait.
    """
    settings = settings_read()
    with DatabaseChoice.of(settings).service(lasting=True) as database:
        run(_work(settings, database, metrics_host, metrics_port))


async def _work(settings: Settings, database: ServiceDatabase, host: str, port: int | None) -> None:
    stop = stop_signal()
    container = container_on(settings, database.dsn)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(opened(container))
        console = Console(highlight=False)
        console.print("[bold]The worker runs[/bold]; Ctrl-C stops it.", soft_wrap=True)
        for mode, configured in (("test", settings.stripe_test), ("live", settings.stripe_live)):
            if configured is None:
                key = f"STRIPE_{mode.upper()}_SECRET_KEY"
                console.print(f"[yellow]{mode} mode: no {key}, so its effects wait.[/yellow]", soft_wrap=True)
        if port is not None:
            url = await stack.enter_async_context(watched(container, host, port))
            console.print(f"  health and metrics at {url}", markup=False, soft_wrap=True)
        await asyncio.gather(database.kept_up(stop), work_on(container, stop))


async def work_on(container: Container, stop: asyncio.Event) -> None:
    """The worker, and the rounds that it makes, until `stop` is set."""
    await asyncio.gather(worker_of(container).run(stop), container.reconcile_rounds().run(stop))


def worker_of(container: Container) -> Worker:
    """A worker on the adapters of this container, which must be open."""
    store = container.worker_store()
    worker = Worker(
        store,
        store,
        store,
        container.effects(),
        container.inbox_retries(),
        container.deliveries(),
        container.clock(),
        keep_events=container.settings().keep_events,
    )
    container.metrics().read_tasks_running(lambda: worker.tasks_running)
    return worker
