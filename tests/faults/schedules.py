"""Which faults there are for a scenario, and a run of it under some of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count
from typing import NamedTuple

from tests.application.usage_promises import Ledger
from tests.faults.injection import KINDS, Fault, Faults, Kind
from tests.faults.judgement import Books, Ending, judged
from tests.faults.outside import Outside, Run
from tests.faults.scenario import Scenario

Schedule = tuple[Fault, ...]
_POLLS = frozenset({"forget_replies", "forget_access", "forget_deliveries", "lease_deliveries"})
"""What a worker asks each time it comes by, whatever there is to do."""
_HARD: tuple[Kind, ...] = ("killed after", "refused")


class Ground(NamedTuple):
    """Where scenarios are run: each run starts on a place that `begun` has prepared for it."""

    begun: Callable[[Scenario], Awaitable[Run]]
    books_of: Callable[[Outside], Awaitable[Books]]
    used: Callable[[Outside], Awaitable[Ledger]]


class Done(NamedTuple):
    """A run under some faults: the calls that were made, whether it met all the faults, and how it ended."""

    calls: list[str]
    all_met: bool
    ending: Ending


async def run(ground: Ground, scenario: Scenario, schedule: Schedule = ()) -> Done:
    """Run it, let the worker finish, and check the promises."""
    begun = await ground.begun(scenario)
    faults = Faults(*schedule)
    begun.under(faults)
    await scenario.act(begun)
    calls, all_met = list(faults.calls), faults.all_met
    await begun.drain()
    used = await ground.used(begun.outside)
    return Done(calls, all_met, judged(await ground.books_of(begun.outside), used, begun))


async def singles(
    ground: Ground, scenario: Scenario, kinds: Sequence[Kind] = KINDS, every: int = 1
) -> AsyncIterator[tuple[Schedule, Done]]:
    """Every kind of fault, or each of these, at every call; of calls by which the worker only looks whether
    there is something to do, at the first. Of these schedules the first, and `every` so many."""
    undisturbed = await run(ground, scenario)
    faults = [Fault(at, kind) for at in _places(undisturbed.calls) for kind in kinds]
    for fault in faults[::every]:
        yield (fault,), await run(ground, scenario, (fault,))


async def pairs(ground: Ground, scenario: Scenario, every: int = 1) -> AsyncIterator[tuple[Schedule, Done]]:
    """A fault at every call, and a second one at every call of what follows from it: the process dies, or
    something is away. Not where the worker only looks whether there is something to do. Of all these
    pairs the first, and `every` so many."""
    places = count()
    undisturbed = await run(ground, scenario)
    idle = _idle(undisturbed.calls)
    async for first, once in singles(ground, scenario, _HARD):
        if undisturbed.calls[first[0].at - 1] in idle:
            continue
        for at in range(first[0].at + 1, len(once.calls) + 1):
            if once.calls[at - 1] in idle:
                continue
            for kind in _HARD:
                if next(places) % every == 0:
                    schedule = (*first, Fault(at, kind))
                    yield schedule, await run(ground, scenario, schedule)


def _idle(calls: Sequence[str]) -> frozenset[str]:
    """Which of the polls find nothing: leasing finds something where something is sent."""
    return _POLLS - {"lease_deliveries"} if "record_attempt" in calls else _POLLS


def _places(calls: Sequence[str]) -> list[int]:
    idle = _idle(calls)
    return [at for at, name in enumerate(calls, 1) if name not in idle or calls.index(name) == at - 1]
