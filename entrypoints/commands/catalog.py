"""`counterfoil catalog`: what is sold, kept in a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from application.catalog.apply_catalog import CatalogApplied
from domain.catalog_document import CatalogDocument, document_of
from domain.errors import Rejected
from entrypoints.commands.acting import AsJson, Live, Organization, cause, on_books, owner
from entrypoints.commands.catalog_files import exported, in_file, read_catalog
from entrypoints.commands.printing import print_columns, print_json
from entrypoints.commands.refusals import refusals_told
from entrypoints.container import Container

catalog = typer.Typer(
    no_args_is_help=True,
    help="The catalog, as one document in a file: the one that PUT /v1/catalog takes, in TOML or JSON.",
    epilog="Example: counterfoil catalog export > shop.json; edit it; counterfoil catalog diff shop.json; "
    "counterfoil catalog apply shop.json",
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .toml or .json.")]


@catalog.command(epilog="Example: counterfoil catalog apply shop.toml --organization acme --dry-run")
def apply(
    file: File,
    organization: Organization = None,
    live: Live = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the catalog what FILE says. What is not in it is archived; applying it twice changes nothing.

    A price that is changed becomes a new price: what was sold at the old one stays.
    """
    _show(_applied(file, organization, live=live, dry_run=dry_run), as_json=as_json)


@catalog.command(epilog="Example: counterfoil catalog diff shop.toml || counterfoil catalog apply shop.toml")
def diff(file: File, organization: Organization = None, live: Live = False, as_json: AsJson = False) -> None:
    """Say what applying FILE would change: exit status 0 when that is nothing, 1 when it is something,
    and 2 when it cannot be said.
    """
    with refusals_told(status=2):
        applied = _applied(file, organization, live=live, dry_run=True)
    _show(applied, as_json=as_json)
    if applied.changes:
        raise typer.Exit(1)


@catalog.command(epilog="Example: counterfoil catalog export --organization acme > catalog.json")
def export(organization: Organization = None, live: Live = False) -> None:
    """Print the catalog as JSON (TOML is only read), without ids: to be changed and applied again, or applied
    to the other mode or another organization.
    """

    async def work(container: Container) -> CatalogDocument:
        auth = await owner(container, organization, live=live)
        return document_of(await container.store().catalog(auth))

    print_json(exported(on_books(work)), indent=2)


def _applied(file: Path, organization: str | None, *, live: bool, dry_run: bool) -> CatalogApplied:
    document = read_catalog(file)

    async def work(container: Container) -> CatalogApplied:
        auth = await owner(container, organization, live=live)
        because = cause(container, "catalog apply")
        return await container.apply_catalog()(document, auth, because, dry_run=dry_run)

    try:
        return on_books(work)
    except Rejected as refusal:
        raise in_file(file, refusal) from refusal


def _show(applied: CatalogApplied, *, as_json: bool) -> None:
    if as_json:
        print_json(applied)
    elif applied.changes:
        head = "WOULD BE" if applied.dry_run else "WAS"
        print_columns((head, "TYPE", "SLUG"), [(c.action, c.type, c.slug) for c in applied.changes])
    else:
        Console().print("The catalog is as the file says: nothing changes.", soft_wrap=True)
