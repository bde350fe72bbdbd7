"""What becomes of an intake payment once somebody pays it, takes it back, or gives it back."""

import asyncio

import pytest
from msgspec.structs import replace

from application.operator_ports import InboxRow
from domain.checkout import CheckoutSession
from domain.effects import CancelIntakeIntent
from domain.errors import NotFound, Rejected, Unavailable
from domain.ids import IntakePaymentId
from domain.intake_payment import IntakePayment
from domain.payment import Payment, PaymentFact
from tests.application.payment_flows import intent_of
from tests.application.promises import of_kind
from tests.world import MemoryWorld


def pays_by(asked: IntakePayment) -> str:
    assert asked.payment_intent_id is not None
    return asked.payment_intent_id


def types(world: MemoryWorld, id: str) -> list[str]:
    return [event.type for event in world.store.events if event.subject.id == id]


async def test_it_is_paid_with_its_payment_in_one_commit(world: MemoryWorld) -> None:
    asked = await world.ask()
    booked = await world.report(world.gateway.succeed(pays_by(asked)))
    (payment,) = of_kind(world.store, Payment)
    assert booked.asked == await world.asked(asked.id)
    assert booked.asked is not None
    assert (booked.asked.status, booked.asked.payment_id) == ("succeeded", payment.id)
    assert booked.asked.completed_at == world.clock.now()
    assert (payment.intake_payment_id, payment.status, payment.amount) == (asked.id, "succeeded", 2500)
    assert (payment.customer_id, payment.purchase_id, payment.invoice_id) == (None, None, None)
    assert types(world, asked.id)[2:] == ["intake_payment.succeeded"]
    assert types(world, payment.id) == ["payment.succeeded"]


async def test_a_declined_attempt_leaves_it_payable(world: MemoryWorld) -> None:
    asked = await world.ask()
    await world.report(world.gateway.fail(pays_by(asked)))
    assert (await world.asked(asked.id)).status == "failed"
    bill = await world.store.bill(asked.id)
    assert bill is not None
    assert bill.refusal == "The payment failed: card_declined."
    await world.report(world.gateway.process(pays_by(asked)))
    assert (await world.asked(asked.id)).status == "processing"
    await world.report(world.gateway.succeed(pays_by(asked)))
    assert types(world, asked.id)[2:] == [
        "intake_payment.failed",
        "intake_payment.processing",
        "intake_payment.succeeded",
    ]


async def test_the_payers_browser_comes_back_before_the_webhook(world: MemoryWorld) -> None:
    asked = await world.ask()
    paid = world.gateway.succeed(pays_by(asked))
    returned = await world.payer_returns(asked.id)
    assert returned.asked is not None
    assert returned.asked.status == "succeeded"
    before = world.store.states, world.store.events
    assert (await world.report(paid)).refusal is None
    assert (await world.payer_returns(asked.id)).asked == returned.asked
    assert (world.store.states, world.store.events) == before


async def test_a_return_before_anybody_has_paid_tells_that_it_is_open(world: MemoryWorld) -> None:
    asked = await world.ask()
    returned = await world.payer_returns(asked.id)
    assert returned.asked == asked


async def test_a_return_to_what_is_not_there_is_refused(world: MemoryWorld) -> None:
    with pytest.raises(NotFound) as refused:
        await world.payer_returns(IntakePaymentId("intake_00000000000000000000000000"))
    assert refused.value.code == "intake_payment_not_found"


async def test_the_seller_takes_it_back_and_stripes_intent_is_canceled(world: MemoryWorld) -> None:
    asked = await world.ask()
    canceled = await world.take_back(asked.id)
    assert (canceled.status, canceled.canceled_at) == ("canceled", world.clock.now())
    assert [task.effect for task in world.store.tasks] == [CancelIntakeIntent(asked.id, pays_by(asked))]
    assert await world.take_back(asked.id) == canceled
    await world.worker_drains()
    told = await world.gateway.payment_intent(pays_by(asked), livemode=False)
    assert told.ending == "abandoned"
    assert (await world.report(told)).refusal is None
    assert (await world.asked(asked.id)).status == "canceled"
    assert types(world, asked.id).count("intake_payment.canceled") == 1


async def test_what_is_paid_after_it_was_taken_back_is_booked(world: MemoryWorld) -> None:
    asked = await world.ask()
    await world.take_back(asked.id)
    await world.report(world.gateway.succeed(pays_by(asked)))
    assert (await world.asked(asked.id)).status == "succeeded"
    await world.worker_drains()
    assert (await world.asked(asked.id)).status == "succeeded"
    with pytest.raises(Rejected) as refused:
        await world.take_back(asked.id)
    assert refused.value.code == "intake_payment_not_open"


