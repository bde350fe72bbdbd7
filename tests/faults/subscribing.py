"""What happens to subscriptions, purchases made through the API and their invoices (see scenarios.py)."""

from datetime import timedelta
from typing import Any

import msgspec

from application.payments.news import BuyerReturned
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.customer import NewCustomer
from domain.setup import SetupFact
from domain.subscription import Subscription, SubscriptionStatus
from tests.faults.outside import Run
from tests.faults.scenario import Scenario

MONTH = timedelta(days=31)
_ROUNDS = 4


async def ada(run: Run) -> None:
    """A customer, in a shop that sells."""
    await run.open_books()
    await run.sell()
    draft = NewCustomer(external_id="ada", email="ada@example.test")
    found = await run.insist(lambda process: process.create_customer(draft, run.auth, process.request()))
    run.answered.append(found.record.customer.id)


async def opened(run: Run, **draft: Any) -> CheckoutSession:
    """A session, opened however often it takes."""
    wanted = msgspec.convert({"type": "product"} | draft, NewCheckoutSession)
    session = await run.insist(
        lambda process: process.open_checkout_session(wanted, run.auth, process.request())
    )
    run.answered.append(session.id)
    for fact in run.outside.provider.of_sessions:
        if fact.checkout_session_id not in run.answered:
            await run.report(fact)  # of a session whose opening was never answered
    return session


async def left(run: Run, session: CheckoutSession, *, declined: str | None = None) -> SetupFact:
    """The buyer leaves a card, which may be one that is declined when it is charged."""
    provider = run.outside.provider
    fact = provider.succeed_setup(session.setup_intent_id or "")
    assert fact.payment_method is not None
    if declined is not None:
        provider.declines[fact.payment_method.stripe_payment_method_id] = declined
    return fact


async def plan_of(run: Run, product: str = "pro") -> Subscription:
    """The customer's newest subscription to a product, asked for beside all faults."""
    records = await run.outside.store.subscriptions(run.auth, 100)
    return next(record.subscription for record in records if record.subscription.product_slug == product)


async def worked_until(run: Run, status: SubscriptionStatus) -> None:
    """The worker does what is due, and Stripe tells of each charge before its answer is there, until the plan
    stands so."""
    run.outside.provider.tell_at_once = run.elsewhere().report
    for _ in range(_ROUNDS):
        await run.drain(1)
        if (await plan_of(run)).status == status:
            return
    raise AssertionError(f"{await plan_of(run)} is not {status} after {_ROUNDS} rounds")


async def _asked_for_a_card(run: Run, **draft: Any) -> None:
    """A stranger, if nobody is named, who wants the plan."""
    await ada(run)
    await opened(run, **{"price": "pro", "anonymous": "customer" not in draft} | draft)


async def _stranger_asked(run: Run) -> None:
    await _asked_for_a_card(run)


async def ada_asked(run: Run) -> None:
    """The same, who is known."""
    await _asked_for_a_card(run, customer="ada")


async def session_of(run: Run) -> CheckoutSession:
    """The session that was opened last, asked for beside all faults."""
    ids = [known for known in run.answered if known.startswith("cs_")]
    session = await run.outside.store.session(run.auth, ids[-1])  # type: ignore[arg-type]
    assert session is not None
    return session


async def _reported(run: Run) -> None:
    """All that Stripe may tell of a setup intent that ends well."""
    provider, intent = run.outside.provider, (await session_of(run)).setup_intent_id or ""
    await run.report(provider.setups[-1])
    for move in (provider.fail_setup, provider.process_setup, provider.succeed_setup):
        await run.report(move(intent))
    run.answered.append((await plan_of(run)).id)


async def _returned(run: Run) -> None:
    provider, session = run.outside.provider, await session_of(run)
    for move in (provider.fail_setup, provider.process_setup, provider.succeed_setup):
        move(session.setup_intent_id or "")
        await run.insist(
            lambda process: process.process_setup_intent(BuyerReturned(session.id, process.request()))
        )
    run.answered.append((await plan_of(run)).id)


async def _bought_and_not_charged(run: Run) -> None:
    """By a stranger, whom Stripe does not know yet: the card is nobody's."""
    await _asked_for_a_card(run)
    await run.report(await left(run, await session_of(run)))


async def _bought_by_a_card_that_is_declined(run: Run) -> None:
    await _asked_for_a_card(run, customer="ada")
    await run.report(await left(run, await session_of(run), declined="insufficient_funds"))


async def declined(run: Run) -> None:
    await _bought_by_a_card_that_is_declined(run)
    await _not_charged(run)


async def _charged(run: Run) -> None:
    await worked_until(run, "active")


async def _not_charged(run: Run) -> None:
    await worked_until(run, "incomplete")
    while (await plan_of(run)).failure_code != "insufficient_funds":
        await run.drain(1)


async def _charge_not_told(run: Run) -> None:
    """The money has moved, and nobody has said so yet."""
    await _bought_and_not_charged(run)
    await run.drain(1)


async def _charge_told(run: Run) -> None:
    (intent,) = run.outside.provider.intents
    assert intent.ending == "succeeded"
    for _ in range(2):
        await run.report(intent)
    assert (await plan_of(run)).status == "active"


async def paying(run: Run) -> None:
    await _bought_and_not_charged(run)
    await _charged(run)
    await run.drain(1)


async def _another_card(run: Run) -> None:
    """For all subscriptions of the customer."""
    plan = await plan_of(run)
    session = await opened(run, type="add_payment_method", customer=plan.customer_id, all_subscriptions=True)
    await run.report(await left(run, session))
    assert (await plan_of(run)).payment_method_id != plan.payment_method_id
    await run.drain(1)


async def _activated(run: Run) -> None:
    session = await opened(run, type="activate_subscription", subscription=(await plan_of(run)).id)
    await run.report(await left(run, session))
    await worked_until(run, "active")


async def _trial_over(run: Run) -> None:
    await _asked_for_a_card(run, customer="ada", price="pro-trial")
    await run.report(await left(run, await session_of(run)))
    await run.drain(1)
    run.outside.clock.advance(timedelta(days=14))


async def _month_over(run: Run) -> None:
    await paying(run)
    run.outside.clock.advance(MONTH)


async def month_over_and_card_expired(run: Run) -> None:
    await _month_over(run)
    provider = run.outside.provider
    for setup in provider.setups:
        if setup.payment_method is not None:
            provider.declines[setup.payment_method.stripe_payment_method_id] = "expired_card"


async def renewed(run: Run) -> None:
    before = await plan_of(run)
    await worked_until(run, "active")
    while (after := await plan_of(run)).current_period_start == before.current_period_start:
        await run.drain(1)
    assert after.current_period_start == before.current_period_end


async def past_due(run: Run) -> None:
    await worked_until(run, "past_due")
    assert (await plan_of(run)).failure_code == "expired_card"


SUBSCRIBING = (
    Scenario("process setup intent, reported", _stranger_asked, _reported),
    Scenario("process setup intent, returned", ada_asked, _returned),
    Scenario("process setup intent, of a card for all subscriptions", paying, _another_card),
    Scenario("process setup intent, to activate a subscription", declined, _activated),
    Scenario("charge for invoice, by a card that is nobody's yet", _bought_and_not_charged, _charged),
    Scenario("charge for invoice, declined", _bought_by_a_card_that_is_declined, _not_charged),
    Scenario("process payment intent, of a charge", _charge_not_told, _charge_told),
    Scenario("renew and bill, after a trial", _trial_over, renewed),
    Scenario("renew and bill, the next period", _month_over, renewed),
    Scenario("renew and bill, declined", month_over_and_card_expired, past_due),
)
