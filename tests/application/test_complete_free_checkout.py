"""A checkout session with nothing to pay is completed, once, by whoever may."""

import asyncio
from contextlib import suppress

import pytest

from application.views import snapshot_of
from domain.auth import Actor
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import CancelPaymentIntent
from domain.errors import DomainError, Forbidden, NotFound, Rejected
from domain.ids import CheckoutSessionId
from domain.payment import Payment
from domain.purchase import Purchase
from tests.application.payment_flows import intent_of
from tests.application.promises import of_kind
from tests.world import CATALOG, MemoryWorld


def told(world: MemoryWorld, after: int) -> list[str]:
    return [event.type for event in world.store.events[after:]]


async def now(world: MemoryWorld, session: CheckoutSession) -> CheckoutSession:
    found = await world.store.session(world.auth, session.id)
    assert found is not None
    return found


async def test_it_makes_the_customer_and_the_purchase_as_a_payment_would(world: MemoryWorld) -> None:
    paid = await world.session(quantity=2, customer_email="bob@example.test", customer_name="Bob")
    before = len(world.store.events)
    await world.report(world.gateway.succeed(intent_of(paid)))
    as_paid = [event for event in told(world, before) if not event.startswith("payment.")]
    free = await world.free_session(quantity=2, customer_email="eve@example.test", customer_name="Eve")
    before = len(world.store.events)
    completed = await world.confirm(free.id)
    assert told(world, before) == as_paid
    assert as_paid[0] == "customer.created"
    assert as_paid[-5:] == [
        "purchase.created",
        "purchase.completed",
        "invoice.created",
        "invoice.paid",
        "checkout_session.succeeded",
    ]
    assert completed == await now(world, free)
    assert completed.status == "succeeded"
    customers = {customer.id: customer for customer in of_kind(world.store, Customer)}
    purchases = {purchase.checkout_session_id: purchase for purchase in of_kind(world.store, Purchase)}
    bought = purchases[free.id]
    assert (bought.status, bought.amount, bought.quantity) == ("paid", 0, 2)
    assert (bought.id, bought.customer_id) == (completed.purchase_id, completed.customer_id)
    assert bought.completed_at == world.clock.now()
    assert (customers[bought.customer_id].email, customers[bought.customer_id].name) == (
        "eve@example.test",
        "Eve",
    )
    assert customers[bought.customer_id].external_id == f"anon_{free.id.removeprefix('cs_')}"
    assert [payment.checkout_session_id for payment in of_kind(world.store, Payment)] == [paid.id]


async def test_a_customer_gets_it_as_who_they_are(world: MemoryWorld) -> None:
    customer = (await world.customer("alice")).record.customer
    completed = await world.confirm((await world.free_session(customer="alice")).id)
    assert completed.customer_id == customer.id
    assert of_kind(world.store, Customer) == [stored(customer)]


async def test_stripe_hears_nothing_of_it(world: MemoryWorld) -> None:
    await world.confirm((await world.free_session()).id)
    assert world.gateway.calls == []


async def test_asking_again_changes_nothing_and_answers_the_same(world: MemoryWorld) -> None:
    session = await world.free_session(customer_email="bob@example.test")
    completed = await world.confirm(session.id)
    states, events = world.store.states, world.store.events
    assert await world.confirm(session.id) == completed
    assert await world.buyer_confirms(session, customer_name="Somebody else") == completed
    await world.time_is_up()
    assert await world.confirm(session.id) == completed
    assert (world.store.states, world.store.events) == (states, events)


async def test_twenty_at_once_complete_it_once(world: MemoryWorld) -> None:
    session = await world.free_session(customer_email="bob@example.test")
    before = len(world.store.events)
    answers = await asyncio.gather(
        *(world.confirm(session.id) for _ in range(10)), *(world.buyer_confirms(session) for _ in range(10))
    )
    assert set(map(repr, answers)) == {repr(await now(world, session))}
    assert len(of_kind(world.store, Purchase)) == len(of_kind(world.store, Customer)) == 1
    assert told(world, before).count("purchase.completed") == 1


