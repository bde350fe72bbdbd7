"""Refunds and disputes come in any order and number too, also before their payment is known to have
succeeded (design, rule 9), and it ends the same."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from adapters.memory.gateway import MemoryGateway
from adapters.memory.store import MemoryStore
from domain.events import EventType
from domain.payment import PaymentFact
from domain.reversal import Dispute, ReversalFact
from tests.application.payment_flows import intent_of, outcome, with_any_one_twice
from tests.application.promises import check_books
from tests.world import World

Flow = dict[str, PaymentFact | ReversalFact]
FlowOf = Callable[[MemoryGateway, str], Flow]


def refund_comes_back(gateway: MemoryGateway, intent: str) -> Flow:
    """Paid, and refunded in part in the dashboard; the buyer's bank sends it back."""
    paid = gateway.succeed(intent)
    created = replace(paid, ending=None, attempts=())
    refunded = gateway.refund(intent, 400)
    (made,) = refunded.refunds
    assert made.stripe_refund_id is not None
    failed = gateway.fail_refund(intent, made.stripe_refund_id)
    return {"created": created, "succeeded": paid, "refunded": refunded, "refund_failed": failed}


def refunded_and_disputed(gateway: MemoryGateway, intent: str) -> Flow:
    """Refunded in two parts; the first dispute is lost."""
    paid = gateway.succeed(intent)
    first, second = gateway.refund(intent, 400), gateway.refund(intent, 500)
    opened, lost = (Dispute("du_1", 600, "usd", status) for status in ("open", "lost"))
    return {
        "succeeded": paid,
        "refunded": first,
        "refunded again": second,
        "disputed and lost": ReversalFact(intent, False, disputes=(opened, lost)),
    }


def disputed(gateway: MemoryGateway, intent: str) -> Flow:
    """A debit goes through, is disputed, and the dispute is won."""
    processing, paid = gateway.process(intent), gateway.succeed(intent)
    opened, won = (
        ReversalFact(intent, False, disputes=(Dispute("du_1", 1500, "usd", status),))
        for status in ("open", "won")
    )
    return {"processing": processing, "succeeded": paid, "disputed": opened, "won": won}


TOLD: dict[FlowOf, dict[EventType, int]] = {
    refund_comes_back: {"payment.refund_failed": 1, "payment.disputed": 0},
    refunded_and_disputed: {
        "payment.refunded": 2,
        "payment.refund_failed": 0,
        "payment.disputed": 1,
        "dispute.closed": 1,
    },
    disputed: {"payment.refunded": 0, "payment.disputed": 1, "dispute.closed": 1},
}
ONCE: tuple[EventType, ...] = (
    "customer.created",
    "payment.succeeded",
    "purchase.created",
    "purchase.completed",
)


async def delivered(flow_of: FlowOf, order: Sequence[str] = (), *, same_event: bool = False) -> MemoryStore:
    """The books after these deliveries, or after one of each; a repeated one is the same event again, or else
    another one that says the same."""
    world = await World.opened(MemoryStore())
    flow = flow_of(world.gateway, intent_of(await world.session()))
    for name in order or flow:
        booked = await world.report(flow[name], f"evt_{name}" if same_event else None)
        assert booked.refusal is None
    check_books(world.store)
    return world.store


@pytest.mark.parametrize("same_event", [True, False], ids=["redelivered", "told again"])
@pytest.mark.parametrize("flow_of", TOLD)
async def test_every_order_with_any_one_twice_ends_the_same(flow_of: FlowOf, same_event: bool) -> None:
    names = [*flow_of(*await _an_intent())]
    expected = outcome((await delivered(flow_of)).states)
    for order in with_any_one_twice(names):
        store = await delivered(flow_of, order, same_event=same_event)
        assert outcome(store.states) == expected, order
        told = Counter(event.type for event in store.events)
        assert {once: told[once] for once in ONCE} == dict.fromkeys(ONCE, 1), order
        assert {kind: told[kind] for kind in TOLD[flow_of]} == TOLD[flow_of], order
        assert told["payment.refunded"] <= TOLD[flow_of].get("payment.refunded", 1), order


@pytest.mark.parametrize("flow_of", [refunded_and_disputed, disputed])
async def test_what_comes_before_the_payment_is_known_ends_the_same_without_its_own_event(
    flow_of: FlowOf,
) -> None:
    """The refund or the dispute asks Stripe for the payment: that webhook may be lost."""
    names = [name for name in flow_of(*await _an_intent()) if name not in ("succeeded", "processing")]
    expected = outcome((await delivered(flow_of)).states)
    for order in with_any_one_twice(names):
        assert outcome((await delivered(flow_of, order)).states) == expected, order


async def _an_intent() -> tuple[MemoryGateway, str]:
    world = await World.opened(MemoryStore())
    return world.gateway, intent_of(await world.session())
