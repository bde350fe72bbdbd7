"""Sessions with nothing to pay are completed once, on every store, however many say so at once."""

import asyncio
from contextlib import suppress

import pytest

from application.checkout.complete_free_checkout import BuyerConfirms, SellerConfirms
from application.checkout.expire_checkout_session import SellerAsked
from domain.auth import Authenticated, ClientToken
from domain.checkout import BuyerDetails, CheckoutSession
from domain.errors import Forbidden, NotFound, Rejected
from domain.ids import CheckoutSessionId
from tests.contracts.worlds import REQUEST, World, fact_of

BOB = BuyerDetails(customer_email="bob@example.test", customer_name="Bob")


async def free(world: World, auth: Authenticated, customer: str | None = None) -> CheckoutSession:
    return await world.session(auth, price="lesson", customer=customer)


def by_buyer(session: CheckoutSession) -> BuyerConfirms:
    return BuyerConfirms(session.id, ClientToken(session.client_token), BOB, REQUEST)


async def test_what_completing_is_decided_on_is_found_by_its_own_key_alone(world: World) -> None:
    auth = await world.organization()
    other = await world.organization("other")
    await world.customer(auth)
    session = await free(world, auth, "ada")
    context = await world.store.session_context(auth, session.id)
    assert context is not None
    assert context.session == session
    assert context.ground.customer is not None
    assert (context.ground.customer.external_id, context.ground.purchase, context.payment) == (
        "ada",
        None,
        None,
    )
    assert context.ground.terms.pricing_model is not None
    assert not context.handled
    assert context == await world.store.return_context(session.id)
    await world.complete_free_checkout(SellerConfirms(session.id, auth, REQUEST))
    context = await world.store.session_context(auth, session.id)
    assert context is not None
    assert context.ground.purchase is not None
    live = Authenticated(auth.user_id, auth.organization_id, livemode=True)
    assert await world.store.session_context(other, session.id) is None
    assert await world.store.session_context(live, session.id) is None
    assert await world.store.session_context(auth, CheckoutSessionId("cs_none")) is None


async def test_a_payments_context_is_the_same_by_its_session(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth)
    await world.report(fact_of(session))
    assert await world.store.session_context(auth, session.id) == await world.store.return_context(session.id)


async def test_twenty_at_once_complete_it_once(world: World) -> None:
    auth = await world.organization()
    session = await free(world, auth)
    asked = SellerConfirms(session.id, auth, REQUEST)
    answers = await asyncio.gather(
        *(world.complete_free_checkout(asked) for _ in range(10)),
        *(world.complete_free_checkout(by_buyer(session)) for _ in range(10)),
    )
    assert {answer.status for answer in answers} == {"succeeded"}
    assert len({(answer.purchase_id, answer.customer_id) for answer in answers}) == 1
    told = await world.event_types(auth)
    for once in ("customer.created", "purchase.created", "purchase.completed", "checkout_session.succeeded"):
        assert told.count(once) == 1
    assert not any(name.startswith("payment.") for name in told)


async def test_completed_or_expired_but_never_both(world: World) -> None:
    auth = await world.organization()
    sessions = [await free(world, auth) for _ in range(8)]

    async def end(session: CheckoutSession) -> None:
        with suppress(Rejected):
            await world.expire_checkout_session(SellerAsked(session.id, auth, REQUEST))

    async def complete(session: CheckoutSession) -> None:
        with suppress(Rejected):
            await world.complete_free_checkout(by_buyer(session))

    await asyncio.gather(*map(end, sessions), *map(complete, sessions))
    for session in sessions:
        events = [event.type for event in await world.events(auth, subject=session.id)]
        now = await world.store.session(auth, session.id)
        assert now is not None
        ended = [name for name in events if name.endswith((".succeeded", ".expired"))]
        assert ended == [f"checkout_session.{now.status}"]
        assert (now.purchase_id is not None) == (now.status == "succeeded")


async def test_what_is_said_while_it_is_completed_is_said_before_or_refused(world: World) -> None:
    auth = await world.organization()
    for _ in range(4):
        session = await free(world, auth)
        said = BuyerDetails(customer_name="Robert")

        confirming = world.complete_free_checkout(SellerConfirms(session.id, auth, REQUEST))
        was_said, completed = await asyncio.gather(
            world.update_checkout_session(session.id, said, auth, REQUEST), confirming, return_exceptions=True
        )
        assert isinstance(completed, CheckoutSession)
        assert completed.customer_id is not None
        record = await world.store.customer(auth, completed.customer_id)
        assert record is not None
        if not isinstance(was_said, CheckoutSession):
            assert isinstance(was_said, Rejected)
        assert record.customer.name == ("Robert" if isinstance(was_said, CheckoutSession) else None)


async def test_the_token_of_one_session_opens_no_other(world: World) -> None:
    auth = await world.organization()
    session, other = await free(world, auth), await free(world, await world.organization("other"))
    assert session.client_token != other.client_token
    stranger = ClientToken(other.client_token)
    with pytest.raises(Forbidden):
        await world.complete_free_checkout(BuyerConfirms(session.id, stranger, BOB, REQUEST))
    with pytest.raises(Forbidden):
        await world.update_checkout_session(session.id, BOB, stranger, REQUEST)
    with pytest.raises(NotFound):
        await world.update_checkout_session(CheckoutSessionId("cs_none"), BOB, stranger, REQUEST)
    assert await world.store.session(auth, session.id) == session
