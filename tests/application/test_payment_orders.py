"""Facts of one payment come in any order and number (design, rule 9), and it ends the same."""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import pytest

from adapters.memory.store import MemoryStore
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.events import EventType
from domain.purchase import Purchase
from tests.application.payment_flows import (
    FlowOf,
    bounced_then_paid,
    declined_then_paid,
    everything,
    given_up,
    intent_of,
    outcome,
    published,
    with_any_one_twice,
)
from tests.application.promises import check_books, of_kind
from tests.world import World

PAID = ("created", "processing", "payment_failed", "succeeded")
GIVEN_UP = ("created", "processing", "payment_failed", "canceled")

PAID_ONCE: tuple[EventType, ...] = (
    "customer.created",
    "payment.failed",
    "payment.succeeded",
    "purchase.completed",
)
GIVEN_UP_ONCE: tuple[EventType, ...] = (
    "customer.created",
    "payment.failed",
    "payment.canceled",
    "purchase.failed",
)


async def delivered(flow_of: FlowOf, order: Sequence[str], *, same_event: bool = False) -> MemoryStore:
    """The books after these deliveries to a session of somebody anonymous; a repeated one is the same event
    again, or else another one that says the same.
    """
    world = await World.opened(MemoryStore())
    session = await world.session()
    flow = flow_of(await world.gateway.payment_intent(intent_of(session), livemode=False))
    for name in order:
        booked = await world.report(flow[name], f"evt_{name}" if same_event else None)
        assert booked.refusal is None
    check_books(world.store)
    return world.store


def told(store: MemoryStore) -> Counter[EventType]:
    return Counter(event.type for event in store.events)


@pytest.mark.parametrize("same_event", [True, False], ids=["redelivered", "told again"])
@pytest.mark.parametrize("flow_of", [declined_then_paid, bounced_then_paid])
async def test_every_order_with_any_one_twice_ends_the_same(flow_of: FlowOf, same_event: bool) -> None:
    expected = outcome((await delivered(flow_of, PAID)).states)
    for order in with_any_one_twice(PAID):
        store = await delivered(flow_of, order, same_event=same_event)
        assert outcome(store.states) == expected, order
        assert [told(store)[once] for once in PAID_ONCE] == [1, 1, 1, 1], order


async def test_every_order_of_a_payment_that_is_given_up_ends_the_same() -> None:
    expected = outcome((await delivered(given_up, GIVEN_UP)).states)
    for order in with_any_one_twice(GIVEN_UP):
        store = await delivered(given_up, order)
        assert outcome(store.states) == expected, order
        assert [told(store)[once] for once in GIVEN_UP_ONCE] == [1, 1, 1, 1], order
        assert told(store)["purchase.completed"] == told(store)["payment.succeeded"] == 0


async def test_success_outranks_whatever_else_is_said_in_any_order() -> None:
    expected = outcome((await delivered(everything, (*PAID, "canceled"))).states)
    for order in permutations((*PAID, "canceled")):
        assert outcome((await delivered(everything, order)).states) == expected, order


@pytest.mark.parametrize("flow_of", [declined_then_paid, bounced_then_paid])
@pytest.mark.parametrize("lost", ["created", "processing", "payment_failed"])
async def test_with_any_one_left_out_but_the_deciding_one_what_is_published_is_the_same(
    flow_of: FlowOf, lost: str
) -> None:
    expected = published((await delivered(flow_of, PAID)).states)
    for order in permutations(name for name in PAID if name != lost):
        assert published((await delivered(flow_of, order)).states) == expected, order


@pytest.mark.parametrize("order", list(permutations(("created", "payment_failed", "canceled"))))
async def test_without_money_moving_nobody_is_made_in_any_order(order: tuple[str, ...]) -> None:
    store = await delivered(given_up, order)
    assert not any(isinstance(state, Customer | Purchase) for state in store.states)
    assert [session.status for session in of_kind(store, CheckoutSession)] == ["failed"]
