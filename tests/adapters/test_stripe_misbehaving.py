"""What the gateway makes of a Stripe that loses replies, hangs, limits calls and searches late."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from adapters.sandbox import Disconnect, Exchange, Hang, RateLimit, Sandbox, SearchLag
from adapters.stripe.connection import StripeAccount
from adapters.stripe.gateway import StripeGateway
from domain.errors import Unavailable
from domain.payment import PaymentFact
from tests.adapters.test_stripe_gateway import SESSION, create, find

CUSTOMERS = "/v1/customers"
INTENTS = "/v1/payment_intents"


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
async def sandbox(exchanges: list[Exchange]) -> AsyncIterator[Sandbox]:
    async with Sandbox(on_exchange=exchanges.append, deliver=False) as running:
        yield running


@pytest.fixture
async def gateway(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeGateway]:
    monkeypatch.setattr(stripe.AIOHTTPClient, "sleep_async", lambda *_: asyncio.sleep(0))
    opened = StripeGateway(StripeAccount(sandbox.secret_key), None, sandbox.url, timeout_seconds=0.3)
    yield opened
    await opened.close()


async def test_a_lost_reply_is_not_noticed(
    gateway: StripeGateway, sandbox: Sandbox, exchanges: list[Exchange]
) -> None:
    sandbox.misbehave(Disconnect(path=CUSTOMERS, method="POST", moment="after", times=2))
    made = await create(gateway)
    assert [(exchange.status, exchange.replayed) for exchange in exchanges] == [
        (200, False),
        (200, True),
        (200, True),
    ]
    assert {exchange.body["id"] for exchange in exchanges} == {made}


async def test_when_every_reply_is_lost_the_next_attempt_meets_what_the_first_has_made(
    gateway: StripeGateway, sandbox: Sandbox
) -> None:
    with sandbox.misbehave(Disconnect(moment="after", times="always")), pytest.raises(Unavailable):
        await gateway.create_intent(SESSION, None, idempotency_key="cs_1")
    intent = await gateway.create_intent(SESSION, None, idempotency_key="cs_1")
    assert isinstance(await gateway.payment_intent(intent.id, livemode=False), PaymentFact)
    assert len(sandbox.take_events()) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_call_that_hangs_is_given_up_and_made_once_all_the_same(
    gateway: StripeGateway, sandbox: Sandbox, moment: Any
) -> None:
    with (
        sandbox.misbehave(Hang(path=INTENTS, moment=moment, times="always")) as hang,
        pytest.raises(Unavailable) as unavailable,
    ):
        await gateway.create_intent(SESSION, None, idempotency_key="cs_1")
    assert unavailable.value.code == "payment_provider_unavailable"
    assert hang.happened > 0
    await gateway.create_intent(SESSION, None, idempotency_key="cs_1")
    assert len(sandbox.take_events()) == 1


async def test_too_many_calls_are_not_insisted_on(
    gateway: StripeGateway, sandbox: Sandbox, exchanges: list[Exchange]
) -> None:
    sandbox.misbehave(RateLimit(path=CUSTOMERS))
    with pytest.raises(Unavailable, match="too many calls"):
        await create(gateway)
    assert [exchange.status for exchange in exchanges] == [429]
    assert await create(gateway)


async def test_a_search_that_lags_finds_a_customer_late_and_never_another(
    gateway: StripeGateway, sandbox: Sandbox
) -> None:
    with sandbox.misbehave(SearchLag()):
        made = await create(gateway)
        assert await find(gateway) is None
    assert await find(gateway) == made
