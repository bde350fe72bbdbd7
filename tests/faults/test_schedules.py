"""Any crash: a fault at each port call of each use case, then restart and drain; the promises still hold."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from application.operator_ports import ApiKeyRepository, Backlogs, Inbox, InboxFeed, Organizations
from tests.databases import DatabaseServer
from tests.faults.grounds import memory_ground, postgres_ground
from tests.faults.injection import KINDS
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.schedules import Done, Ground, Schedule, pairs, run, singles
from tests.use_cases import Store

by_name = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@by_name
async def test_on_memory_one_fault_anywhere_changes_nothing_in_the_end(
    scenario: Scenario, schedules_run: Counter[str]
) -> None:
    ground = memory_ground()
    schedules_run["memory, one fault"] += await _all_end_alike(ground, scenario, singles(ground, scenario))


@pytest.mark.parametrize("scenario", SCENARIOS[:-1], ids=lambda scenario: scenario.name)
async def test_on_memory_two_faults_anywhere_change_nothing_in_the_end(
    scenario: Scenario, schedules_run: Counter[str]
) -> None:
    ground = memory_ground()
    schedules_run["memory, two faults"] += await _all_end_alike(ground, scenario, pairs(ground, scenario))


async def test_on_postgres_one_fault_anywhere_changes_nothing_in_the_end(
    database_server: DatabaseServer, schedules_run: Counter[str]
) -> None:
    async with postgres_ground(database_server) as ground:
        for scenario in SCENARIOS:
            schedules_run["PostgreSQL, one fault"] += await _all_end_alike(
                ground, scenario, singles(ground, scenario)
            )


async def test_every_port_call_of_every_use_case_meets_faults() -> None:
    ground = memory_ground()
    met: set[str] = set()
    for scenario in SCENARIOS:
        met.update((await run(ground, scenario)).calls)
        async for _, done in singles(ground, scenario):
            met.update(done.calls)
    apart = {"by_api_key", "page", "park"}  # of the web, and of what can never succeed
    apart |= {"purchase", "purchases", "subscription", "subscriptions"}  # only read
    apart |= {"settle"}  # of what was nobody's
    for operators_only in (Organizations, ApiKeyRepository, Inbox, InboxFeed, Backlogs):
        apart.update(dir(operators_only))
    calls = {name for name in dir(Store) if not name.startswith("_")} - apart
    assert met == calls | {
        "create_customer",
        "find_customer",
        "create_intent",
        "payment_intent",
        "create_refund",
        "find_refund",
        "send",
    }


def test_a_thousand_schedules_and_more_were_run(
    schedules_run: Counter[str], request: pytest.FixtureRequest
) -> None:
    """Judged where all of this file was run."""
    whole = sum(item.fspath == request.node.fspath for item in request.session.items)
    if whole < 2 * len(SCENARIOS) + 2:
        pytest.skip("only a part of this file was run")
    assert schedules_run["memory, one fault"] >= 40 * len(KINDS)
    assert schedules_run["memory, two faults"] >= 5_000
    assert schedules_run["PostgreSQL, one fault"] == schedules_run["memory, one fault"]


async def _all_end_alike(
    ground: Ground, scenario: Scenario, schedules: AsyncIterator[tuple[Schedule, Done]]
) -> int:
    undisturbed = await run(ground, scenario)
    ran = 0
    async for schedule, done in schedules:
        ran += 1
        where = [(fault, done.calls[fault.at - 1]) for fault in schedule]
        assert done.all_met, f"{where} is later than the last call"
        assert done.ending.events == undisturbed.ending.events, where
        assert done.ending.states == undisturbed.ending.states, where
    assert ran
    return ran
