"""What a session says of its buyer is changed while it is open, by whoever may."""

from typing import Any

import pytest

from domain.auth import Actor, Authenticated, ClientToken
from domain.change import stored
from domain.checkout import BuyerDetails, CheckoutSession
from domain.customer import Customer
from domain.errors import DomainError, Forbidden, NotFound, Rejected
from domain.ids import CheckoutSessionId
from tests.application.payment_flows import intent_of
from tests.application.promises import of_kind
from tests.world import MemoryWorld


async def update(
    world: MemoryWorld,
    session: CheckoutSession,
    by: Authenticated | ClientToken | None = None,
    id: CheckoutSessionId | None = None,
    **details: Any,
) -> CheckoutSession:
    """The buyer changes it, unless it is said who does."""
    who = by or ClientToken(session.client_token)
    return await world.update_checkout_session(
        id or session.id, BuyerDetails(**details), who, world.request()
    )


async def test_a_buyer_says_who_they_are_and_pays_as_that(world: MemoryWorld) -> None:
    session = await world.session()
    updated = await update(world, session, customer_email="bob@example.test", customer_name="Bob")
    assert updated == await world.store.session(world.auth, session.id)
    event = world.store.events[-1]
    assert (event.type, event.actor) == ("checkout_session.updated", Actor("anonymous"))
    assert event.data.previous == {"customer_email": None, "customer_name": None}
    await world.report(world.gateway.succeed(intent_of(session)))
    (customer,) = of_kind(world.store, Customer)
    assert (customer.email, customer.name) == ("bob@example.test", "Bob")


async def test_the_application_says_so_as_itself(world: MemoryWorld) -> None:
    session = await world.session(customer_email="bob@example.test", customer_name="Bob")
    updated = await update(world, session, world.auth, customer_name=None)
    assert (updated.customer_email, updated.customer_name) == ("bob@example.test", None)
    assert world.store.events[-1].actor.user_id == world.auth.user_id


async def test_a_known_customer_stays_as_it_is(world: MemoryWorld) -> None:
    customer = (await world.customer("alice", email="alice@example.test")).record.customer
    session = await world.session(customer="alice")
    assert (await update(world, session, customer_email="eve@example.test")).customer_id == customer.id
    assert of_kind(world.store, Customer) == [stored(customer)]


async def test_saying_the_same_again_changes_nothing(world: MemoryWorld) -> None:
    session = await world.session(customer_email="bob@example.test")
    events = world.store.events
    assert await update(world, session) == session
    assert await update(world, session, customer_email="bob@example.test") == session
    assert world.store.events == events


async def refused(world: MemoryWorld, act: Any, kind: type[DomainError]) -> str:
    states = world.store.states
    with pytest.raises(kind) as refusal:
        await act
    assert world.store.states == states
    return refusal.value.code


async def test_nobody_else_changes_it(world: MemoryWorld) -> None:
    session, other = await world.session(), await world.session()
    said: dict[str, Any] = {"customer_email": "eve@example.test"}
    for secret in (other.client_token, "", "cst_ü", session.client_secret or ""):
        act = update(world, session, ClientToken(secret), **said)
        assert await refused(world, act, Forbidden) == "client_token_invalid"
    stranger, _ = await world.organization("Other")
    for auth in (world.live, stranger):
        act = update(world, session, auth, **said)
        assert await refused(world, act, NotFound) == "checkout_session_not_found"
    nobodys = CheckoutSessionId("cs_none")
    for by in (world.auth, ClientToken(session.client_token)):
        act = update(world, session, by, nobodys, **said)
        assert await refused(world, act, NotFound) == "checkout_session_not_found"


@pytest.mark.parametrize("happens", ["process", "succeed", "cancel"])
async def test_what_is_being_paid_or_has_ended_is_not_changed(world: MemoryWorld, happens: str) -> None:
    session = await world.session()
    await world.report(getattr(world.gateway, happens)(intent_of(session)))
    act = update(world, session, customer_email="eve@example.test")
    assert await refused(world, act, Rejected) == "checkout_session_not_open"


async def test_what_has_expired_is_not_changed(world: MemoryWorld) -> None:
    session = await world.session()
    world.clock.advance(session.expires_at - world.clock.now())
    act = update(world, session, customer_email="eve@example.test")
    assert await refused(world, act, Rejected) == "checkout_session_not_open"


async def test_a_token_is_not_written_where_it_is_shown() -> None:
    assert "cst_secret" not in repr(ClientToken("cst_secret"))
