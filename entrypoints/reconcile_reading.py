"""How far a run of reconciling is, and what it reads of Stripe: page by page, with a pause after each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from application.ports import Clock, HistoryKind, HistoryPage, Period, StripeHistory, ToldByStripe
from application.ports.history import KEPT
from domain.ids import OrganizationId
from domain.payment import PaymentFact
from domain.setup import SetupFact

KINDS: Final[tuple[HistoryKind, ...]] = (
    "event", "payment_intent", "setup_intent", "refund", "dispute", "customer",
)  # fmt: skip
"""In this order: an event is what its webhook would have been, and is booked under the same id."""

_DAY = timedelta(days=1)


class Wanted(Struct, frozen=True):
    """Which period of which mode, for one organization or for all, and whether what is missing is booked.
    `pause_seconds` is waited before Stripe is asked again. `asks_for_open`: it is asked for each intent that
    something waits for here, one call each, where its lists did not tell of it."""

    period: Period
    livemode: bool
    organization_id: OrganizationId | None = None
    apply: bool = False
    pause_seconds: float = 0.1
    asks_for_open: bool = True


@dataclass(slots=True)
class Run:
    """How far a run is. What is `kept` waits in the inbox already, and is no news. `events_since` is from
    when on Stripe has events, where that is later than wanted. `strangers` are intents of somebody else,
    such as another application of the same account."""

    wanted: Wanted
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    looked_at: int = 0
    steps_done: int = 0
    in_inbox: int = 0
    organizations: frozenset[OrganizationId] = frozenset()
    kept: set[bytes] = field(default_factory=set)
    intents_seen: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    events_since: datetime | None = None


async def told(
    history: StripeHistory, clock: Clock, run: Run, kind: HistoryKind
) -> AsyncIterator[ToldByStripe]:
    """Events day by day, oldest first, as their webhooks would come; objects as they are listed."""
    wanted = run.wanted
    if kind != "event":
        async for page in _pages(history, run, kind, wanted.period):
            for one in page.told:
                if isinstance(one.fact, PaymentFact | SetupFact):
                    run.intents_seen.add(one.object_id)
                yield one
        return
    since = beginning = max(wanted.period.since, clock.now() - KEPT)
    while since < wanted.period.until:
        until = min(since + _DAY, wanted.period.until)
        pages = [page async for page in _pages(history, run, kind, Period(since, until))]
        for one in (one for page in reversed(pages) for one in reversed(page.told)):
            yield one
        since = until
    if beginning > wanted.period.since:
        run.events_since = beginning


async def _pages(
    history: StripeHistory, run: Run, kind: HistoryKind, period: Period
) -> AsyncIterator[HistoryPage]:
    after: str | None = None
    while not run.stop.is_set():
        page = await history.history(kind, period, livemode=run.wanted.livemode, after=after)
        yield page
        await pause(run)
        if (after := page.after) is None:
            return


async def pause(run: Run) -> None:
    """Stripe is not to be asked as fast as it answers."""
    with suppress(TimeoutError):
        async with asyncio.timeout(run.wanted.pause_seconds):
            await run.stop.wait()
