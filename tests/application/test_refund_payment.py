"""Money goes back: asked for here, or made at Stripe; in full, in parts, and never more than was paid."""

import asyncio
from datetime import timedelta

import pytest

from application.payments.refund_payment import Refunded
from domain.effects import CreateRefund
from domain.errors import NotFound, ProviderRefused, Rejected, Unavailable
from domain.ids import PaymentId
from domain.payment import Payment, PaymentFact
from domain.purchase import Purchase
from domain.reversal import Dispute, ReversalFact
from tests.application.promises import of_kind
from tests.world import MemoryWorld


def told(world: MemoryWorld) -> list[str]:
    """What was told of refunds, disputes and purchases, in order."""
    about = ("payment.refund", "payment.dispute", "dispute.", "purchase.")
    return [event.type for event in world.store.events if event.type.startswith(about)]


async def standing(world: MemoryWorld, id: PaymentId) -> tuple[int, str]:
    """What went back, and how the purchase stands."""
    record = await world.payment(id)
    assert record.purchase is not None
    return record.payment.refunded_amount, record.purchase.status


async def test_all_that_is_left_goes_back_when_no_amount_is_given(world: MemoryWorld) -> None:
    paid = await world.paid()
    part = await world.refund(paid.id, 400, reason="duplicate", metadata={"ticket": "7"})
    assert (part.refund.status, part.refund.amount) == ("succeeded", 400)
    assert (part.refund.reason, part.refund.metadata) == ("duplicate", {"ticket": "7"})
    assert await standing(world, paid.id) == (400, "partially_refunded")
    rest = await world.refund(paid.id)
    assert (rest.refund.amount, rest.record.payment.refunded_amount) == (1100, 1500)
    assert await standing(world, paid.id) == (1500, "refunded")
    assert told(world) == [
        "purchase.created",
        "purchase.completed",
        "payment.refund_pending",
        "purchase.partially_refunded",
        "payment.refunded",
        "payment.refund_pending",
        "purchase.refunded",
        "payment.refunded",
    ]
    assert [refund.id for refund in world.gateway.refunds_of(paid.payment_intent_id)] == [
        part.refund.id,
        rest.refund.id,
    ]


@pytest.mark.parametrize("amount", [1501, 10**20])
async def test_more_than_is_left_is_refused_and_changes_nothing(world: MemoryWorld, amount: int) -> None:
    paid = await world.paid()
    before = world.store.events
    with pytest.raises(Rejected) as refusal:
        await world.refund(paid.id, amount)
    assert (refusal.value.code, refusal.value.field) == ("refund_exceeds_payment", "amount")
    assert world.store.events == before
    assert world.gateway.refunds_of(paid.payment_intent_id) == ()


async def test_only_what_has_succeeded_is_refunded(world: MemoryWorld) -> None:
    session = await world.session()
    assert session.payment_intent_id is not None
    await world.report(world.gateway.process(session.payment_intent_id))
    (processing,) = await world.store.payments(world.auth, 10)
    with pytest.raises(Rejected) as refusal:
        await world.refund(processing.id)
    assert refusal.value.code == "payment_not_refundable"


async def test_a_payment_of_another_organization_or_mode_is_not_there(world: MemoryWorld) -> None:
    paid = await world.paid()
    other, _ = await world.organization("Other")
    for stranger in (other, world.live):
        with pytest.raises(NotFound) as refusal:
            await world.refund(paid.id, auth=stranger)
        assert refusal.value.code == "payment_not_found"
        assert await world.store.payments(stranger, 10) == []
    assert await standing(world, paid.id) == (0, "paid")


async def test_twenty_ask_for_a_third_each_and_three_get_it(world: MemoryWorld) -> None:
    paid = await world.paid()
    asked = [world.refund(paid.id, 500) for _ in range(20)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Refunded) for answer in answers) == 3
    refusals = [answer.code for answer in answers if isinstance(answer, Rejected)]
    assert refusals == ["refund_exceeds_payment"] * 17
    assert await standing(world, paid.id) == (1500, "refunded")
    assert sum(refund.amount for refund in world.gateway.refunds_of(paid.payment_intent_id)) == 1500


