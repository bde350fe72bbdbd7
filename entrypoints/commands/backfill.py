"""`counterfoil backfill-stripe-customers`: whoever is not known to Stripe becomes so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from domain.auth import Authenticated
from domain.errors import DomainError, Unavailable
from domain.ids import UserId
from entrypoints.commands.acting import Live, Organization, cause, on_books, owner
from entrypoints.commands.running import stop_signal
from entrypoints.container import Container

BACKFILL_EXAMPLE = "Example: counterfoil backfill-stripe-customers --organization acme --live --limit 100"

_PAGE = 100
_INTERRUPTED = 130
_NOT_SET_UP = ("payment_provider_not_configured", "payment_provider_misconfigured")
"""What would be the same for everybody, and is for a person to put right."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom, how many at most, and how long to wait between two."""

    auth: Authenticated
    limit: int | None
    seconds: float


@dataclass(slots=True)
class Outcome:
    """What has come of it so far; `known`: somebody else has done it by now."""

    made: int = 0
    known: int = 0
    failed: int = 0
    stopped: bool = False
    not_set_up: Unavailable | None = None

    @property
    def status(self) -> int:
        """The exit status."""
        if self.stopped:
            return _INTERRUPTED
        return 1 if self.failed else 0

    def __str__(self) -> str:
        ending = "Stopped. " if self.stopped else ""
        known = f", {self.known} known by then" if self.known else ""
        return f"{ending}{self.made} made known to Stripe{known}, {self.failed} failed."


def backfill(
    organization: Organization = None,
    live: Live = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many users at most; else all.")
    ] = None,
    delay_ms: Annotated[
        int, typer.Option(min=0, metavar="MS", help="Milliseconds to wait between two users.")
    ] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")] = False,
) -> None:
    """Make a Stripe customer for each user who has none yet, oldest first.

    Safe to repeat, to interrupt, and to run while the service runs: each user gets one customer. Those that
    fail are told by id and reason. Exit status 1 when some failed; 130 when it was interrupted.
    """

    async def work(container: Container) -> Outcome:
        auth = await owner(container, organization, live=live)
        total = await container.store().count_users_without_stripe_customer(auth)
        if dry_run:
            _say(f"{total} users have no Stripe customer. Nothing was done.")
            return Outcome()
        outcome = Outcome()
        try:
            await _all(container, Wanted(auth, limit, delay_ms / 1000), min(total, limit or total), outcome)
        finally:
            _say(str(outcome))
        return outcome

    outcome = on_books(work)
    if outcome.not_set_up is not None:
        raise outcome.not_set_up
    if outcome.status:
        raise typer.Exit(outcome.status)


async def _all(container: Container, wanted: Wanted, total: int, outcome: Outcome) -> None:
    """One after the other, until nobody is left, or somebody wants it to stop."""
    stop = stop_signal()
    console = Console(stderr=True, highlight=False, markup=False)
    columns = (BarColumn(), MofNCompleteColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("users", total=total)
        async for user_id in _unknown(container, wanted):
            if stop.is_set() or not await _one(container, user_id, wanted.auth, outcome, console):
                break
            progress.advance(bar)
            with suppress(TimeoutError):
                async with asyncio.timeout(wanted.seconds):
                    await stop.wait()
        outcome.stopped = stop.is_set()


async def _one(
    container: Container, id: UserId, auth: Authenticated, outcome: Outcome, console: Console
) -> bool:
    """Whether the next one may be tried. Nothing is told of a user but the id."""
    try:
        made = await container.backfill_stripe_customer()(
            id, auth, cause(container, "backfill-stripe-customers")
        )
    except DomainError as failure:
        if isinstance(failure, Unavailable) and failure.code in _NOT_SET_UP:
            outcome.not_set_up = failure
            return False
        outcome.failed += 1
        console.print(f"{id} {failure.code}", soft_wrap=True)
        return True
    outcome.made += made
    outcome.known += not made
    return True


async def _unknown(container: Container, wanted: Wanted) -> AsyncIterator[UserId]:
    """Page by page: whoever fails is not met again."""
    left = wanted.limit
    last: UserId | None = None
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        page = await container.store().users_without_stripe_customer(wanted.auth, size, last)
        for user in page:
            yield user.id
        if len(page) < size:
            return
        last = page[-1].id
        left = None if left is None else left - len(page)


def _say(line: str) -> None:
    Console(highlight=False, markup=False).print(line, soft_wrap=True)
