"""`counterfoil doctor`: is everything as it has to be?"""

import typer
from rich.console import Console

from entrypoints.commands.acting import AsJson
from entrypoints.commands.printing import harmless, print_json
from entrypoints.commands.running import container_on, run, settings_read
from entrypoints.container import Container, opened
from entrypoints.doctor import Finding, examined
from entrypoints.embedded import DatabaseChoice, DatabaseSetupError
from entrypoints.settings import InvalidSettings, Settings

_SIGNS = {"well": "[green]✓[/green]", "note": "[yellow]·[/yellow]", "ill": "[red]✗[/red]"}


def doctor(as_json: AsJson = False) -> None:
    """Examine settings, database, worker, Stripe, webhooks, proxies, clocks and mail. Changes nothing.

    Exits with 1 when something is ill: then it does not work, and it is said what to do.
    """
    findings = _found()
    if as_json:
        print_json({"data": findings})
    else:
        console = Console(highlight=False)
        for finding in findings:
            console.print(_SIGNS[finding.health], end=" ")
            console.print(f"{finding.what:<18}{harmless(finding.says)}", markup=False, soft_wrap=True)
    if any(finding.health == "ill" for finding in findings):
        raise typer.Exit(1)


def _found() -> list[Finding]:
    try:
        settings = settings_read()
    except InvalidSettings as error:
        return [Finding("settings", "ill", line) for line in str(error).splitlines()]
    well = Finding("settings", "well", "can be used as they are")
    try:
        with DatabaseChoice.of(settings).service(lasting=False) as database:
            return [well, *run(_examined(container_on(settings, database.dsn), settings))]
    except DatabaseSetupError as error:
        return [well, Finding("database", "ill", str(error))]


async def _examined(container: Container, settings: Settings) -> list[Finding]:
    async with opened(container):
        return [finding async for finding in examined(container, settings)]
