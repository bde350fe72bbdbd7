"""Deliveries at once, mixed with each other and with the buyer's return: as if one after the other."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from application.payments.news import Booked
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.payment import Payment
from domain.purchase import Purchase
from tests.application.payment_flows import (
    FlowOf,
    bounced_then_paid,
    declined_then_paid,
    intent_of,
    outcome,
)
from tests.application.promises import check_books, of_kind
from tests.world import MemoryWorld, World


async def paid(flow_of: FlowOf) -> tuple[MemoryWorld, CheckoutSession, dict[str, Any]]:
    """A session whose intent has succeeded at Stripe, and all that Stripe has to report of it."""
    world = await World.opened(MemoryStore())
    session = await world.session()
    intent = await world.gateway.payment_intent(intent_of(session), livemode=False)
    return world, session, flow_of(intent)


@pytest.mark.parametrize("flow_of", [declined_then_paid, bounced_then_paid])
@pytest.mark.parametrize("seed", range(10))
async def test_twenty_deliveries_at_once_with_returns_among_them_book_everything_once(
    flow_of: FlowOf, seed: int
) -> None:
    world, session, flow = await paid(flow_of)
    one_by_one, _, same = await paid(flow_of)
    for report in same.values():
        await one_by_one.report(report)
    # The intent at Stripe has gone through the same: what a return finds there says nothing new.
    world.gateway.put(flow["succeeded"])
    deliveries: list[Coroutine[Any, Any, Booked]] = [
        *(world.report(flow["succeeded"], "evt_same") for _ in range(8)),
        *(world.report(flow["succeeded"]) for _ in range(4)),
        *(world.report(flow[name]) for name in ("created", "processing", "payment_failed") for _ in range(2)),
        *(world.buyer_returns(session.id) for _ in range(2)),
    ]
    Random(seed).shuffle(deliveries)  # noqa: S311 (an order, not a secret)
    booked = await asyncio.gather(*deliveries)
    assert len(booked) == 20
    assert {each.refusal for each in booked} == {None}
    assert outcome(world.store.states) == outcome(one_by_one.store.states)
    for kind in (Customer, Purchase, Payment):
        assert len(of_kind(world.store, kind)) == 1
    told = Counter(event.type for event in world.store.events)
    assert told["customer.created"] == told["purchase.completed"] == told["payment.succeeded"] == 1
    assert told["payment.failed"] == 1
    assert len(world.store.inbox) == 11
    assert {(row.attempts, row.handled_at is not None) for row in world.store.inbox} == {(1, True)}
    check_books(world.store)
