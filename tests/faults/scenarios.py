"""What happens to the service, one use case each: what was there before, then what meets the faults."""

from datetime import timedelta
from functools import partial
from typing import Any

from application.answer_once import Answered, AnswerOnce
from application.causes import CommandLine
from application.checkout.complete_free_checkout import BuyerConfirms, SellerConfirms
from application.idempotency import IdempotencyKey, Reply
from application.operator_ports import InboxRow
from application.organizations.update_organization import OrganizationChanges
from application.payments.news import BuyerReturned
from application.payments.refund_payment import RefundAsked
from domain.auth import ClientToken
from domain.catalog_document import CatalogDocument
from domain.checkout import BuyerDetails, CheckoutSession, NewProductSession
from domain.customer import NewCustomer
from domain.errors import Rejected
from domain.ids import CheckoutSessionId, RequestId
from domain.reversal import Dispute, NewRefund, ReversalFact
from tests.application.payment_flows import intent_of
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario


async def _nothing(_: Run) -> None:
    return


async def _books(run: Run) -> None:
    await run.open_books()


async def _shop(run: Run) -> None:
    await run.open_books()
    await run.sell()


async def _customer(run: Run) -> None:
    draft = NewCustomer(external_id="alice", email="alice@example.test", metadata={"plan": "x"})
    found = await run.insist(lambda process: process.create_customer(draft, run.auth, process.request()))
    made = found.record.customer.id
    run.answered.append(made)
    assert await run.insist(lambda process: process.store.customer(run.auth, made)), "answered, and not there"


async def _known_customer(run: Run) -> None:
    await _shop(run)
    await _customer(run)


async def _session(run: Run, price: str = "book", **given: Any) -> CheckoutSession:
    draft = NewProductSession(price=price, anonymous=True, **given)
    session = await run.insist(
        lambda process: process.open_checkout_session(draft, run.auth, process.request())
    )
    run.answered.append(session.id)
    read = await run.insist(lambda process: process.store.session(run.auth, session.id))
    assert read is not None, "answered, and not there"
    assert read.payment_intent_id == session.payment_intent_id
    return session


async def _open_session(run: Run) -> None:
    await _shop(run)
    await _session(run)


async def _named(run: Run) -> None:
    """A caller who names its requests: each is done once, and answered the same when it is sent again."""
    draft = NewProductSession(price="book", anonymous=True)

    def encode(session: CheckoutSession) -> Reply:
        return Reply(201, f"{session.id} {session.payment_intent_id}")

    async def ask(process: Process) -> Answered:
        opening = process.open_checkout_session
        return await AnswerOnce(process.store)(
            run.auth,
            process.ids.new(RequestId),
            IdempotencyKey("POST /sessions", "k-1", "asked", encode),
            lambda cause: opening(draft, run.auth, cause),
            lambda begun, cause: opening.resume(begun, run.auth, cause),
        )

    first, again = await run.insist(ask), await run.insist(ask)
    assert again == Answered(first.reply, replayed=True)
    (intent,) = run.outside.provider.intents
    assert first.reply.body == f"{intent.checkout_session_id} {intent.payment_intent_id}"
    run.answered.append(intent.checkout_session_id or "")


async def _session_and_its_news(run: Run) -> CheckoutSession:
    """Stripe tells of every intent that it made, also of one whose making was never answered."""
    session = await _session(run)
    for intent in run.outside.provider.intents:
        await run.report(intent)
    return session


async def _session_with_fast_news(run: Run) -> None:
    """Another process books the webhook of the new intent before this one has Stripe's reply."""
    run.outside.provider.tell_at_once = run.elsewhere().report
    await _session(run)


async def _free_session(run: Run) -> None:
    await _shop(run)
    await _session(run, "sample")


def _only_session(run: Run) -> CheckoutSessionId:
    (found,) = [known for known in run.answered if known.startswith("cs_")]
    return CheckoutSessionId(found)


async def _confirmed_by_the_application(run: Run) -> None:
    wanted = _only_session(run)
    for _ in range(2):
        completed = await run.insist(
            lambda process: process.complete_free_checkout(
                SellerConfirms(wanted, run.auth, process.request())
            )
        )
        assert completed.status == "succeeded"
        run.answered += [str(completed.purchase_id), str(completed.customer_id)]
    await run.drain(2)


async def _confirmed_by_the_buyer(run: Run) -> None:
    wanted = _only_session(run)
    session = await run.insist(lambda process: process.store.session(run.auth, wanted))
    assert session is not None
    token = ClientToken(session.client_token)
    details = BuyerDetails(customer_email="bob@example.test")
    await run.insist(
        lambda process: process.update_checkout_session(
            wanted, BuyerDetails(customer_name="Bob"), token, process.request()
        )
    )
    completed = await run.insist(
        lambda process: process.complete_free_checkout(
            BuyerConfirms(wanted, token, details, process.request())
        )
    )
    assert (completed.customer_email, completed.customer_name) == ("bob@example.test", "Bob")
    run.answered += [str(completed.purchase_id), str(completed.customer_id)]
    await run.drain(2)


async def _perform(run: Run) -> None:
    await run.drain(2)


