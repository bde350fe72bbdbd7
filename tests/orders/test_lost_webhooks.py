"""Whatever share of Stripe's webhooks is lost, the books are what they would have been once they are held
against Stripe; and once more finds nothing."""

from copy import deepcopy
from random import Random

import pytest

from application.ports import ToldByStripe
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact
from tests.application.promises import check_books
from tests.faults.judgement import Books
from tests.orders.ending import ending
from tests.orders.flows import FLOWS, Flow
from tests.orders.shop import Ground, Shop

SHARES = (0.0, 0.3, 0.7, 1.0)
TRIES = {"memory": 5, "postgres": 1}


class Lossy:
    """A webhook that loses some of what Stripe sends; Stripe keeps all of it."""

    def __init__(self, shop: Shop, share: float, seed: int) -> None:
        self._shop = shop
        self._share = share
        self._random = Random(seed)  # noqa: S311 (to be repeated, not to be secret)
        self._report = shop.report
        self.lost: list[ToldByStripe] = []
        shop.told = self.told  # type: ignore[method-assign]  # what is told goes this way

    async def told(self, fact: PaymentFact | SetupFact | ReversalFact) -> None:
        happened = self._shop.gateway.happens(fact, self._shop.clock.now())
        if self._random.random() < self._share:
            self.lost.append(happened)
        else:
            await self._report(fact, happened.id)


def kept_by(books: Books) -> tuple[object, ...]:
    return deepcopy((books.states, books.events, books.tasks, books.inbox))


async def ends(opened: Ground, flow: Flow, share: float, seed: int) -> tuple[list[str], int]:
    """How it ended, once it was reconciled; and how many were lost."""
    shop = await opened()
    session = await flow.begin(shop)
    lossy = Lossy(shop, share, seed)
    for name, tell in flow.facts.items():
        if name in flow.after:  # nothing follows from what is not in the books
            await shop.reconcile(apply=True, only=shop.auth.organization_id)
            await shop.worker_drains()
        await tell(shop, session)
    await shop.worker_drains()
    before = kept_by(await shop.inspect())
    planned = await shop.reconcile(only=shop.auth.organization_id)
    assert kept_by(await shop.inspect()) == before, planned  # a plan changes nothing
    found = await shop.reconcile(apply=True, only=shop.auth.organization_id)
    assert bool(found) == bool(planned)
    assert {finding.outcome for finding in found} <= {"applied"}, found
    await shop.worker_drains()
    assert await shop.reconcile(apply=True, only=shop.auth.organization_id) == []
    books = await shop.inspect()
    check_books(books)
    return ending(books.states), len(lossy.lost)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
async def test_whatever_share_is_lost_the_books_end_the_same(ground: tuple[str, Ground], flow: Flow) -> None:
    adapter, opened = ground
    expected, none = await ends(opened, flow, 0.0, 0)
    assert none == 0
    for share in SHARES:
        for seed in range(TRIES[adapter]):
            found, lost = await ends(opened, flow, share, seed)
            assert found == expected, (share, seed, lost)
