"""`counterfoil inbox`: what Stripe told us and did not fit; to be looked at, put right, and tried again."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from application.operator_ports import Inbox, InboxRow
from domain.errors import Conflict, NotFound, Rejected, Unavailable
from entrypoints.commands.acting import AsJson, on_books
from entrypoints.commands.printing import at, harmless, print_columns, print_json
from entrypoints.container import Container

inbox = typer.Typer(
    no_args_is_help=True,
    help="What Stripe told us and could not be booked, of every organization: it waits here until it fits.",
    epilog="Example: counterfoil inbox list; counterfoil inbox show evt_1Q…; put right what was wrong, such "
    "as a missing default pricing model; counterfoil inbox retry evt_1Q…",
)

_PAGE = 100
EventId = Annotated[str, typer.Argument(metavar="ID", help="Stripe's id of the event: evt_…")]


@inbox.command("list", epilog="Example: counterfoil inbox list --json")
def show_all(
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="How many at most, up to 10000.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """List what is not handled, in the order in which it came."""

    async def work(container: Container) -> list[InboxRow]:
        return list(await container.worker_store().unhandled(limit + 1))

    rows = on_books(work)
    shown, more = rows[:limit], len(rows) > limit
    if as_json:
        print_json({"data": [_about(row) for row in shown], "more": more})
        return
    print_columns(
        ("ID", "TYPE", "ORGANIZATION", "MODE", "RECEIVED", "TRIED", "NEXT TRY", "REFUSAL", "REASON"),
        [
            (
                row.id,
                row.type,
                row.organization_id or "(unknown)",
                "live" if row.livemode else "test",
                at(row.received_at),
                str(row.attempts),
                at(row.next_try_at) if row.next_try_at else "given up",
                row.refusal or "",
                row.reason or "",
            )
            for row in shown
        ],
    )
    if more:
        Console().print("There are more: --limit", soft_wrap=True)


@inbox.command("show", epilog="Example: counterfoil inbox show evt_1Q…")
def show_one(id: EventId, as_json: AsJson = False) -> None:
    """Show one event, handled or not, with the fact that was kept to be tried again."""
    row = on_books(lambda container: _found(container.worker_store(), id))
    if as_json:
        print_json(row)
        return
    console = Console(highlight=False, markup=False)
    for label, value in _about(row).items():
        told = at(value) if label.endswith("_at") else str(value) if value is not None else ""
        console.print(f"{label:<16}{harmless(told)}".rstrip(), soft_wrap=True)
    fact = msgspec.json.format(msgspec.json.encode(row.fact), indent=2).decode()
    console.print(f"{'fact':<16}{fact}", soft_wrap=True)


@inbox.command(epilog="Example: counterfoil inbox retry --all")
def retry(
    id: Annotated[str | None, typer.Argument(metavar="ID", help="Stripe's id of the event.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that is not handled.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try again to book an event, or with --all each one, with the fact that was kept.

    What is booked already stays as it is. Exit status 1 when something is still not handled.
    """
    if (id is None) != every:
        raise typer.BadParameter("give either the ID of an event or --all")

    async def work(container: Container) -> list[dict[str, Any]]:
        kept = container.worker_store()
        if id is not None:
            return [await _retried(container, await _found(kept, id))]
        return [await _retried(container, row) async for row in _everything(kept)]

    results = on_books(work)
    if as_json:
        print_json({"data": results})
    else:
        print_columns(
            ("ID", "HANDLED", "REASON"),
            [(r["id"], "yes" if r["handled"] else "no", r["reason"] or "") for r in results],
        )
    if not all(result["handled"] for result in results):
        raise typer.Exit(1)


async def _everything(kept: Inbox) -> AsyncIterator[InboxRow]:
    """Page by page: what still does not fit stays in its place, and is not met again."""
    last: InboxRow | None = None
    while page := await kept.unhandled(_PAGE, last):
        for row in page:
            yield row
        last = page[-1]


async def _retried(container: Container, row: InboxRow) -> dict[str, Any]:
    """Whether it is in the books now; else the code of why not."""
    refusal: str | None
    try:
        refusal = await container.inbox_retries().retry(row)
    except (Conflict, Rejected, Unavailable) as failure:  # the others in the inbox are still to be tried
        refusal = failure.code
    return {"id": row.id, "handled": refusal is None, "reason": refusal}


async def _found(kept: Inbox, id: str) -> InboxRow:
    row = await kept.inbound_event(id)
    if row is None:
        raise NotFound("inbound_event_not_found", f"There is no event '{id}' in the inbox.")
    return row


def _about(row: InboxRow) -> dict[str, Any]:
    """Everything but the fact, which may hold a buyer's address."""
    return {name: getattr(row, name) for name in row.__struct_fields__ if name != "fact"}