async def _paid_as_reported(run: Run) -> None:
    provider = run.outside.provider
    (created,) = provider.intents
    intent_id = created.payment_intent_id
    for fact in (created, *(move(intent_id) for move in (provider.fail, provider.process, provider.succeed))):
        await run.report(fact)
    await run.drain(2)


async def _paid_as_returned(run: Run) -> None:
    provider = run.outside.provider
    (created,) = provider.intents
    provider.fail(created.payment_intent_id)
    session_id = created.checkout_session_id
    assert session_id is not None
    for happens in (provider.process, provider.succeed):
        happens(created.payment_intent_id)
        await run.insist(
            lambda process: process.process_payment_intent(BuyerReturned(session_id, process.request()))
        )
    await run.drain(2)


async def _a_day_between_tries(run: Run) -> None:
    await run.drain(2, timedelta(hours=25))


async def _paid(run: Run) -> None:
    await _shop(run)
    session = await _session(run)
    await run.report(run.outside.provider.succeed(intent_of(session)))


async def _refunded(run: Run) -> None:
    """All of it goes back. Whoever had no answer asks again, and is told when there is nothing left."""

    async def refund(process: Process) -> None:
        (payment,) = await process.store.payments(run.auth, 10)
        asked = RefundAsked(payment.id, NewRefund(), run.auth, process.request())
        try:
            await process.refund_payment(asked)
        except Rejected as refusal:
            if refusal.code != "refund_exceeds_payment":
                raise

    await run.insist(refund)
    await run.drain(2)


async def _refunded_in_the_dashboard(run: Run) -> None:
    """Stripe tells of a refund, of its failing, and of a dispute."""
    provider, intent = run.outside.provider, await _intent(run)
    refunded = provider.refund(intent, 400)
    await run.report(refunded)
    await run.report(provider.fail_refund(intent, refunded.refunds[0].stripe_refund_id or ""))
    for status in ("open", "lost"):
        dispute = Dispute("du_1", 1500, "usd", status)
        await run.report(ReversalFact(intent, False, disputes=(dispute,)))


async def _kept(run: Run) -> None:
    """What a buyer has paid for is not sold any more, and there is no other pricing model."""
    await _shop(run)
    session = await _session(run)
    await run.sell(CatalogDocument())
    booked = await run.report(run.outside.provider.succeed(intent_of(session)))
    assert booked.refusal == "no_default_pricing_model"


async def _retried(row: InboxRow, process: Process) -> str | None:
    return await process.retries.retry(row)


async def _mended(run: Run) -> None:
    """It is tried again by itself; where that was cut off, by a person who does not wait for the lease's end:
    the same, at the same time."""
    await run.sell()
    run.outside.clock.advance(timedelta(minutes=1))
    await run.insist(lambda process: process.retries.run_due())
    for row in await run.outside.worker_store.unhandled(10):
        assert await run.insist(partial(_retried, row)) is None
    await run.drain(2)


async def _intent(run: Run) -> str:
    (created,) = run.outside.provider.intents
    return created.payment_intent_id


async def _receipts_are_sent(run: Run) -> None:
    changes = OrganizationChanges(sends_receipts=True)
    await run.insist(
        lambda process: process.update_organization(
            changes, run.auth, CommandLine("test", process.ids.new(RequestId))
        )
    )


async def _paid_with_a_receipt_to_come(run: Run) -> None:
    await _shop(run)
    await _receipts_are_sent(run)
    session = await _session(run, customer_email="bob@example.test")
    await run.report(run.outside.provider.succeed(intent_of(session)))


async def _numbered_and_mailed(run: Run) -> None:
    await run.drain(1)


async def _everything(run: Run) -> None:
    await run.sell()
    await _customer(run)
    session = await _session_and_its_news(run)
    paid = run.outside.provider.succeed(intent_of(session))
    await run.report(paid)
    await run.insist(
        lambda process: process.process_payment_intent(BuyerReturned(session.id, process.request()))
    )
    await run.drain(2)


SCENARIOS = (
    Scenario("create organization", _nothing, _books),
    Scenario("apply catalog", _books, Run.sell),
    Scenario("create customer", _shop, _customer),
    Scenario("create customer at Stripe", _known_customer, _perform),
    Scenario("create customer at Stripe, a day between tries", _known_customer, _a_day_between_tries),
    Scenario("open checkout session", _shop, _session_and_its_news),
    Scenario("open checkout session, named by its caller", _shop, _named),
    Scenario("open checkout session, its webhook first", _shop, _session_with_fast_news),
    Scenario("process payment intent, reported", _open_session, _paid_as_reported),
    Scenario("process payment intent, returned", _open_session, _paid_as_returned),
    Scenario("process payment intent, kept and tried again", _kept, _mended),
    Scenario("refund payment", _paid, _refunded),
    Scenario("process payment intent, refunded and disputed", _paid, _refunded_in_the_dashboard),
    Scenario("complete free checkout, by the application", _free_session, _confirmed_by_the_application),
    Scenario("complete free checkout, by the buyer", _free_session, _confirmed_by_the_buyer),
    Scenario("update organization", _books, _receipts_are_sent),
    Scenario("number invoices and mail a receipt", _paid_with_a_receipt_to_come, _numbered_and_mailed),
    Scenario("everything, one after another", _books, _everything),
)
