"""The provider in memory keeps keys as Stripe does (docs.stripe.com/idempotency)."""

import asyncio

import pytest

from adapters.memory.gateway import MemoryGateway
from domain.effects import CreateStripeCustomer
from domain.errors import ProviderRefused, Unavailable
from domain.ids import CheckoutSessionId
from tests.builders import CUSTOMER, ORGANIZATION, SESSION, checkout_session, suffix

ALICE = CreateStripeCustomer(CUSTOMER, "alice", "alice@example.test", "Alice")


async def made(gateway: MemoryGateway, *, livemode: bool = False, key: str = "key") -> str:
    return await gateway.create_customer(
        ALICE, organization_id=ORGANIZATION, livemode=livemode, idempotency_key=key
    )


async def test_the_same_key_gives_the_same_object_also_at_once() -> None:
    gateway = MemoryGateway()
    assert len(set(await asyncio.gather(*(made(gateway) for _ in range(5))))) == 1
    intents = [await gateway.create_intent(checkout_session(), None, SESSION) for _ in range(2)]
    assert intents[0] == intents[1]


async def test_another_key_gives_another_object() -> None:
    gateway = MemoryGateway()
    assert await made(gateway, key="one") != await made(gateway, key="two")


async def test_sessions_opened_at_once_have_an_intent_each() -> None:
    gateway = MemoryGateway()
    sessions = [checkout_session(id=CheckoutSessionId(f"cs_{suffix(n)}")) for n in (1, 2, 3)]
    intents = await asyncio.gather(*(gateway.create_intent(s, None, s.id) for s in sessions))
    facts = [await gateway.payment_intent(intent.id, livemode=False) for intent in intents]
    assert [fact.checkout_session_id for fact in facts] == [session.id for session in sessions]


async def test_other_parameters_with_the_same_key_are_refused() -> None:
    gateway = MemoryGateway()
    await gateway.create_intent(checkout_session(), None, SESSION)
    with pytest.raises(ProviderRefused):
        await gateway.create_intent(checkout_session(amount=1), None, SESSION)
    with pytest.raises(ProviderRefused):
        await gateway.create_intent(checkout_session(), "cus_other", SESSION)
    with pytest.raises(ProviderRefused):
        await made(gateway, key=SESSION)


async def test_the_modes_share_nothing() -> None:
    gateway = MemoryGateway()
    assert await made(gateway, livemode=False) != await made(gateway, livemode=True)
    for livemode in (False, True):
        found = await gateway.find_customer(CUSTOMER, organization_id=ORGANIZATION, livemode=livemode)
        assert found == gateway.customers[livemode].id
    intent = await gateway.create_intent(checkout_session(), None, SESSION)
    with pytest.raises(ProviderRefused):
        await gateway.payment_intent(intent.id, livemode=True)


async def test_a_call_can_fail_before_or_after_it_acted() -> None:
    gateway = MemoryGateway()
    gateway.fail_next("before")
    gateway.fail_next("after")
    for customers in (0, 1):
        with pytest.raises(Unavailable):
            await made(gateway)
        assert len(gateway.customers) == customers
    assert await made(gateway) == gateway.customers[0].id


async def test_a_mode_without_a_provider_says_so() -> None:
    gateway = MemoryGateway(modes=frozenset({False}))
    with pytest.raises(Unavailable) as refused:
        await made(gateway, livemode=True)
    assert refused.value.code == "payment_provider_not_configured"


async def test_an_attempt_under_way_is_the_one_that_ends() -> None:
    gateway = MemoryGateway()
    intent = await gateway.create_intent(checkout_session(), None, SESSION)
    moves = [gateway.fail(intent.id), gateway.process(intent.id), gateway.succeed(intent.id)]
    assert [[attempt.status for attempt in fact.attempts] for fact in moves] == [
        ["failed"],
        ["failed", "pending"],
        ["failed", "succeeded"],
    ]
    with pytest.raises(AssertionError):
        gateway.cancel(intent.id)


async def test_canceling_leaves_alone_what_is_paid_or_being_paid() -> None:
    gateway = MemoryGateway()
    sessions = [checkout_session(id=CheckoutSessionId(f"cs_{suffix(n)}")) for n in (1, 2, 3)]
    left, paying, paid = [(await gateway.create_intent(s, None, s.id)).id for s in sessions]
    gateway.process(paying)
    gateway.succeed(paid)
    for intent in (left, paying, paid):
        for key in ("one", "two"):
            await gateway.cancel_payment_intent(intent, livemode=False, idempotency_key=f"{intent}:{key}")
    facts = [await gateway.payment_intent(intent, livemode=False) for intent in (left, paying, paid)]
    endings = [fact.ending for fact in facts]
    assert endings == ["abandoned", None, "succeeded"]
    with pytest.raises(ProviderRefused):
        await gateway.cancel_payment_intent(left, livemode=True, idempotency_key="live")
