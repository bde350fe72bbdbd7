"""A cancellation and whatever else happens to a subscription at once: one order, or the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Any

import pytest

from domain.effects import CreateInvoiceIntent
from domain.errors import DomainError, NotFound
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription
from tests.application.promises import check_books
from tests.orders.shop import Ground, Shop

MONTH = timedelta(days=31)
ROUNDS = 5


@pytest.fixture
async def shops(ground: tuple[str, Ground]) -> AsyncIterator[list[Shop]]:
    """Several, each with Ada in it, as one race may go well by chance; their books are checked at the end."""
    _, opened = ground
    several = [await opened() for _ in range(ROUNDS)]
    for shop in several:
        await shop.customer("ada")
        await shop.worker_drains()
    yield several
    for shop in several:
        await shop.settle()
        check_books(await shop.inspect())


async def plan(shop: Shop, product: str = "pro") -> Subscription:
    """The newest subscription to a product."""
    return [one for one in await shop.kept(Subscription) if one.product_slug == product][-1]


async def paying(shop: Shop) -> Subscription:
    """Ada has it, and has paid."""
    await shop.subscribed(customer="ada")
    await shop.settle()
    return await plan(shop)


async def told(shop: Shop) -> Counter[str]:
    return Counter(event.type for event in (await shop.inspect()).events)


async def at_once(*doings: Awaitable[Any]) -> list[str | None]:
    """What each was refused with, if it was."""
    done = await asyncio.gather(*doings, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException) and not isinstance(one, DomainError):
            raise one
    return [one.code if isinstance(one, DomainError) else None for one in done]


async def test_and_its_renewal(shops: list[Shop]) -> None:
    for shop in shops:
        held = await paying(shop)
        shop.clock.advance(MONTH)
        assert await at_once(shop.cancel(held), shop.worker_drains()) == [None, None]
        after, bills = await plan(shop), await shop.kept(Invoice)
        if after.status == "canceled":
            assert len(bills) == 1
        else:  # it had been renewed: so it ends with the period that is being paid for
            assert (after.cancel_at_period_end, len(bills)) == (True, 2)
            assert after.current_period_start == held.current_period_end


async def test_that_is_withdrawn_when_the_period_ends(shops: list[Shop]) -> None:
    for shop in shops:
        held = await paying(shop)
        await shop.cancel(held)
        shop.clock.advance(MONTH)
        refused, _ = await at_once(shop.resume(held), shop.worker_drains())
        await shop.settle()
        after, bills = await plan(shop), await shop.kept(Invoice)
        if refused is None:
            assert (after.status, after.cancel_at_period_end, len(bills)) == ("active", False, 2)
        else:
            assert (refused, after.status, len(bills)) == ("subscription_canceled", "canceled", 1)


async def test_and_the_news_that_it_is_paid(shops: list[Shop]) -> None:
    for shop in shops:
        await shop.subscribed(customer="ada")
        created = await shop.charge_as_made()
        shop.gateway.put(created)
        fact = shop.gateway.succeed(created.payment_intent_id)
        refused = await at_once(shop.cancel(await plan(shop)), shop.report(fact))
        assert refused == [None, None]
        after = await plan(shop)
        assert (after.status, after.cancel_at_period_end) in (("canceled", False), ("active", True))
        assert [(bill.status, bill.amount_paid) for bill in await shop.kept(Invoice)] == [("paid", 4900)]
        assert [paid.status for paid in await shop.kept(Payment)] == ["succeeded"]


async def test_and_its_first_charge(shops: list[Shop]) -> None:
    for shop in shops:
        await shop.subscribed(customer="ada")
        held = await plan(shop)
        assert await at_once(shop.worker_drains(), shop.cancel(held, "now")) == [None, None]
        await shop.settle()
        (bill,), payments = await shop.kept(Invoice), await shop.kept(Payment)
        assert (await plan(shop)).status == "canceled"
        assert (bill.status, len(payments)) in (("void", 0), ("paid", 1))


async def test_and_the_making_of_an_intent_that_nobody_shall_pay_then(shops: list[Shop]) -> None:
    for shop in shops:
        await shop.subscribed(customer="ada")
        await shop.worker_drains_until(CreateInvoiceIntent)
        tasks = [
            task for task in (await shop.inspect()).tasks if isinstance(task.effect, CreateInvoiceIntent)
        ]
        held = await plan(shop)
        assert await at_once(*map(shop.perform, tasks), shop.cancel(held)) == [None, None]
        await shop.settle()
        (bill,) = await shop.kept(Invoice)
        made = shop.gateway.made_for(bill.id)
        assert bill.status == "void"
        assert [intent.payment_intent_id for intent in made] == ([bill.payment_intent_id] if made else [])
        assert {intent.ending for intent in made} <= {"abandoned"}


async def test_and_an_upgrade(shops: list[Shop]) -> None:
    for shop in shops:
        free = await plan(shop, "free")
        session = await shop.session(price="pro", customer="ada")
        fact = shop.gateway.succeed_setup(session.setup_intent_id or "")
        refused, booked = await at_once(shop.cancel(free, "now"), shop.report(fact))
        assert booked is None
        await shop.settle()
        free, pro = await plan(shop, "free"), await plan(shop)
        assert (pro.status, free.status) == ("active", "canceled")
        assert (refused, free.cancellation_reason) in (
            (None, "requested"),
            ("subscription_canceled", "replaced"),
        )
        assert (await told(shop))["subscription.canceled"] == 1


async def test_and_the_customers_deletion(shops: list[Shop]) -> None:
    for shop in shops:
        held = await paying(shop)
        refused, deleted = await at_once(
            shop.cancel(held), shop.delete_customer("ada", shop.auth, shop.request())
        )
        assert deleted is None
        after = await plan(shop)
        assert (after.status, after.cancellation_reason) == ("canceled", "customer_deleted")
        assert not after.cancel_at_period_end
        assert refused in (None, "subscription_canceled")
        with pytest.raises(NotFound):
            await shop.delete_customer("ada", shop.auth, shop.request())


async def test_of_many_one_is_told(shops: list[Shop]) -> None:
    for shop in shops:
        held = await paying(shop)
        assert set(await at_once(*(shop.cancel(held) for _ in range(8)))) == {None}
        assert (await told(shop))["subscription.cancellation_scheduled"] == 1
        refused = Counter(await at_once(*(shop.cancel(held, "now") for _ in range(8))))
        assert refused == {None: 1, "subscription_canceled": 7}
        assert (await told(shop))["subscription.canceled"] == 2  # the free plan was replaced


async def test_of_two_minds_one_is_the_last(shops: list[Shop]) -> None:
    for shop in shops:
        held = await paying(shop)
        both = [doing for _ in range(4) for doing in (shop.cancel(held), shop.resume(held))]
        assert set(await at_once(*both)) == {None}
        events = await told(shop)
        said, taken_back = (
            events[f"subscription.cancellation_{what}"] for what in ("scheduled", "withdrawn")
        )
        assert said - taken_back == int((await plan(shop)).cancel_at_period_end)


async def test_and_another_card(shops: list[Shop]) -> None:
    for shop in shops:
        session = await shop.session(price="pro", customer="ada")
        left = shop.gateway.succeed_setup(session.setup_intent_id or "")
        assert left.payment_method is not None
        shop.gateway.declines[left.payment_method.stripe_payment_method_id] = "expired_card"
        await shop.report(left)
        await shop.settle()
        added = await shop.open(type="add_payment_method", customer="ada")
        await shop.report(shop.gateway.succeed_setup(added.setup_intent_id or ""))
        held, card = await plan(shop), (await shop.kept(PaymentMethod))[-1]
        refused, canceled = await at_once(shop.pay_by(held.id, card.id), shop.cancel(held))
        assert (canceled, refused in (None, "subscription_canceled")) == (None, True)
        await shop.settle()
        assert (await plan(shop)).status == "canceled"
        assert [bill.status for bill in await shop.kept(Invoice)] == ["void"]
        assert "succeeded" not in {paid.status for paid in await shop.kept(Payment)}
