"""Any crash: a fault at each port call of each use case, then restart and drain; the promises still hold."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest

from application.operator_ports import ApiKeyRepository, Backlogs, Inbox, InboxFeed, Organizations, Rounds
from tests.databases import DatabaseServer
from tests.faults.attaching import ATTACHING
from tests.faults.buying import BUYING, QUANTITY_ASKED_ONCE
from tests.faults.customers import CUSTOMERS
from tests.faults.entering import ENTERING
from tests.faults.grounds import memory_ground, postgres_ground
from tests.faults.injection import KINDS, Kind
from tests.faults.intake import INTAKE
from tests.faults.introducing import INTRODUCING
from tests.faults.managing import MANAGING
from tests.faults.reconciling import RECONCILING
from tests.faults.scenario import Scenario
from tests.faults.scenarios import SCENARIOS
from tests.faults.schedules import Done, Ground, Schedule, pairs, run, singles
from tests.faults.subscribing import SUBSCRIBING
from tests.faults.telling import TELLING
from tests.faults.users import USERS
from tests.faults.using import USING
from tests.use_cases import Store

ALL = (
    *SUBSCRIBING,
    *MANAGING,
    *BUYING,
    *CUSTOMERS,
    *USERS,
    *ENTERING,
    *INTRODUCING,
    *ATTACHING,
    *USING,
    *INTAKE,
    *TELLING,
    *RECONCILING,
    *SCENARIOS,
)
TWICE = (*BUYING[1:2], *USERS[:1], *ATTACHING[:1], *USING[:2], *INTAKE[1:], *SCENARIOS[:-1])
"""Those that are short: of longer ones there are too many pairs."""
EVERY = 1 if os.environ.get("FAULTS") == "all" else 2
"""Of the schedules on PostgreSQL, and of the pairs, every second: `FAULTS=all` runs each of them."""

by_name = pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)


def kinds_on_postgres(scenario: Scenario) -> Sequence[Kind]:
    """All of them where little comes before; else the one after which the most is there by half."""
    return KINDS if scenario in SCENARIOS else ("killed after",)


@by_name
async def test_on_memory_one_fault_anywhere_changes_nothing_in_the_end(
    scenario: Scenario, schedules_run: Counter[str], calls_met: set[str]
) -> None:
    ground = memory_ground()
    ran = await _all_end_alike(ground, scenario, singles(ground, scenario), calls_met)
    schedules_run["memory, one fault"] += ran
    there = ran // len(KINDS) * len(kinds_on_postgres(scenario))
    schedules_run["memory, one fault of those tried on PostgreSQL"] += -(-there // EVERY)


@pytest.mark.parametrize("scenario", TWICE, ids=lambda scenario: scenario.name)
async def test_on_memory_two_faults_anywhere_change_nothing_in_the_end(
    scenario: Scenario, schedules_run: Counter[str]
) -> None:
    ground = memory_ground()
    schedules_run["memory, two faults"] += await _all_end_alike(
        ground, scenario, pairs(ground, scenario, EVERY)
    )


async def test_on_postgres_one_fault_anywhere_changes_nothing_in_the_end(
    database_server: DatabaseServer, schedules_run: Counter[str]
) -> None:
    async with postgres_ground(database_server) as ground:
        for scenario in ALL:
            schedules_run["PostgreSQL, one fault"] += await _all_end_alike(
                ground, scenario, singles(ground, scenario, kinds_on_postgres(scenario), EVERY)
            )


async def test_a_buyer_whose_wish_for_more_met_a_fault_has_bought_as_many_as_they_have_paid() -> None:
    async for _, done in singles(memory_ground(), QUANTITY_ASKED_ONCE):
        paid_for = [state for state in done.ending.states if state.startswith("Purchase ")]
        assert ['"amount":1500' in bought or '"amount":4500' in bought for bought in paid_for] == [True]


def test_every_port_call_of_every_use_case_meets_faults(
    calls_met: set[str], request: pytest.FixtureRequest
) -> None:
    _skip_unless_all_was_run(request)
    apart = {"by_api_key", "page", "park"}  # of the web, and of what can never succeed
    apart |= {
        "purchase",
        "purchases",
        "subscription",
        "subscriptions",
        "invoices",
        "shown_invoice",
        "customer_page",
        "intake_payments",
        "bill",
        "user_page",
        "count_users_without_stripe_customer",
        "users_without_stripe_customer",
        "expanded",
        "billing_overview",
        "balances",
        "entries",
        "usages",
        "audit",
        "seller",
        "portal_session",
        "webhook_endpoints",
        "deliveries",
        "delivery",
    }  # only read
    apart |= {"settle"}  # of what was nobody's
    apart |= {"forget_events"}  # one statement, and only where it is set
    for operators_only in (Organizations, ApiKeyRepository, Inbox, InboxFeed, Backlogs, Rounds):
        apart.update(dir(operators_only))
    calls = {name for name in dir(Store) if not name.startswith("_")} - apart | {"organization", "unhandled"}
    assert calls_met == calls | {
        "create_customer",
        "find_customer",
        "update_customer",
        "delete_customer",
        "create_user_customer",
        "find_user_customer",
        "update_user_customer",
        "cancel_payment_intent",
        "cancel_setup_intent",
        "change_amount",
        "charge",
        "create_intent",
        "create_invoice_intent",
        "create_intake_intent",
        "find_payer",
        "create_payer",
        "history",
        "payment_intent",
        "setup_intent",
        "create_refund",
        "find_refund",
        "send",
    }


def test_a_thousand_schedules_and_more_were_run(
    schedules_run: Counter[str], request: pytest.FixtureRequest
) -> None:
    """Judged where all of this file was run."""
    _skip_unless_all_was_run(request)
    assert schedules_run["memory, one fault"] >= 40 * len(KINDS)
    assert schedules_run["memory, two faults"] >= 5_000
    same = schedules_run["memory, one fault of those tried on PostgreSQL"]
    assert schedules_run["PostgreSQL, one fault"] == same >= 1_000


def _skip_unless_all_was_run(request: pytest.FixtureRequest) -> None:
    whole = sum(item.fspath == request.node.fspath for item in request.session.items)
    if whole < len(ALL) + len(TWICE) + 4:
        pytest.skip("only a part of this file was run")


async def _all_end_alike(
    ground: Ground,
    scenario: Scenario,
    schedules: AsyncIterator[tuple[Schedule, Done]],
    met: set[str] | None = None,
) -> int:
    undisturbed = await run(ground, scenario)
    ran = 0
    async for schedule, done in schedules:
        ran += 1
        where = [(fault, done.calls[fault.at - 1]) for fault in schedule]
        assert done.all_met, f"{where} is later than the last call"
        if met is not None:
            met.update(done.calls)
        assert done.ending.events == undisturbed.ending.events, where
        assert done.ending.states == undisturbed.ending.states, where
        assert done.ending.used == undisturbed.ending.used, where
    assert ran
    return ran
