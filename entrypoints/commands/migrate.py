"""`counterfoil migrate`: brings the database to the schema of this version."""

from typing import Annotated

import typer
from rich.console import Console

from entrypoints.commands.running import settings_read
from entrypoints.embedded import DatabaseChoice


def migrate(
    grant_to: Annotated[
        str | None,
        typer.Option(
            metavar="LOGIN",
            help="Let this login serve from the database. With COUNTERFOIL_LOGIN_PASSWORD it is made where "
            "there is none; without, it must exist.",
        ),
    ] = None,
) -> None:
    """Bring the database to this version's schema, as a login that may create roles and schemas.

    The embedded server is migrated by every command that uses it; one that DATABASE_URL names only by this.
    """
    settings = settings_read()
    given = settings.login_password
    report = DatabaseChoice.of(settings).migrate(grant_to, given.get_secret_value() if given else None)
    console = Console(highlight=False, markup=False)
    for name in report.applied:
        console.print(f"applied   {name}", soft_wrap=True)
    console.print(f"functions {len(report.functions)} replaced", soft_wrap=True)
    if grant_to is not None:
        console.print(f"granted   {grant_to} may serve", soft_wrap=True)
    if not report.applied:
        console.print("The schema was up to date.", soft_wrap=True)
