"""Whatever is told of a checkout, in whatever order it comes and however often, it ends the same (design,
rule 9): at once, and when the worker has done all there is to do."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from random import Random

import pytest

from domain.effects import EndCheckoutSession, RenewSubscription
from tests.application.promises import check_books
from tests.orders.ending import decided, ending
from tests.orders.flows import FLOWS, UPGRADE, Flow
from tests.orders.shop import Ground

MOST = {"memory": 400, "postgres": 15}
"""So many orders of each flow are tried on each adapter; of a longer flow, a sample of that size."""

Ends = tuple[list[str], list[str], list[str]]


def possible(flow: Flow, names: Sequence[str]) -> bool:
    """Nothing comes before what it follows from."""
    return all(flow.after[name] in names[:place] for place, name in enumerate(names) if name in flow.after)


def orders(flow: Flow) -> Iterator[tuple[str, ...]]:
    """Every order, as it is and with any one told twice, at any place."""
    names = [*flow.facts]
    for told in (names, *([*names, name] for name in names)):
        yield from (order for order in sorted(set(permutations(told))) if possible(flow, order))


def shuffled(flow: Flow, seed: int) -> tuple[str, ...]:
    """One of those orders."""
    random = Random(seed)  # noqa: S311 (an order, not a secret)
    names = [*flow.facts]
    told = [*names, random.choice(names)]
    while True:
        random.shuffle(told)
        if possible(flow, told):
            return tuple(told)


def sample(flow: Flow, most: int) -> list[tuple[str, ...]]:
    if len(flow.facts) <= 4:
        found = list(orders(flow))
        return found if len(found) <= most else Random(len(found)).sample(found, most)  # noqa: S311
    return [tuple(flow.facts), *(shuffled(flow, seed) for seed in range(most - 1))]


async def ends(opened: Ground, flow: Flow, order: Sequence[str], *, worker_is_slow: bool = False) -> Ends:
    """How it ended, at once and when the worker was done; and what was decided."""
    shop = await opened(worker_is_slow=worker_is_slow)
    session = await flow.begin(shop)
    for name in order:
        await flow.facts[name](shop, session)
    at_once = (await shop.inspect()).states
    await shop.worker_drains()
    books = await shop.inspect()
    check_books(books)
    waiting = {type(task.effect) for task in books.tasks}
    assert waiting <= {EndCheckoutSession, RenewSubscription}, waiting
    return ending(at_once), ending(books.states), decided(books.states)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
async def test_every_order_with_any_one_twice_ends_the_same(ground: tuple[str, Ground], flow: Flow) -> None:
    adapter, opened = ground
    tried = sample(flow, MOST[adapter])
    print(f"{flow.name} on {adapter}: {len(tried)} orders")  # noqa: T201 (so that a run says what it tried)
    expected = await ends(opened, flow, tuple(flow.facts))
    for order in tried:
        assert await ends(opened, flow, order) == expected, order


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
async def test_with_any_one_left_out_but_the_deciding_ones_the_same_is_decided(
    ground: tuple[str, Ground], flow: Flow
) -> None:
    adapter, opened = ground
    *_, expected = await ends(opened, flow, tuple(flow.facts))
    for lost in flow.facts:
        if lost not in flow.deciding and len(flow.facts) > 1:
            names = tuple(name for name in flow.facts if name != lost)
            some = [order for order in permutations(names) if possible(flow, order)]
            for order in Random(lost).sample(some, min(len(some), MOST[adapter] // 8)):  # noqa: S311
                *_, found = await ends(opened, flow, order)
                assert found == expected, (lost, order)


async def test_a_worker_that_is_slow_or_quick_makes_no_difference_in_the_end(
    ground: tuple[str, Ground],
) -> None:
    adapter, opened = ground
    _, expected, _ = await ends(opened, UPGRADE, tuple(UPGRADE.facts))
    for order in sample(UPGRADE, MOST[adapter] // 2):
        _, found, _ = await ends(opened, UPGRADE, order, worker_is_slow=True)
        assert found == expected, order
