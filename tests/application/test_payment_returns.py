"""The buyer's browser is back from paying: the same booking, by asking Stripe."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from adapters.memory.gateway import MemoryGateway
from application.payments.news import BuyerReturned
from domain.checkout import BuyerDetails
from domain.customer import Customer
from domain.errors import NotFound, Unavailable
from domain.ids import CheckoutSessionId
from domain.payment import PaymentFact
from domain.purchase import Purchase
from tests.application.payment_flows import intent_of
from tests.application.promises import of_kind
from tests.world import MemoryWorld


async def test_the_browsers_return_books_what_stripe_says_before_any_webhook(world: MemoryWorld) -> None:
    session = await world.session()
    world.gateway.succeed(intent_of(session))
    booked = await world.buyer_returns(session.id)
    assert booked.session is not None
    assert booked.session.status == "succeeded"
    assert len(of_kind(world.store, Customer)) == 1
    before = world.store.states
    await world.report(await world.gateway.payment_intent(intent_of(session), livemode=False))
    await world.buyer_returns(session.id)
    assert world.store.states == before


async def test_a_return_from_a_session_that_is_paid_does_not_ask_stripe(world: MemoryWorld) -> None:
    session = await world.session()
    await world.report(world.gateway.succeed(intent_of(session)))
    calls = len(world.gateway.calls)
    await world.buyer_returns(session.id)
    assert len(world.gateway.calls) == calls


async def test_a_return_without_having_paid_changes_nothing(world: MemoryWorld) -> None:
    session = await world.session()
    before = world.store.states
    booked = await world.buyer_returns(session.id)
    assert booked.session == session
    assert world.store.states == before


async def test_a_return_while_stripe_does_not_answer_changes_nothing(world: MemoryWorld) -> None:
    session = await world.session()
    world.gateway.succeed(intent_of(session))
    before = world.store.states
    world.gateway.fail_next("before")
    with pytest.raises(Unavailable):
        await world.buyer_returns(session.id)
    assert world.store.states == before


async def test_a_return_to_an_unknown_session_is_not_found(world: MemoryWorld) -> None:
    with pytest.raises(NotFound) as refused:
        await world.buyer_returns(CheckoutSessionId("cs_unknown"))
    assert refused.value.code == "checkout_session_not_found"


class AskedMeanwhile(MemoryGateway):
    """The provider, before whose answer something else happens once."""

    def __init__(self, gateway: MemoryGateway, happens: Callable[[], Awaitable[object]]) -> None:
        self.__dict__ = gateway.__dict__
        self._happens = happens

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        await self._happens()
        return await super().payment_intent(id, livemode=livemode)


async def test_a_quantity_that_is_changed_while_stripe_is_asked_is_what_the_return_books(
    world: MemoryWorld,
) -> None:
    session = await world.session()

    async def three_are_wanted_and_paid() -> None:
        await world.update_checkout_session(session.id, BuyerDetails(quantity=3), world.auth, world.request())
        world.gateway.succeed(intent_of(session))

    asked = AskedMeanwhile(world.gateway, three_are_wanted_and_paid)
    returns = replace(world.process_payment_intent, gateway=asked)
    booked = await returns(BuyerReturned(session.id, world.request()))
    assert booked.session is not None
    assert (booked.session.status, booked.session.quantity) == ("succeeded", 3)
    assert [purchase.amount for purchase in of_kind(world.store, Purchase)] == [4500]
