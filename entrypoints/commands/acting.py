"""For whom a command acts: the owner of the organization that is named, on the database of the service."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from application.causes import CommandLine
from domain.auth import Authenticated
from domain.errors import NotFound
from domain.ids import RequestId
from entrypoints.commands.running import container_on, run, settings_read
from entrypoints.container import Container, opened
from entrypoints.embedded import DatabaseChoice

R = TypeVar("R")

Organization = Annotated[
    str | None,
    typer.Option(
        "--organization",
        "-o",
        metavar="SLUG_OR_ID",
        help="Whose books; may be left out while there is only one organization.",
    ),
]
Live = Annotated[bool, typer.Option("--live", help="In live mode; else it is test mode.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]


def on_books(work: Callable[[Container], Awaitable[R]], *, lasting: bool = False) -> R:
    """Do it on the database that the settings lead to, with everything open.

    `lasting`: the command stays up, and others may share its server.
    """
    settings = settings_read()

    async def opened_and_done(container: Container) -> R:
        async with opened(container):
            return await work(container)

    with DatabaseChoice.of(settings).service(lasting=lasting) as database:
        return run(opened_and_done(container_on(settings, database.dsn)))


async def owner(container: Container, organization: str | None, *, live: bool) -> Authenticated:
    """Who acts. Raises NotFound `organization_not_found` and `organization_required`."""
    found = await container.store().owner(organization, livemode=live)
    if found is not None:
        return found
    if organization is None:
        raise NotFound(
            "organization_required",
            "There is not exactly one organization: say whose books with --organization SLUG_OR_ID.",
        )
    raise NotFound("organization_not_found", f"There is no organization '{organization}'.")


def cause(container: Container, command: str) -> CommandLine:
    """Why the books change: somebody ran this command."""
    return CommandLine(command, container.ids().new(RequestId))