async def test_one_made_in_the_dashboard_is_booked_and_counts(world: MemoryWorld) -> None:
    paid = await world.paid()
    refund = world.gateway.refund(paid.payment_intent_id, 1000)
    assert (await world.report(refund)).refusal is None
    assert await standing(world, paid.id) == (1000, "partially_refunded")
    with pytest.raises(Rejected):
        await world.refund(paid.id, 501)
    assert (await world.refund(paid.id)).refund.amount == 500


async def test_one_that_fails_later_counts_back_and_can_be_made_again(world: MemoryWorld) -> None:
    paid = await world.paid()
    completed_at = world.clock.now()
    world.clock.advance(timedelta(days=30))
    refunded = await world.refund(paid.id)
    assert refunded.refund.stripe_refund_id is not None
    failed = world.gateway.fail_refund(paid.payment_intent_id, refunded.refund.stripe_refund_id)
    await world.report(failed)
    await world.report(failed)
    assert await standing(world, paid.id) == (0, "paid")
    assert told(world)[-2:] == ["purchase.updated", "payment.refund_failed"]
    assert told(world).count("purchase.completed") == 1
    assert [purchase.completed_at for purchase in of_kind(world.store, Purchase)] == [completed_at]
    assert (await world.refund(paid.id)).refund.amount == 1500


