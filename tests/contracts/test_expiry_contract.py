"""Sessions end in time, on every store, however many say so at once."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from application.checkout.expire_checkout_session import SellerAsked
from domain.auth import Authenticated
from domain.checkout import CheckoutSession
from domain.effects import CancelPaymentIntent, EndCheckoutSession
from domain.errors import Rejected
from domain.intent import Attempt
from tests.contracts.worlds import REQUEST, World, fact_of

DAY = timedelta(hours=24)


async def status(world: World, auth: Authenticated, session: CheckoutSession) -> str:
    found = await world.store.session(auth, session.id)
    assert found is not None
    return found.status


async def test_a_session_ends_when_its_time_is_up_and_then_its_intent_is_canceled(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth)
    assert await world.lease() == []
    world.clock.advance(DAY)
    (ending,) = await world.lease()
    assert ending.effect == EndCheckoutSession(session.id, session.expires_at)
    await world.effects(ending)
    assert await status(world, auth, session) == "expired"
    (canceling,) = await world.lease()
    assert isinstance(canceling.effect, CancelPaymentIntent)
    await world.effects(canceling)
    canceled = await world.gateway.payment_intent(canceling.effect.payment_intent_id, livemode=False)
    await world.report(canceled)
    assert await status(world, auth, session) == "expired"
    assert (await world.event_types(auth))[-2:] == ["checkout_session.expired", "payment.canceled"]
    world.clock.advance(DAY)
    assert await world.lease() == []


async def test_a_session_ends_once_though_all_say_so_at_once(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth)
    world.clock.advance(DAY)
    (task,) = await world.lease()
    asked = SellerAsked(session.id, auth, REQUEST)
    await asyncio.gather(
        *(world.expire_checkout_session(asked) for _ in range(5)), *(world.effects(task) for _ in range(3))
    )
    assert await status(world, auth, session) == "expired"
    assert (await world.event_types(auth)).count("checkout_session.expired") == 1


async def test_a_payment_and_the_end_at_once_leave_a_paid_session(world: World) -> None:
    auth = await world.organization()
    sessions = [await world.session(auth) for _ in range(8)]
    paid = Attempt("ch_1", "succeeded")

    async def end(session: CheckoutSession) -> None:
        with suppress(Rejected):  # where the payment was first
            await world.expire_checkout_session(SellerAsked(session.id, auth, REQUEST))

    await asyncio.gather(
        *(end(session) for session in sessions),
        *(
            world.report(fact_of(session, paid, ending="succeeded"), f"evt_{session.id}")
            for session in sessions
        ),
    )
    assert {await status(world, auth, session) for session in sessions} == {"succeeded"}
