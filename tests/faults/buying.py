"""What is bought and no card is kept for it, and sessions in which nothing is bought (see scenarios.py)."""

from datetime import timedelta

from msgspec.structs import replace

from application.checkout.complete_free_checkout import SellerConfirms
from domain.catalog_document import PriceEntry, ProductEntry
from domain.checkout import BuyerDetails
from domain.purchase import NewPurchase
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario
from tests.faults.subscribing import ada, ada_asked, opened, plan_of, session_of
from tests.world import CATALOG


async def _agreed_and_paid(run: Run) -> None:
    """A purchase made through the API, paid by a session of its own; a try that had no answer leaves an open
    purchase, which nobody pays."""
    draft = NewPurchase(customer="ada", price="book", quantity=2)
    purchase = await run.insist(lambda process: process.make_purchase(draft, run.auth, process.request()))
    run.answered.append(purchase.id)
    session = await opened(run, type="purchase", purchase=purchase.id)
    await run.report(run.outside.provider.succeed(session.payment_intent_id or ""))
    await run.drain(1)


async def _book_offered(run: Run) -> None:
    await ada(run)
    await opened(run, price="book", customer="ada")


async def _three_wanted_once_and_paid(run: Run) -> None:
    """The buyer asks once, hears what they hear, and pays what they are asked for."""
    session, asked = await session_of(run), False

    async def ask_once(process: Process) -> None:
        nonlocal asked
        if not asked:
            asked = True
            details = BuyerDetails(quantity=3)
            await process.update_checkout_session(session.id, details, run.auth, process.request())

    await run.insist(ask_once)
    booked = await run.report(run.outside.provider.succeed(session.payment_intent_id or ""))
    assert booked.refusal is None
    await run.drain(1)


async def _three_wanted_and_paid(run: Run) -> None:
    session = await session_of(run)
    details = BuyerDetails(quantity=3)
    changed = await run.insist(
        lambda process: process.update_checkout_session(session.id, details, run.auth, process.request())
    )
    assert changed.amount == 4500
    paid = run.outside.provider.succeed(session.payment_intent_id or "")
    assert paid.amount == 4500
    await run.report(paid)
    await run.drain(1)


_CLUB = ProductEntry(
    slug="club",
    name="Club",
    group="clubs",
    prices=(PriceEntry(slug="club", type="subscription", amount=0, currency="usd", interval="month"),),
)


async def _club_offered(run: Run) -> None:
    standard, *others = CATALOG.pricing_models
    standard = replace(standard, products=(*standard.products, _CLUB))
    await ada(run)
    await run.sell(replace(CATALOG, pricing_models=(standard, *others)))
    await opened(run, price="club", customer="ada")


async def _joined(run: Run) -> None:
    session = await session_of(run)
    for _ in range(2):
        completed = await run.insist(
            lambda process: process.complete_free_checkout(
                SellerConfirms(session.id, run.auth, process.request())
            )
        )
        assert completed.subscription_id is not None
        run.answered += [completed.subscription_id, str(completed.purchase_id)]
    assert (await plan_of(run, "club")).status == "active"
    await run.drain(1)


async def _time_is_up(run: Run) -> None:
    """The session expires, its intent is canceled, and Stripe tells of that."""
    run.outside.clock.advance(timedelta(hours=24))
    await run.drain(3)
    session = await session_of(run)
    (fact,) = [fact for fact in run.outside.provider.of_sessions if fact.checkout_session_id == session.id]
    assert (session.status, fact.ending) == ("expired", "abandoned")
    await run.report(fact)


async def _two_paid(run: Run) -> None:
    """And neither has its number."""
    await ada(run)
    for _ in range(2):
        session = await opened(run, price="book", customer="ada")
        await run.report(run.outside.provider.succeed(session.payment_intent_id or ""))


QUANTITY_ASKED_ONCE = Scenario("change the quantity, once", _book_offered, _three_wanted_once_and_paid)
"""How it ends depends on the fault: the buyer pays for one, or for three."""

BUYING = (
    Scenario("make purchase, and pay it", ada, _agreed_and_paid),
    Scenario("update checkout session, quantity", _book_offered, _three_wanted_and_paid),
    Scenario("complete free checkout, of a subscription", _club_offered, _joined),
    Scenario("cancel payment intent", _book_offered, _time_is_up),
    Scenario("cancel setup intent", ada_asked, _time_is_up),
    Scenario("number invoices, two at once", _two_paid, lambda run: run.drain(1)),
)
