"""That a session's time is up is one more fact, which may come before, between or after all others."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import pytest

from adapters.memory.store import MemoryStore
from domain.checkout import CheckoutSession
from domain.purchase import Purchase
from tests.application.payment_flows import (
    FlowOf,
    abandoned,
    bounced_then_paid,
    declined_then_paid,
    given_up,
    intent_of,
    outcome,
    with_any_one_twice,
)
from tests.application.promises import check_books, of_kind
from tests.world import World

TIME = "time is up"
PAID = ("created", "processing", "payment_failed", "succeeded", TIME)


async def gone_through(flow_of: FlowOf, order: Sequence[str]) -> MemoryStore:
    """The books after these deliveries to a session of somebody anonymous, and a day that passes."""
    world = await World.opened(MemoryStore())
    session = await world.session()
    flow = flow_of(await world.gateway.payment_intent(intent_of(session), livemode=False))
    for name in order:
        if name == TIME:
            await world.time_is_up()
        else:
            assert (await world.report(flow[name])).refusal is None
    check_books(world.store)
    return world.store


def ended(store: MemoryStore) -> list[str]:
    """All that is in the books, but for when it came there."""
    return [re.sub(r"\d{4}-\d\d-\d\dT[^\"]*", "some time", text) for text in outcome(store.states)]


def session_of(store: MemoryStore) -> CheckoutSession:
    (session,) = of_kind(store, CheckoutSession)
    return session


@pytest.mark.parametrize("flow_of", [declined_then_paid, bounced_then_paid])
async def test_who_pays_has_paid_whenever_the_time_was_up(flow_of: FlowOf) -> None:
    expected = ended(await gone_through(flow_of, PAID))
    for order in permutations(PAID):
        store = await gone_through(flow_of, order)
        assert ended(store) == expected, order
        told = Counter(event.type for event in store.events)
        assert (told["payment.succeeded"], told["purchase.completed"], told["customer.created"]) == (1, 1, 1)
    assert session_of(store).status == "succeeded"


@pytest.mark.parametrize(
    ("flow_of", "facts", "status", "purchase"),
    [
        (bounced_then_paid, ("created",), "expired", []),
        (bounced_then_paid, ("created", "processing"), "pending", ["pending"]),
        (declined_then_paid, ("created", "payment_failed"), "expired", []),
        (bounced_then_paid, ("created", "processing", "payment_failed"), "expired", ["open"]),
        (abandoned, ("created", "processing", "payment_failed", "abandoned"), "expired", ["failed"]),
        (given_up, ("created", "processing", "payment_failed", "canceled"), "failed", ["failed"]),
    ],
    ids=["untouched", "being paid", "declined", "bounced", "canceled by us", "canceled by somebody"],
)
async def test_what_nobody_pays_ends_the_same_in_every_order(
    flow_of: FlowOf, facts: tuple[str, ...], status: str, purchase: list[str]
) -> None:
    expected = ended(await gone_through(flow_of, (*facts, TIME)))
    for order in with_any_one_twice((*facts, TIME)):
        store = await gone_through(flow_of, order)
        assert ended(store) == expected, order
        assert session_of(store).status == status, order
        assert [each.status for each in of_kind(store, Purchase)] == purchase, order
