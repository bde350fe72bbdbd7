"""What customers make of the subscriptions that they have (see scenarios.py)."""

from domain.cancellation import CancelAt, NewCancellation
from domain.charging import AllCurrent, MethodChoice
from domain.errors import Rejected
from domain.payment_method import PaymentMethod
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario
from tests.faults.subscribing import (
    MONTH,
    declined,
    left,
    month_over_and_card_expired,
    opened,
    past_due,
    paying,
    plan_of,
    renewed,
    worked_until,
)


async def _canceled(run: Run, at: CancelAt = "period_end") -> None:
    plan = await plan_of(run)
    wanted = NewCancellation(at=at)

    async def cancel(process: Process) -> None:
        try:
            await process.cancel_subscription(plan.id, wanted, run.auth, process.request())
        except Rejected as refusal:  # the first try got through, and had no answer
            if refusal.code != "subscription_canceled":
                raise

    await run.insist(cancel)


async def _to_end(run: Run) -> None:
    await paying(run)
    await _canceled(run)


async def _ended_in_time(run: Run) -> None:
    await _canceled(run)
    assert (await plan_of(run)).cancel_at_period_end
    run.outside.clock.advance(MONTH)
    await worked_until(run, "canceled")


async def _kept(run: Run) -> None:
    plan = await plan_of(run)
    await run.insist(lambda process: process.resume_subscription(plan.id, run.auth, process.request()))
    run.outside.clock.advance(MONTH)
    await renewed(run)


async def _given_up(run: Run) -> None:
    """It was never paid for: the intent that was declined cannot be paid any more, which Stripe tells."""
    await _canceled(run)
    assert (await plan_of(run)).status == "canceled"
    await run.drain(2)
    (intent,) = run.outside.provider.intents
    assert intent.ending == "abandoned"
    await run.report(intent)


async def _past_due_with_another_card(run: Run) -> None:
    await month_over_and_card_expired(run)
    await past_due(run)
    session = await opened(run, type="add_payment_method", customer=(await plan_of(run)).customer_id)
    await run.report(await left(run, session))


async def _newest_card(run: Run) -> PaymentMethod:
    buyer = (await plan_of(run)).customer_id
    overview = await run.outside.store.billing_overview(run.auth, buyer, run.outside.clock.now())
    assert overview is not None
    return overview.payment_methods[0]


async def _paid_by_it(run: Run) -> None:
    plan, card = await plan_of(run), (await _newest_card(run)).id
    choice = MethodChoice(payment_method_id=card)
    for wanted in (plan.id, AllCurrent(plan.customer_id)):
        await run.insist(
            lambda process, wanted=wanted: process.choose_payment_method(  # type: ignore[misc]
                wanted, choice, run.auth, process.request()
            )
        )
    assert (await plan_of(run)).payment_method_id == card
    await worked_until(run, "active")


MANAGING = (
    Scenario("cancel subscription, and its period is over", paying, _ended_in_time),
    Scenario("cancel subscription, never paid for", declined, _given_up),
    Scenario("resume subscription, and its period is over", _to_end, _kept),
    Scenario("choose payment method, past due", _past_due_with_another_card, _paid_by_it),
)
