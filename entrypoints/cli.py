"""The command line: `counterfoil --help`."""

from importlib.metadata import version
from typing import Annotated

import typer

from entrypoints.commands.backfill import BACKFILL_EXAMPLE, backfill
from entrypoints.commands.catalog import catalog
from entrypoints.commands.demo import demo
from entrypoints.commands.doctor import doctor
from entrypoints.commands.events import events
from entrypoints.commands.inbox import inbox
from entrypoints.commands.keys import keys
from entrypoints.commands.migrate import migrate
from entrypoints.commands.organization import organization
from entrypoints.commands.reconcile import RECONCILE_EXAMPLE, reconcile
from entrypoints.commands.refusals import refusals_told
from entrypoints.commands.running import end_in_order_on_sigterm
from entrypoints.commands.serve import serve
from entrypoints.commands.settings import settings
from entrypoints.commands.worker import worker

app = typer.Typer(
    name="counterfoil",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Counterfoil keeps the books between an application and Stripe: "
    "exactly once, in whatever order the world delivers.",
    epilog="The database is the one DATABASE_URL names; without it, a PostgreSQL of Counterfoil's own, "
    "kept in COUNTERFOIL_HOME and shared by all commands. Start with `counterfoil demo`.",
)
app.command()(demo)
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.command()(settings)
app.command()(doctor)
app.command("backfill-stripe-customers", epilog=BACKFILL_EXAMPLE)(backfill)
app.command(epilog=RECONCILE_EXAMPLE)(reconcile)
app.add_typer(organization, name="organization")
app.add_typer(keys, name="keys")
app.add_typer(catalog, name="catalog")
app.add_typer(inbox, name="inbox")
app.add_typer(events, name="events")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"counterfoil {version('counterfoil')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that need no command."""


def main() -> None:
    """Run a command. What it refuses is told in one line, with exit status 1; wrong usage exits with 2."""
    end_in_order_on_sigterm()
    with refusals_told():
        app()
