"""Payments and what goes back of them, on every store."""

import asyncio
from collections import Counter
from functools import partial
from itertools import permutations

import pytest

from application.payments.refund_payment import Refunded
from domain.auth import Authenticated
from domain.checkout import CheckoutSession
from domain.errors import Rejected
from domain.ids import PaymentId
from domain.payment import Payment, PaymentFact
from domain.reversal import Dispute, ReversalFact
from tests.contracts.worlds import World


async def paid(world: World, auth: Authenticated) -> Payment:
    session = await world.session(auth)
    assert session.payment_intent_id is not None
    fact = world.gateway.succeed(session.payment_intent_id)
    booked = await world.report(fact, f"evt_{session.id}")
    assert booked.refusal is None
    (payment, *_) = await world.store.payments(auth, 1)
    return payment


async def test_payments_are_listed_newest_first_by_pages(world: World) -> None:
    auth = await world.organization()
    made = [(await paid(world, auth)).id for _ in range(5)]
    first = await world.store.payments(auth, 2)
    second = await world.store.payments(auth, 2, first[-1].id)
    last = await world.store.payments(auth, 2, second[-1].id)
    assert [payment.id for page in (first, second, last) for payment in page] == made[::-1]
    assert await world.store.payments(auth, 2, last[-1].id) == []


async def test_a_payment_is_read_with_its_purchase_and_by_nobody_else(world: World) -> None:
    auth = await world.organization()
    payment = await paid(world, auth)
    record = await world.store.payment(auth, payment.id)
    assert record is not None
    assert record.payment == payment
    assert record.purchase is not None
    assert (record.purchase.id, record.purchase.status) == (payment.purchase_id, "paid")
    other = await world.organization("other")
    live = Authenticated(auth.user_id, auth.organization_id, livemode=True)
    for stranger in (other, live):
        assert await world.store.payment(stranger, payment.id) is None
        assert await world.store.payments(stranger, 10) == []
    assert await world.store.payment(auth, PaymentId("pay_none")) is None


async def test_refunds_and_disputes_come_back_from_the_books_as_they_were_stored(world: World) -> None:
    auth = await world.organization()
    payment = await paid(world, auth)
    refunded = await world.refund(auth, payment.id, 400)
    dispute = Dispute("du_1", 1599, "usd", "open", "fraudulent")
    await world.report(ReversalFact(payment.payment_intent_id, False, disputes=(dispute,)), "evt_dispute")
    record = await world.store.payment(auth, payment.id)
    assert record is not None
    assert record.payment.refunds == (refunded.refund,)
    assert record.payment.disputes == (dispute,)
    assert record.purchase is not None
    assert record.purchase.status == "partially_refunded"


async def test_twenty_who_ask_for_a_third_each_at_once_share_what_there_is(world: World) -> None:
    auth = await world.organization()
    payment = await paid(world, auth)
    asked = [world.refund(auth, payment.id, 666) for _ in range(20)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Refunded) for answer in answers) == 3
    refusals = [answer.code for answer in answers if isinstance(answer, Rejected)]
    assert refusals == ["refund_exceeds_payment"] * 17
    assert sum(refund.amount for refund in world.gateway.refunds_of(payment.payment_intent_id)) == 1998
    (after,) = await world.store.payments(auth, 10)
    assert after.refunded_amount == 1998
    types = Counter(await world.event_types(auth))
    assert (types["payment.refund_pending"], types["payment.refunded"]) == (3, 3)


async def test_a_reversal_that_is_nobodys_is_kept_to_be_tried_again(world: World) -> None:
    await world.organization()
    world.gateway.put(PaymentFact("pi_foreign", False, 900, "usd", "succeeded"))
    fact = ReversalFact("pi_foreign", False, disputes=(Dispute("du_1", 900, "usd", "open"),))
    assert (await world.report(fact, "evt_foreign")).refusal == "payment_intent_not_ours"
    (row,) = await world.worker_store.unhandled(10)
    assert (row.id, row.refusal, row.fact) == ("evt_foreign", "payment_intent_not_ours", fact)


async def test_every_order_of_a_payment_its_refund_and_its_dispute_ends_in_one_state(world: World) -> None:
    """Each permutation, with each of them told twice."""
    auth = await world.organization()
    orders = sorted({order for again in range(4) for order in permutations((0, 1, 2, 3, again))})
    sessions = [await world.session(auth) for _ in orders]
    for n in range(0, len(orders), 12):
        await asyncio.gather(*map(partial(_told, world), sessions[n : n + 12], orders[n : n + 12]))
    outcomes = {await _outcome(world, session) for session in sessions}
    assert outcomes == {("succeeded", "paid", ("failed",), ("lost",), 0)}
    types = Counter(await _all_types(world, auth))
    once = ("payment.succeeded", "purchase.completed", "payment.refund_failed", "dispute.closed")
    assert {kind: types[kind] for kind in once} == dict.fromkeys(once, len(orders))


async def _told(world: World, session: CheckoutSession, order: tuple[int, ...]) -> None:
    intent = session.payment_intent_id
    assert intent is not None
    succeeded = world.gateway.succeed(intent)
    refunded = world.gateway.refund(intent, 500)
    failed = world.gateway.fail_refund(intent, refunded.refunds[0].stripe_refund_id or "")
    lost = ReversalFact(intent, False, disputes=(Dispute(f"du_{intent}", 1999, "usd", "lost"),))
    facts = (succeeded, refunded, failed, lost)
    for kind in order:
        booked = await world.report(facts[kind], f"evt_{session.id}_{kind}")
        assert booked.refusal is None


async def _all_types(world: World, auth: Authenticated) -> list[str]:
    types: list[str] = []
    while page := await world.event_types(auth, after=len(types)):
        types += page
    return types


async def _outcome(world: World, session: CheckoutSession) -> tuple[object, ...]:
    context = await world.store.return_context(session.id)
    assert context is not None
    payment, purchase = context.payment, context.ground.purchase
    assert payment is not None
    assert purchase is not None
    return (
        payment.status,
        purchase.status,
        tuple(refund.status for refund in payment.refunds),
        tuple(dispute.status for dispute in payment.disputes),
        payment.refunded_amount,
    )


@pytest.mark.parametrize("amount", [2000, 10**12])
async def test_more_than_was_paid_is_refused_and_stores_nothing(world: World, amount: int) -> None:
    auth = await world.organization()
    payment = await paid(world, auth)
    before = await world.event_types(auth)
    with pytest.raises(Rejected):
        await world.refund(auth, payment.id, amount)
    assert await world.event_types(auth) == before
