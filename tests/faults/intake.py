"""What is asked of people by e-mail (see scenarios.py)."""

from datetime import timedelta

from application.answer_once import Answered, AnswerOnce
from application.idempotency import IdempotencyKey, Reply
from application.payments.news import PayerReturned
from domain.ids import IntakePaymentId, RequestId
from domain.intake_payment import IntakePayment, NewIntakePayment
from tests.faults.outside import Process, Run
from tests.faults.scenario import Act, Scenario


async def _books(run: Run) -> None:
    """For a day, so that Stripe may have forgotten its keys."""
    await run.open_books()
    run.outside.clock.advance(timedelta(hours=24))


def _asked_of(email: str) -> Act:
    """A caller who names the request is answered with the one intake payment, however often it is sent."""
    draft = NewIntakePayment(email=email, amount=2500, currency="usd", description="Consultation")

    def encode(asked: IntakePayment) -> Reply:
        return Reply(201, f"{asked.id} {asked.payment_intent_id}")

    async def ask(process: Process, run: Run) -> Answered:
        asking = process.ask_for_payment
        return await AnswerOnce(process.store)(
            run.auth,
            process.ids.new(RequestId),
            IdempotencyKey("POST /intake", "k-1", "asked", encode),
            lambda cause: asking(draft, run.auth, cause),
            lambda begun, cause: asking.resume(begun, run.auth, cause),
        )

    async def act(run: Run) -> None:
        first = await run.insist(lambda process: ask(process, run))
        again = await run.insist(lambda process: ask(process, run))
        assert again == Answered(first.reply, replayed=True)
        (intent,) = run.outside.provider.intents
        assert first.reply.body == f"{intent.intake_payment_id} {intent.payment_intent_id}"
        run.answered.append(intent.intake_payment_id or "")

    return act


def _only(run: Run) -> IntakePaymentId:
    (intent,) = run.outside.provider.intents
    assert intent.intake_payment_id is not None
    return intent.intake_payment_id


async def _asked_and_paid(run: Run) -> None:
    """An attempt fails, another one succeeds, and the payer's browser is back before the webhook."""
    await _asked_of("bob@example.test")(run)
    (intent,) = run.outside.provider.intents
    await run.report(run.outside.provider.fail(intent.payment_intent_id))
    paid = run.outside.provider.succeed(intent.payment_intent_id)
    booked = await run.insist(
        lambda process: process.process_payment_intent(PayerReturned(_only(run), process.request()))
    )
    assert booked.asked is not None
    assert booked.asked.status == "succeeded"
    await run.report(paid)


async def _a_user_is_asked(run: Run) -> None:
    """Whom Stripe does not know yet: the organization's owner."""
    await _asked_of("ada@example.test")(run)
    (known,) = run.outside.provider.users
    record = await run.outside.store.intake_payment(run.auth, _only(run))
    assert record is not None
    assert record.user is not None
    assert record.asked.stripe_customer_id == record.user.stripe_customer_id == known.id


async def _asked_before(run: Run) -> None:
    await _books(run)
    await _asked_of("bob@example.test")(run)


async def _taken_back(run: Run) -> None:
    """Its intent is canceled at Stripe, which tells of that."""
    canceled = await run.insist(
        lambda process: process.cancel_intake_payment(_only(run), run.auth, process.request())
    )
    assert canceled.status == "canceled"
    await run.drain(3)
    (intent,) = run.outside.provider.intents
    assert intent.ending == "abandoned"
    await run.report(intent)


INTAKE = (
    Scenario("ask a stranger for payment, and be paid", _books, _asked_and_paid),
    Scenario("ask a user for payment", _books, _a_user_is_asked),
    Scenario("cancel intake payment", _asked_before, _taken_back),
)
