"""`counterfoil reconcile`: the books are held against Stripe, and what they miss is booked."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from application.ports import Period
from application.ports.history import KEPT
from domain.errors import DomainError
from entrypoints.commands.acting import AsJson, Live, on_books, owner
from entrypoints.commands.printing import print_columns, print_json
from entrypoints.commands.running import stop_signal
from entrypoints.container import Container
from entrypoints.findings import Finding
from entrypoints.reconcile_reading import Run, Wanted
from entrypoints.reconciliation import STEPS

RECONCILE_EXAMPLE = "Example: counterfoil reconcile --since 2026-11-20 --live; then the same with --apply"

_INTERRUPTED = 130


class _Result(msgspec.Struct):
    run: Run
    found: list[Finding]
    failure: DomainError | None = None

    @property
    def status(self) -> int:
        """The exit status."""
        if self.run.stop.is_set():
            return _INTERRUPTED
        if self.run.wanted.apply:
            return int(any(finding.outcome in ("kept", "failed") for finding in self.found))
        return int(bool(self.found))


def reconcile(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From when on: 2026-11-20, or 2026-11-20T08:00:00Z.")
    ],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Until when; else until now.")] = None,
    organization: Annotated[
        str | None,
        typer.Option("--organization", "-o", metavar="SLUG_OR_ID", help="Only of this one; else of all."),
    ] = None,
    live: Live = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Book what is missing; else it is only told.")
    ] = False,
    delay_ms: Annotated[
        int, typer.Option(min=0, metavar="MS", help="Milliseconds to wait before Stripe is asked again.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """Hold the books against Stripe: lost webhooks, refunds made there, customers deleted there, orphans.

    What is missing is booked as if its webhook had come now; what does not fit waits in the inbox. Safe to
    repeat, to interrupt, and to run while the service runs. Stripe keeps events for 30 days, its objects for
    good. Exit status 0: there was nothing to do, or all that can be applied was; 1: something differs and was
    not applied, or it failed on the way, with what was applied by then booked; 2: wrong usage; 130: it was
    interrupted.
    """
    beginning, end = _time(since, "--since"), _time(until, "--until") if until is not None else None
    if end is not None and end <= beginning:
        raise typer.BadParameter("--until must be after --since")

    async def work(container: Container) -> _Result:
        auth = await owner(container, organization, live=live) if organization is not None else None
        now = container.clock().now()
        if beginning >= now:
            raise typer.BadParameter("--since must be in the past")
        wanted = Wanted(
            Period(beginning, end or now),
            live,
            auth.organization_id if auth else None,
            apply,
            pause_seconds=delay_ms / 1000,
        )
        result = _Result(Run(wanted, stop_signal()), [])
        await _shown(container, result)
        return result

    result = on_books(work)
    _tell(result, as_json=as_json)
    if result.failure is not None:
        raise result.failure
    if result.status:
        raise typer.Exit(result.status)


async def _shown(container: Container, result: _Result) -> None:
    """How far it is, while somebody watches."""
    console = Console(stderr=True, highlight=False, markup=False)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    run = result.run
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=STEPS)

        async def watch() -> None:
            while True:
                said = f"{run.looked_at} looked at, {len(result.found)} differ"
                progress.update(bar, completed=run.steps_done, description=said)
                await asyncio.sleep(0.1)

        watching = asyncio.create_task(watch())
        try:
            async for finding in container.reconciliation()(run):
                result.found.append(finding)
        except DomainError as failure:
            result.failure = failure
        finally:
            watching.cancel()


def _tell(result: _Result, *, as_json: bool) -> None:
    run, found = result.run, result.found
    if as_json:
        print_json(
            {
                "data": found,
                "looked_at": run.looked_at,
                "in_inbox": run.in_inbox,
                "events_since": run.events_since,
                "complete": result.failure is None and not run.stop.is_set(),
            }
        )
        return
    if found:
        print_columns(
            ("KIND", "OUTCOME", "ORGANIZATION", "OURS", "STRIPE'S", "WHAT"),
            [
                (
                    one.kind,
                    one.code or one.outcome,
                    one.organization_id,
                    one.id or "",
                    one.stripe_id,
                    one.words,
                )
                for one in found
            ],
        )
    if run.events_since is not None:
        _say(
            f"Stripe keeps events for {KEPT.days} days: they were read from "
            f"{run.events_since:%Y-%m-%dT%H:%M:%SZ} on. "
            "What is older was found by what was made in the period, and by what is open here."
        )
    _say(_summary(result))
    if run.in_inbox:
        _say(f"{run.in_inbox} wait in the inbox: counterfoil inbox list; counterfoil inbox retry --all")


def _summary(result: _Result) -> str:
    outcomes = Counter(finding.outcome for finding in result.found)
    to_apply = sum(finding.mends and finding.outcome == "found" for finding in result.found)
    for_a_person = sum(not finding.mends for finding in result.found)
    ending = "Stopped. " if result.run.stop.is_set() else ""
    if not result.found:
        return f"{ending}{result.run.looked_at} looked at: nothing differs."
    said = [f"{len(result.found)} differ"]
    if result.run.wanted.apply:
        said += [f"{outcomes['applied']} applied", f"{outcomes['kept']} kept in the inbox"]
        said += [f"{outcomes['failed']} failed"]
    else:
        said += [f"{to_apply} for --apply"]
    return f"{ending}{result.run.looked_at} looked at: {', '.join(said)}, {for_a_person} for a person."


def _time(given: str, option: str) -> datetime:
    text = f"{given}T00:00:00Z" if len(given) == len("2026-11-20") else given
    try:
        moment = msgspec.convert(text, datetime)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (msgspec.ValidationError, OverflowError):
        raise typer.BadParameter(
            f"{option} is to be a day or a time, such as 2026-11-20 or 2026-11-20T08:00:00Z"
        ) from None


def _say(line: str) -> None:
    Console(highlight=False, markup=False).print(line, soft_wrap=True)