async def test_what_stripe_refuses_has_failed_and_whoever_asked_is_told_why(world: MemoryWorld) -> None:
    paid = await world.paid()
    world.gateway.refund(paid.payment_intent_id, 1000)  # and its webhook has yet to come
    with pytest.raises(Rejected) as refusal:
        await world.refund(paid.id)
    assert refusal.value.code == "refund_refused"
    assert "greater than unrefunded amount" in refusal.value.detail
    (refund,) = (await world.payment(paid.id)).payment.refunds
    assert (refund.status, refund.failure_reason, refund.amount) == ("failed", "refused", 1500)
    assert await standing(world, paid.id) == (0, "paid")
    world.clock.advance(timedelta(hours=1))
    await world.perform_due()
    assert len(world.gateway.refunds_of(paid.payment_intent_id)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_refund_that_stripe_did_not_answer_is_finished_by_the_worker_and_made_once(
    world: MemoryWorld, moment: str
) -> None:
    paid = await world.paid()
    world.gateway.fail_next(moment)  # type: ignore[arg-type]
    asked = await world.refund(paid.id, 600)
    assert (asked.refund.status, asked.refund.stripe_refund_id) == ("pending", None)
    assert await standing(world, paid.id) == (600, "partially_refunded")
    world.clock.advance(timedelta(hours=25))
    world.gateway.forget_keys()
    await world.perform_due()
    assert len(world.gateway.refunds_of(paid.payment_intent_id)) == 1
    ((refund),) = (await world.payment(paid.id)).payment.refunds
    assert refund.status == "succeeded"
    assert told(world)[-1] == "payment.refunded"


async def test_the_worker_leaves_a_refund_alone_that_is_known(world: MemoryWorld) -> None:
    paid = await world.paid()
    await world.refund(paid.id, 600)
    (task,) = [task for task in world.store.tasks if isinstance(task.effect, CreateRefund)]
    assert task.due_at > world.clock.now()
    calls = len(world.gateway.calls)
    await world.perform(task)
    assert len(world.gateway.calls) == calls
    assert not [task for task in world.store.tasks if isinstance(task.effect, CreateRefund)]


async def test_the_worker_books_that_stripe_refuses(world: MemoryWorld) -> None:
    paid = await world.paid()
    world.gateway.fail_next("before")
    await world.refund(paid.id)
    world.gateway.refund(paid.payment_intent_id, 1500)
    world.clock.advance(timedelta(minutes=5))
    await world.perform_due()
    (refund,) = (await world.payment(paid.id)).payment.refunds
    assert refund.status == "failed"
    assert await standing(world, paid.id) == (0, "paid")


async def test_its_own_webhook_may_be_faster_than_the_answer(world: MemoryWorld) -> None:
    """Stripe's report and our own row are one refund."""
    paid = await world.paid()
    world.gateway.fail_next("after")
    await world.refund(paid.id, 600)
    (made,) = world.gateway.refunds_of(paid.payment_intent_id)
    await world.report(ReversalFact(paid.payment_intent_id, False, refunds=(made,)))
    (refund,) = (await world.payment(paid.id)).payment.refunds
    assert (refund.status, refund.stripe_refund_id) == ("succeeded", made.stripe_refund_id)
    assert await standing(world, paid.id) == (600, "partially_refunded")


@pytest.mark.parametrize("verdict", ["won", "lost", "closed"])
async def test_a_dispute_is_opened_and_closed_and_each_is_told_once(world: MemoryWorld, verdict: str) -> None:
    paid = await world.paid()
    opened = Dispute("du_1", 1500, "usd", "open", "fraudulent")
    closed = Dispute("du_1", 1500, "usd", verdict, "fraudulent")  # type: ignore[arg-type]
    for dispute in (opened, opened, closed, opened, closed):
        await world.report(ReversalFact(paid.payment_intent_id, False, disputes=(dispute,)))
    assert (await world.payment(paid.id)).payment.disputes == (closed,)
    assert told(world)[-2:] == ["payment.disputed", "dispute.closed"]
    assert await standing(world, paid.id) == (0, "paid")


async def test_a_dispute_that_comes_before_the_payment_brings_the_payment(
    world: MemoryWorld,
) -> None:
    session = await world.session()
    assert session.payment_intent_id is not None
    world.gateway.succeed(session.payment_intent_id)
    dispute = Dispute("du_1", 1500, "usd", "open")
    booked = await world.report(ReversalFact(session.payment_intent_id, False, disputes=(dispute,)))
    assert booked.session is not None
    assert booked.session.status == "succeeded"
    (payment,) = of_kind(world.store, Payment)
    assert (payment.status, payment.disputes) == ("succeeded", (dispute,))
    assert [purchase.status for purchase in of_kind(world.store, Purchase)] == ["paid"]


async def test_a_refund_of_an_intent_that_is_not_ours_is_kept_with_its_reason(world: MemoryWorld) -> None:
    world.gateway.put(PaymentFact("pi_foreign", False, 900, "usd", "succeeded"))
    for intent in ("pi_foreign", "pi_nowhere"):
        fact = ReversalFact(intent, False, disputes=(Dispute("du_1", 900, "usd", "open"),))
        assert (await world.report(fact)).refusal == "payment_intent_not_ours"
        assert world.store.inbox[-1].refusal == "payment_intent_not_ours"
        assert world.store.inbox[-1].fact == fact
    assert of_kind(world.store, Payment) == []


async def test_while_stripe_does_not_answer_nothing_is_taken_and_its_webhook_comes_again(
    world: MemoryWorld,
) -> None:
    paid = await world.paid()
    refund = world.gateway.refund(paid.payment_intent_id, 1000)
    world.gateway.fail_next("before")
    with pytest.raises(Unavailable):
        await world.report(refund, "evt_refund")
    assert not [row for row in world.store.inbox if row.id == "evt_refund"]
    assert (await world.report(refund, "evt_refund")).refusal is None
    assert await standing(world, paid.id) == (1000, "partially_refunded")


async def test_the_same_key_with_other_parameters_is_refused_by_the_provider(world: MemoryWorld) -> None:
    paid = await world.paid()
    wanted = CreateRefund(paid.id, paid.payment_intent_id, "rfd_1", 500, None)
    tenant = {"organization_id": paid.organization_id, "livemode": False}
    for _ in range(2):
        made = await world.gateway.create_refund(wanted, **tenant, idempotency_key="rfd_1")  # type: ignore[arg-type]
        assert made.id == "rfd_1"
    assert len(world.gateway.refunds_of(paid.payment_intent_id)) == 1
    other = CreateRefund(paid.id, paid.payment_intent_id, "rfd_1", 600, None)
    with pytest.raises(ProviderRefused):
        await world.gateway.create_refund(other, **tenant, idempotency_key="rfd_1")  # type: ignore[arg-type]
