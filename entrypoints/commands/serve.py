"""`counterfoil serve`: the API, and beside it a worker."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from entrypoints.commands.running import container_on, settings_read
from entrypoints.commands.worker import work_on
from entrypoints.embedded import DatabaseChoice
from entrypoints.http import server
from entrypoints.http.server import Serving
from entrypoints.settings import Settings

HOST, PORT = "127.0.0.1", 8787


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = PORT,
    worker: Annotated[
        bool, typer.Option(help="Perform effects and number events in this process too.")
    ] = True,
) -> None:
    """Serve the API until Ctrl-C or SIGTERM, then finish what was begun and stop.

    Without DATABASE_URL, on a PostgreSQL of Counterfoil's own; without STRIPE_TEST_SECRET_KEY, with a sandbox
    in place of Stripe's test mode.
    """
    settings = settings_read()
    with DatabaseChoice.of(settings).service(lasting=True) as database:
        container = container_on(settings, database.dsn)

        async def working(_: Serving, stop: asyncio.Event) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(database.kept_up(stop))
                if worker:
                    group.create_task(work_on(container, stop))
                await stop.wait()

        def ready(served: Serving) -> None:
            _show(served, settings, worker=worker)

        server.serve(container, host, port, beside=working, ready=ready)


def _show(served: Serving, settings: Settings, *, worker: bool) -> None:
    where = "DATABASE_URL" if settings.database_url else f"embedded PostgreSQL in {settings.home}"
    if served.sandbox is not None:
        test = f"the sandbox at {served.sandbox.url} stands in for Stripe: there is no STRIPE_TEST_SECRET_KEY"
    else:
        test = "Stripe"
    live = "Stripe" if settings.stripe_live else "not configured: there is no STRIPE_LIVE_SECRET_KEY"
    console = Console(highlight=False)
    console.print(f"[bold green]Counterfoil listens on {served.url}[/bold green]", soft_wrap=True)
    for label, value in (
        ("database", where),
        ("test mode", test),
        ("live mode", live),
        ("worker", "in this process" if worker else "elsewhere: counterfoil worker"),
    ):
        console.print(f"  {label:<11}{value}", markup=False, soft_wrap=True)
