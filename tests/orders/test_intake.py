"""Whatever is told of an intake payment, in whatever order it comes and however often, it ends the same."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import permutations
from random import Random
from typing import TypeAlias

import pytest
from msgspec import Struct
from msgspec.structs import replace

from domain.customer import Customer
from domain.intake_payment import IntakePayment
from domain.payment import PaymentFact
from domain.reversal import Dispute, Refund, ReversalFact
from tests.application.promises import check_books
from tests.orders.ending import decided, ending
from tests.orders.facts import DECLINED, PAID, PENDING, REFUND, SENT_BACK
from tests.orders.shop import Ground, Shop

MOST = {"memory": 400, "postgres": 15}

Told: TypeAlias = Callable[[Shop, IntakePayment], Awaitable[object]]


async def as_made(shop: Shop, asked: IntakePayment) -> PaymentFact:
    """Its intent, before anybody tried to pay."""
    assert asked.payment_intent_id is not None
    intent = await shop.gateway.payment_intent(asked.payment_intent_id, livemode=False)
    return replace(intent, attempts=(), ending=None)


async def as_paid(shop: Shop, asked: IntakePayment) -> PaymentFact:
    return replace(await as_made(shop, asked), attempts=(PAID,), ending="succeeded")


def payment(**changes: object) -> Told:
    """Stripe tells of its intent."""

    async def tell(shop: Shop, asked: IntakePayment) -> None:
        await shop.told(replace(await as_made(shop, asked), **changes))

    return tell


def reversal(refunds: tuple[Refund, ...] = (), disputes: tuple[Dispute, ...] = ()) -> Told:
    """Stripe is asked for the payment that it is about: by then that has succeeded."""

    async def tell(shop: Shop, asked: IntakePayment) -> None:
        paid = await as_paid(shop, asked)
        shop.gateway.put(paid)
        await shop.told(ReversalFact(paid.payment_intent_id, False, refunds, disputes))

    return tell


async def payer_returns(shop: Shop, asked: IntakePayment) -> None:
    """The payer's browser is back, and Stripe says that they have paid."""
    shop.gateway.put(await as_paid(shop, asked))
    await shop.payer_returns(asked.id)


async def taken_back(shop: Shop, asked: IntakePayment) -> None:
    """The seller asks no longer."""
    await shop.take_back(asked.id)


class Flow(Struct, frozen=True):
    """All that is told of an intake payment. A fact cannot be told before the one that it is `after`.
    `deciding`: what the end does not hang on may be lost."""

    name: str
    facts: Mapping[str, Told]
    deciding: frozenset[str]
    status: str
    after: Mapping[str, str] = {}


_PAYING: Mapping[str, Told] = {
    "created": payment(),
    "payment_failed": payment(attempts=(DECLINED,)),
    "processing": payment(attempts=(PENDING,)),
    "succeeded": payment(attempts=(PAID,), ending="succeeded"),
}
FLOWS = (
    Flow("paid", _PAYING, frozenset({"succeeded"}), "succeeded"),
    Flow(
        "paid, and the payer comes back",
        {**_PAYING, "the payer returns": payer_returns},
        frozenset(),
        "succeeded",
    ),
    Flow(
        "a refund before the charge is known, and a dispute",
        {
            "created": _PAYING["created"],
            "succeeded": _PAYING["succeeded"],
            "refunded": reversal((REFUND,)),
            "sent back": reversal((SENT_BACK,)),
            "disputed": reversal(disputes=(Dispute("du_1", 1500, "usd", "open"),)),
        },
        frozenset({"refunded", "sent back", "disputed"}),
        "succeeded",
    ),
    Flow(
        "canceled at Stripe",
        {
            "created": _PAYING["created"],
            "payment_failed": _PAYING["payment_failed"],
            "processing": _PAYING["processing"],
            "canceled": payment(ending="canceled"),
        },
        frozenset({"payment_failed", "processing", "canceled"}),
        "canceled",
    ),
    Flow(
        "taken back",
        {
            "created": _PAYING["created"],
            "payment_failed": _PAYING["payment_failed"],
            "taken back": taken_back,
            "abandoned": payment(ending="abandoned"),
        },
        frozenset({"payment_failed", "taken back", "abandoned"}),
        "canceled",
        {"abandoned": "taken back"},
    ),
    Flow(
        "taken back, and paid all the same",
        {"taken back": taken_back, **_PAYING},
        frozenset({"taken back", "succeeded"}),
        "succeeded",
        {"processing": "taken back", "succeeded": "taken back"},
    ),
)


def orders(flow: Flow, most: int) -> list[tuple[str, ...]]:
    """Every order, as it is and with any one told twice; or so many of them."""
    names = [*flow.facts]
    found = {
        order
        for told in (names, *([*names, name] for name in names))
        for order in permutations(told)
        if possible(flow, order)
    }
    every = sorted(found)
    return every if len(every) <= most else Random(len(every)).sample(every, most)  # noqa: S311


def possible(flow: Flow, order: Sequence[str]) -> bool:
    """Nothing comes before what it follows from; and what is being paid is not taken back (again)."""
    return all(
        first in order[:place] and first not in order[place:]
        for place, name in enumerate(order)
        if (first := flow.after.get(name)) is not None
    )


async def ends(opened: Ground, flow: Flow, order: Sequence[str]) -> tuple[list[str], list[str]]:
    """How it ended when the worker was done, and what anybody can see of it."""
    shop = await opened()
    asked = await shop.ask()
    for name in order:
        await flow.facts[name](shop, asked)
    await shop.worker_drains()
    books = await shop.inspect()
    check_books(books)
    assert (await shop.asked(asked.id)).status == flow.status, order
    assert await shop.kept(Customer) == []
    assert not [row for row in books.inbox if row.handled_at is None]
    return ending(books.states), decided(books.states)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
async def test_every_order_with_any_one_twice_ends_the_same(ground: tuple[str, Ground], flow: Flow) -> None:
    adapter, opened = ground
    expected = await ends(opened, flow, tuple(flow.facts))
    for order in orders(flow, MOST[adapter]):
        assert await ends(opened, flow, order) == expected, order


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
async def test_with_any_one_left_out_but_the_deciding_ones_the_same_is_decided(
    ground: tuple[str, Ground], flow: Flow
) -> None:
    adapter, opened = ground
    *_, expected = await ends(opened, flow, tuple(flow.facts))
    for lost in flow.facts:
        if lost in flow.deciding:
            continue
        names = tuple(name for name in flow.facts if name != lost)
        some = [order for order in permutations(names) if possible(flow, order)]
        for order in Random(lost).sample(some, min(len(some), MOST[adapter] // 8)):  # noqa: S311
            *_, found = await ends(opened, flow, order)
            assert found == expected, (lost, order)