async def test_of_paying_and_taking_back_at_once_the_money_wins(world: MemoryWorld) -> None:
    asked = await world.ask()
    paid = world.gateway.succeed(pays_by(asked))
    outcomes = await asyncio.gather(
        world.take_back(asked.id), world.report(paid), world.payer_returns(asked.id), return_exceptions=True
    )
    refused = [one.code for one in outcomes if isinstance(one, Rejected)]
    assert refused in ([], ["intake_payment_not_open"])
    assert (await world.asked(asked.id)).status == "succeeded"
    assert types(world, asked.id).count("intake_payment.succeeded") == 1


async def test_what_was_paid_can_be_given_back(world: MemoryWorld) -> None:
    asked = await world.ask()
    await world.report(world.gateway.succeed(pays_by(asked)))
    (payment,) = of_kind(world.store, Payment)
    refunded = await world.refund(payment.id, 1000)
    assert (refunded.refund.status, refunded.record.payment.refunded_amount) == ("succeeded", 1000)
    assert (await world.asked(asked.id)).status == "succeeded"
    await world.report(world.gateway.refund(pays_by(asked), 500))
    (payment,) = of_kind(world.store, Payment)
    assert payment.refunded_amount == 1500


async def kept(world: MemoryWorld, fact: PaymentFact, code: str) -> InboxRow:
    before = world.store.states, world.store.events, world.store.tasks
    assert (await world.report(fact, "evt_kept")).refusal == code
    assert (world.store.states, world.store.events, world.store.tasks) == before
    (row,) = world.store.inbox
    assert (row.refusal, row.fact, row.handled_at) == (code, fact, None)
    return row


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": 2499}, "amount_mismatch"),
        ({"currency": "eur"}, "amount_mismatch"),
        ({"stripe_customer_id": "cus_other"}, "stripe_customer_mismatch"),
        ({"payment_intent_id": "pi_other"}, "payment_intent_mismatch"),
        ({"intake_payment_id": IntakePaymentId("intake_unknown")}, "intake_payment_unknown"),
        ({"organization_id": None}, "intake_payment_unknown"),
        ({"livemode": True}, "intake_payment_unknown"),
    ],
    ids=["amount", "currency", "customer", "intent", "unknown", "nobody's", "the other mode"],
)
async def test_what_does_not_fit_is_kept(world: MemoryWorld, wrong: dict[str, object], code: str) -> None:
    asked = await world.ask()
    await kept(world, replace(world.gateway.succeed(pays_by(asked)), **wrong), code)


async def test_an_intent_pays_one_thing_whatever_its_marks_say(world: MemoryWorld) -> None:
    session, asked, other = await world.session(), await world.ask(), await world.ask()
    paid = world.gateway.succeed(intent_of(session))
    marked = replace(paid, checkout_session_id=None, intake_payment_id=asked.id, amount=2500)
    await kept(world, marked, "payment_intent_mismatch")
    asked_for = world.gateway.succeed(pays_by(asked))
    assert (await world.report(replace(asked_for, intake_payment_id=other.id))).refusal == (
        "payment_intent_mismatch"
    )
    await world.report(asked_for)
    fits_a_session = replace(asked_for, intake_payment_id=None, checkout_session_id=session.id, amount=1500)
    assert (await world.report(fits_a_session)).refusal == "payment_intent_mismatch"


async def test_an_intent_that_is_known_to_pay_one_thing_pays_no_other_that_has_none_yet(
    world: MemoryWorld,
) -> None:
    """Stripe did not answer for either of those, so that nothing else speaks against it."""
    session, asked = await world.session(), await world.ask()
    for again in (world.session, world.ask):
        world.gateway.fail_next("before")
        with pytest.raises(Unavailable):
            await again()
    (bare_session,) = [one for one in of_kind(world.store, CheckoutSession) if not one.payment_intent_id]
    (bare,) = [one for one in of_kind(world.store, IntakePayment) if not one.payment_intent_id]
    of_session = replace(world.gateway.succeed(intent_of(session)), amount=2500, checkout_session_id=None)
    of_asked = world.gateway.succeed(pays_by(asked))
    await world.report(of_asked)
    for fact in (
        replace(of_session, intake_payment_id=bare.id),
        replace(of_asked, intake_payment_id=bare.id),
        replace(of_asked, intake_payment_id=None, checkout_session_id=bare_session.id, amount=1500),
    ):
        assert (await world.report(fact)).refusal == "payment_intent_mismatch"


async def test_a_return_that_does_not_fit_is_refused_and_changes_nothing(world: MemoryWorld) -> None:
    asked = await world.ask()
    world.gateway.put(replace(world.gateway.succeed(pays_by(asked)), amount=1))
    before = world.store.states, world.store.events
    with pytest.raises(Rejected) as refused:
        await world.payer_returns(asked.id)
    assert refused.value.code == "amount_mismatch"
    assert (world.store.states, world.store.events) == before


async def test_another_organization_and_the_other_mode_take_nothing_back(world: MemoryWorld) -> None:
    asked = await world.ask()
    other, _ = await world.organization("Other")
    for auth in (other, world.live):
        with pytest.raises(NotFound):
            await world.take_back(asked.id, auth)
    assert (await world.asked(asked.id)).status == "open"