async def test_a_buyer_says_who_they_are_and_gets_it(world: MemoryWorld) -> None:
    session = await world.free_session()
    before = len(world.store.events)
    completed = await world.buyer_confirms(session, customer_email="bob@example.test", customer_name="Bob")
    assert (completed.customer_email, completed.customer_name) == ("bob@example.test", "Bob")
    (customer,) = of_kind(world.store, Customer)
    assert (customer.email, customer.name) == ("bob@example.test", "Bob")
    assert told(world, before)[0] == "checkout_session.updated"
    assert {event.actor for event in world.store.events[before:]} == {Actor("anonymous")}
    assert world.store.events[-1].data.object == snapshot_of(completed)


async def refusal(world: MemoryWorld, act: object, kind: type[DomainError] = Rejected) -> str:
    """With what code it is refused; nothing has changed."""
    states = world.store.states
    with pytest.raises(kind) as refused:
        await act  # type: ignore[misc]  # a coroutine of either kind
    assert world.store.states == states
    return refused.value.code


async def test_a_buyer_whom_nobody_knows_must_say_who_they_are(world: MemoryWorld) -> None:
    session = await world.free_session()
    assert await refusal(world, world.buyer_confirms(session, customer_name="Bob")) == "email_required"
    await world.customer("alice")  # without an e-mail, and known all the same
    known = await world.free_session(customer="alice")
    assert (await world.buyer_confirms(known)).status == "succeeded"


async def test_another_sessions_token_completes_nothing(world: MemoryWorld) -> None:
    session, other = await world.free_session(), await world.free_session()
    forged = CheckoutSession(
        **{name: getattr(session, name) for name in session.__struct_fields__}
        | {"client_token": other.client_token}
    )
    assert await refusal(world, world.buyer_confirms(forged), Forbidden) == "client_token_invalid"
    completed = await world.confirm(session.id)
    assert await refusal(world, world.buyer_confirms(forged), Forbidden) == "client_token_invalid"
    assert await now(world, session) == completed


async def test_what_is_to_be_paid_is_not_given_away(world: MemoryWorld) -> None:
    session = await world.session()
    assert await refusal(world, world.confirm(session.id)) == "checkout_session_not_free"
    details = {"customer_email": "bob@example.test"}
    assert await refusal(world, world.buyer_confirms(session, **details)) == "checkout_session_not_free"
    await world.report(world.gateway.succeed(intent_of(session)))
    assert await refusal(world, world.confirm(session.id)) == "checkout_session_not_free"


async def test_what_has_expired_is_not_completed_though_the_books_have_yet_to_say_so(
    world: MemoryWorld,
) -> None:
    late, taken_back = await world.free_session(), await world.free_session()
    await world.expire(taken_back.id)
    assert await refusal(world, world.confirm(taken_back.id)) == "checkout_session_not_open"
    world.clock.advance(late.expires_at - world.clock.now())
    assert (await now(world, late)).status == "open"
    assert await refusal(world, world.confirm(late.id)) == "checkout_session_not_open"
    await world.perform_due()
    assert (await now(world, late)).status == "expired"
    assert not any(isinstance(task.effect, CancelPaymentIntent) for task in world.store.tasks)
    assert [call.name for call in world.gateway.calls] == []


async def test_completed_or_expired_but_never_both(world: MemoryWorld) -> None:
    for _ in range(5):
        session = await world.free_session()
        before = len(world.store.events)

        async def attempt(act: object) -> None:
            with suppress(Rejected):
                await act  # type: ignore[misc]

        await asyncio.gather(attempt(world.expire(session.id)), attempt(world.confirm(session.id)))
        ended = [event for event in told(world, before) if event.startswith("checkout_session.")]
        assert ended in (["checkout_session.expired"], ["checkout_session.succeeded"])
        assert ended == [f"checkout_session.{(await now(world, session)).status}"]


async def test_nobody_elses_key_completes_it(world: MemoryWorld) -> None:
    session = await world.free_session()
    other, _ = await world.organization("Other")
    for auth, wanted in (
        (world.live, session.id),
        (other, session.id),
        (world.auth, CheckoutSessionId("cs_none")),
    ):
        assert await refusal(world, world.confirm(wanted, auth), NotFound) == "checkout_session_not_found"


async def test_with_no_pricing_model_left_to_sell_by_nothing_is_completed(world: MemoryWorld) -> None:
    session = await world.free_session()
    await world.apply(type(CATALOG)())
    assert await refusal(world, world.confirm(session.id)) == "no_default_pricing_model"
