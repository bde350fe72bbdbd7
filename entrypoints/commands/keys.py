"""`counterfoil keys`: the API keys of an organization."""

from typing import Annotated

import typer
from rich.console import Console

from application.organizations.create_api_key import ApiKeyCreated
from application.views import snapshot_of
from domain.account import ApiKey
from domain.ids import ApiKeyId
from entrypoints.commands.acting import AsJson, Live, Organization, cause, on_books, owner
from entrypoints.commands.printing import at, print_columns, print_json
from entrypoints.container import Container

keys = typer.Typer(
    no_args_is_help=True,
    help="API keys: make one, see which there are, revoke one.",
    epilog="To roll a key: `keys create`, give the new one to your application, `keys revoke` the old one.",
)


@keys.command(epilog="Example: counterfoil keys create --organization acme --live --json")
def create(organization: Organization = None, live: Live = False, as_json: AsJson = False) -> None:
    """Make a key for the organization's owner. Its secret is shown only once, here."""

    async def work(container: Container) -> ApiKeyCreated:
        auth = await owner(container, organization, live=live)
        return await container.create_api_key()(auth, cause(container, "keys create"))

    created = on_books(work)
    if as_json:
        print_json({**snapshot_of(created.key), "secret": created.secret})
        return
    console = Console(highlight=False)
    for label, value in (("key", created.key.id), ("mode", _mode(created.key)), ("secret", created.secret)):
        console.print(f"[bold]{label:<14}[/bold]{value}", soft_wrap=True)
    console.print("[yellow]The secret is not stored and is shown only here: keep it now.[/yellow]")


@keys.command("list", epilog="Example: counterfoil keys list --organization acme")
def show(organization: Organization = None, live: Live = False, as_json: AsJson = False) -> None:
    """List the keys of one mode, oldest first, revoked ones too. The hint is the end of the secret."""

    async def work(container: Container) -> list[ApiKey]:
        return list(await container.store().api_keys(await owner(container, organization, live=live)))

    found = on_books(work)
    if as_json:
        print_json({"data": [snapshot_of(key) for key in found]})
        return
    print_columns(
        ("ID", "HINT", "MODE", "CREATED", "REVOKED"),
        [(key.id, f"…{key.hint}", _mode(key), at(key.created_at), at(key.revoked_at)) for key in found],
    )


@keys.command(epilog="Example: counterfoil keys revoke key_01m7yngbp4ehrthq2h87cabhk2 --organization acme")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="key_…, as `keys list` shows it.")],
    organization: Organization = None,
    live: Live = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a key by its id: requests with it are answered 401, within 5 seconds at the latest.

    Revoking it again changes nothing.
    """

    async def work(container: Container) -> ApiKey:
        auth = await owner(container, organization, live=live)
        return await container.revoke_api_key()(ApiKeyId(key_id), auth, cause(container, "keys revoke"))

    revoked = on_books(work)
    if as_json:
        print_json(snapshot_of(revoked))
        return
    console = Console(highlight=False, markup=False)
    console.print(f"{revoked.id} was revoked at {at(revoked.revoked_at)}.", soft_wrap=True)


def _mode(key: ApiKey) -> str:
    return "live" if key.livemode else "test"
