"""`counterfoil organization`: one opens its books, and gets its keys; or is changed."""

import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from application.causes import CommandLine
from application.organizations.create_organization import NewOrganization, OrganizationCreated
from application.organizations.update_organization import OrganizationChanges
from application.views import snapshot_of
from domain import account
from domain.errors import Rejected
from domain.ids import RequestId
from domain.text import Name
from entrypoints.commands.acting import AsJson, Organization, cause, on_books, owner
from entrypoints.commands.printing import harmless, print_json
from entrypoints.commands.running import container_on, run, settings_read
from entrypoints.container import Container, opened
from entrypoints.embedded import DatabaseChoice
from entrypoints.settings import Settings

organization = typer.Typer(no_args_is_help=True, help="Organizations, which own the books, and their keys.")

_RECEIPTS = "Whoever pays an invoice gets a receipt by mail (SMTP_URL); for what is billed from now on."
_PRINTED = ("organization_id", "user_id", "test_key", "live_key")
_RULES = {
    "name": "a name has 1 to 256 characters",
    "owner_email": "an e-mail address looks like owner@example.com, and has at most 254 characters",
    "slug": "a slug has lower-case letters, digits, - and _, at most 64, and starts with a letter or digit",
}


@organization.command()
def create(
    name: Annotated[str, typer.Argument(help="What the organization is called.")],
    owner_email: Annotated[str, typer.Option(help="Who owns it, and acts with its first keys.")],
    slug: Annotated[
        str | None, typer.Option(help="Its short name, unique in the service; else made of NAME.")
    ] = None,
    receipts: Annotated[bool, typer.Option(help=_RECEIPTS)] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")
    ] = False,
) -> None:
    """Open an organization's books, and print its ids and its two API keys: they are shown only once."""
    command = checked(name, owner_email, slug, receipts=receipts)
    settings = settings_read()
    with DatabaseChoice.of(settings).service(lasting=False) as database:
        created = run(_created(command, settings, database.dsn))
    if as_json:
        printed = {name: getattr(created, name) for name in _PRINTED}
        sys.stdout.write(msgspec.json.encode(printed).decode() + "\n")
    else:
        _show(created)


@organization.command(epilog="Example: counterfoil organization update --organization acme --receipts")
def update(
    organization: Organization = None,
    name: Annotated[str | None, typer.Option(help="What it is called from now on; its slug stays.")] = None,
    receipts: Annotated[bool | None, typer.Option(help=_RECEIPTS)] = None,
    as_json: AsJson = False,
) -> None:
    """Change an organization, and show how it stands; without an option, only that."""
    changes = OrganizationChanges(name=_name(name), sends_receipts=receipts)

    async def work(container: Container) -> account.Organization:
        auth = await owner(container, organization, live=True)
        return await container.update_organization()(changes, auth, cause(container, "organization update"))

    updated = on_books(work)
    if as_json:
        print_json(snapshot_of(updated))
        return
    console = Console(highlight=False, markup=False)
    for label, value in (
        ("organization", f"{updated.id}  ({updated.slug})"),
        ("name", harmless(updated.name)),
        ("receipts", "sent to whoever pays an invoice" if updated.sends_receipts else "not sent"),
    ):
        console.print(f"{label:<14}{value}", soft_wrap=True)


def _name(typed: str | None) -> str | None:
    if typed is None:
        return None
    try:
        return msgspec.convert(typed.strip(), Name)
    except msgspec.ValidationError as error:
        raise _invalid("name", typed) from error


def _invalid(field: str, typed: str | None) -> Rejected:
    return Rejected(f"invalid_{field}", f"{typed!r}: {_RULES[field]}.", field=field)


def checked(name: str, owner_email: str, slug: str | None, *, receipts: bool = False) -> NewOrganization:
    """What was typed, as the use case takes it. Raises Rejected `invalid_…` for what does not fit."""
    typed = {"name": name.strip(), "owner_email": owner_email.strip(), "slug": slug}
    try:
        return msgspec.convert({**typed, "sends_receipts": receipts}, NewOrganization)
    except msgspec.ValidationError as error:
        field = next(field for field in typed if f"$.{field}" in str(error))
        raise _invalid(field, typed[field]) from error


async def _created(command: NewOrganization, settings: Settings, dsn: str) -> OrganizationCreated:
    container = container_on(settings, dsn)
    async with opened(container):
        cause = CommandLine("organization create", container.ids().new(RequestId))
        return await container.create_organization()(command, cause)


def _show(created: OrganizationCreated) -> None:
    console = Console(highlight=False)
    for label, value in (
        ("organization", f"{created.organization_id}  ({created.slug})"),
        ("owner", created.user_id),
        ("test key", created.test_key),
        ("live key", created.live_key),
    ):
        console.print(f"[bold]{label:<14}[/bold]{value}", soft_wrap=True)
    console.print("[yellow]The keys are not stored and are shown only here: keep them now.[/yellow]")
