"""`counterfoil events`: what has happened, in the order in which it was stored."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Annotated, get_args

import typer
from rich.console import Console

from application.ports import EventFeed, EventFilter
from domain.auth import Authenticated
from domain.delivery import Redelivery
from domain.events import EventType, RecordedEvent
from domain.ids import EventId, WebhookEndpointId
from entrypoints.commands.acting import Live, Organization, on_books, owner
from entrypoints.commands.printing import at, harmless, print_json
from entrypoints.commands.running import stop_signal
from entrypoints.container import Container
from entrypoints.http.events import EventReply

events = typer.Typer(
    no_args_is_help=True,
    help="Events: what has happened in an organization's books, in the order in which it was stored.",
)

_PAGE = 100
_POLL_SECONDS = 0.5
_TYPES = get_args(EventType)


def _known(type: str | None) -> str | None:
    if type is not None and type not in _TYPES:
        raise typer.BadParameter(f"there is no such type; there are {', '.join(_TYPES)}")
    return type


@events.command(epilog="Example: counterfoil events tail --organization acme --after 120 --follow")
def tail(
    organization: Organization = None,
    live: Live = False,
    after: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, metavar="N", help="Only those after this number.")
    ] = 0,
    type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Only those of this type: customer.created.", callback=_known),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as more comes, until Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, as in GET /v1/events.")
    ] = False,
) -> None:
    """Print the events that are there, oldest first: number, time, type, subject, who did it.

    An event is there once a worker has given it its number (`counterfoil serve` has one inside).
    """

    async def work(container: Container) -> None:
        stop = stop_signal() if follow else None
        auth = await owner(container, organization, live=live)
        async for event in told(container.store(), auth, EventFilter(after, _PAGE, type), stop):
            _print(event, as_json=as_json)

    on_books(work, lasting=follow)


@events.command(epilog="Example: counterfoil events redeliver we_01k9… --organization acme --failed")
def redeliver(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="The webhook endpoint: we_…")],
    organization: Organization = None,
    live: Live = False,
    event: Annotated[
        str | None, typer.Option(metavar="EVENT", help="This one, whatever its type: evt_…")
    ] = None,
    from_sequence: Annotated[
        int | None, typer.Option("--from", min=1, metavar="N", help="Those from this number on…")
    ] = None,
    to_sequence: Annotated[int | None, typer.Option("--to", min=1, metavar="N", help="…to this one.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that was given up.")] = False,
) -> None:
    """Have events delivered to a webhook endpoint again, also what has arrived; the worker does it.

    Nothing else follows from it: no event, and no effect.
    """
    wanted = Redelivery(
        event=EventId(event) if event is not None else None,
        from_sequence=from_sequence,
        to_sequence=to_sequence,
        failed=failed,
    )

    async def work(container: Container) -> int:
        auth = await owner(container, organization, live=live)
        return await container.redeliver_events()(WebhookEndpointId(endpoint), wanted, auth)

    again = on_books(work)
    Console(highlight=False).print(f"{again} {'is' if again == 1 else 'are'} delivered again.")


async def told(
    feed: EventFeed, auth: Authenticated, wanted: EventFilter, stop: asyncio.Event | None
) -> AsyncIterator[RecordedEvent]:
    """All that is wanted, page by page; then, if there is a `stop`, what comes until it is set."""
    after = wanted.after
    while stop is None or not stop.is_set():
        page: Sequence[RecordedEvent] = await feed.page(auth, EventFilter(after, wanted.limit, wanted.type))
        for event in page:
            yield event
            after = event.sequence or after
        if len(page) == wanted.limit:
            continue
        if stop is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await stop.wait()


def _print(event: RecordedEvent, *, as_json: bool) -> None:
    if as_json:
        print_json(EventReply.of(event))
    else:
        who = event.actor.user_id or event.actor.type
        subject = f"{event.subject.type} {event.subject.id}"
        line = f"{event.sequence:>8}  {at(event.occurred_at)}  {event.type:<28}  {subject}  by {who}"
        Console(highlight=False, markup=False).print(harmless(line), soft_wrap=True)
    sys.stdout.flush()
