"""Webhooks that were lost are made up for, whatever happens on the way (see scenarios.py)."""

from datetime import timedelta

from application.ports import Period
from entrypoints.findings import Finding
from entrypoints.reconcile_reading import Run as Reconciling
from entrypoints.reconcile_reading import Wanted
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario
from tests.faults.subscribing import opened


async def _paid_and_lost(run: Run) -> None:
    """Stripe knows what became of two sessions, and told nobody; of one even its events are silent."""
    await run.open_books()
    await run.sell()
    for by_event in (True, False):
        session = await opened(run, price="book", anonymous=True)
        paid = run.outside.provider.succeed(session.payment_intent_id or "")
        if by_event:
            run.outside.provider.happens(paid, run.outside.clock.now())
    run.outside.clock.advance(timedelta(minutes=1))


async def _made_up_for(run: Run) -> None:
    now = run.outside.clock.now()
    wanted = Wanted(Period(now - timedelta(days=1), now), False, run.auth.organization_id, True, 0)

    async def reconcile(process: Process) -> list[Finding]:
        return [finding async for finding in process.reconciliation(Reconciling(wanted))]

    await run.insist(reconcile)
    assert await run.insist(reconcile) == []
    await run.drain(2)


RECONCILING = (Scenario("reconcile", _paid_and_lost, _made_up_for),)
