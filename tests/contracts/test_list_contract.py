"""What is listed: newest first, by pages, of one customer, with one status; on every store."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from domain.auth import Authenticated
from domain.change import Change
from domain.checkout import CheckoutSession
from domain.errors import Rejected
from domain.events import Event
from domain.ids import PurchaseId, SubscriptionId
from tests.contracts.worlds import World

LISTS = ("payments", "purchases", "subscriptions")


async def bought(world: World, auth: Authenticated, customer: str) -> CheckoutSession:
    """A paid session of this customer, who is made if there is none."""
    await world.customer(auth, customer)
    session = await world.session(auth, customer=customer)
    assert session.payment_intent_id is not None
    fact = world.gateway.succeed(session.payment_intent_id)
    assert (await world.report(fact, f"evt_{session.id}")).refusal is None
    return session


async def canceled(world: World, auth: Authenticated, id: SubscriptionId) -> None:
    record = await world.store.subscription(auth, id)
    assert record is not None
    known = record.subscription
    work = world.work(auth)
    work.record(
        Change(
            replace(known, status="canceled", canceled_at=world.clock.now()),
            (Event("subscription.created"),),
            known,
        )
    )
    await world.store.commit(work)


async def listed(world: World, kind: str, auth: Authenticated, limit: int = 100, **wanted: Any) -> list[Any]:
    page: Sequence[Any] = await getattr(world.store, kind)(auth, limit, **wanted)
    return [getattr(row, "subscription", row) for row in page]


@pytest.mark.parametrize("kind", LISTS)
async def test_pages_are_newest_first_and_leave_nothing_out(world: World, kind: str) -> None:
    auth = await world.organization()
    for customer in ("ada", "bob", "cyd", "dan", "eve"):
        await bought(world, auth, customer)
    everything = [row.id for row in await listed(world, kind, auth)]
    assert len(everything) == 5
    assert everything == sorted(everything, reverse=True)
    seen: list[Any] = []
    for size in (2, 2, 1, 0):
        page = await listed(world, kind, auth, 2, before=seen[-1] if seen else None)
        assert len(page) == size
        seen += [row.id for row in page]
    assert seen == everything


@pytest.mark.parametrize("kind", LISTS)
async def test_of_one_customer_by_either_id_and_page_by_page(world: World, kind: str) -> None:
    auth = await world.organization()
    for customer in ("ada", "bob", "ada", "bob"):
        await bought(world, auth, customer)
    ada = (await world.customer(auth, "ada")).record.customer
    everything = await listed(world, kind, auth)
    hers = [row.id for row in everything if row.customer_id == ada.id]
    assert 0 < len(hers) < len(everything)
    for reference in (ada.id, "ada"):
        assert [row.id for row in await listed(world, kind, auth, customer=reference)] == hers
    rest = await listed(world, kind, auth, customer="ada", before=hers[0])
    assert [row.id for row in rest] == hers[1:]
    await world.customer(auth, "new")
    mine = await listed(world, kind, auth, customer="new")
    assert len(mine) == (1 if kind == "subscriptions" else 0)


@pytest.mark.parametrize("kind", LISTS)
async def test_of_nobody_nothing_is_listed_and_that_is_said(world: World, kind: str) -> None:
    auth, other = await world.organization(), await world.organization("other")
    await bought(world, other, "ada")
    hers = (await world.customer(other, "ada")).record.customer.id
    for reference in ("ada", hers, "cus_1", ""):
        with pytest.raises(Rejected) as refused:
            await listed(world, kind, auth, customer=reference)
        assert (refused.value.code, refused.value.field) == ("customer_not_found", "customer")


@pytest.mark.parametrize("kind", LISTS)
async def test_another_organization_or_mode_lists_nothing(world: World, kind: str) -> None:
    auth = await world.organization()
    await bought(world, auth, "ada")
    for stranger in (await world.organization("other"), replace(auth, livemode=True)):
        assert await listed(world, kind, stranger) == []


async def test_purchases_with_one_status(world: World) -> None:
    auth = await world.organization()
    for customer in ("ada", "bob", "ada"):
        await bought(world, auth, customer)
    (newest, *_) = await world.store.payments(auth, 1)
    await world.refund(auth, newest.id)
    refunded = await world.store.purchases(auth, 10, status="refunded")
    assert [purchase.id for purchase in refunded] == [newest.purchase_id]
    paid = await world.store.purchases(auth, 10, status="paid")
    assert [purchase.status for purchase in paid] == ["paid", "paid"]
    assert await world.store.purchases(auth, 10, status="paid", before=paid[0].id) == paid[1:]
    assert await world.store.purchases(auth, 10, status="paid", customer="bob") == paid[:1]
    assert await world.store.purchases(auth, 10, status="failed") == []


async def test_a_purchase_is_read_by_id_and_by_nobody_else(world: World) -> None:
    auth = await world.organization()
    session = await bought(world, auth, "ada")
    (purchase,) = await world.store.purchases(auth, 10)
    assert purchase.checkout_session_id == session.id
    assert await world.store.purchase(auth, purchase.id) == purchase
    for stranger in (await world.organization("other"), replace(auth, livemode=True)):
        assert await world.store.purchase(stranger, purchase.id) is None
    assert await world.store.purchase(auth, PurchaseId("pur_none")) is None


async def test_subscriptions_are_listed_and_read_with_their_items_canceled_ones_too(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth, "ada")
    await world.customer(auth, "bob")
    (current,) = (await world.customer(auth, "ada")).record.subscriptions
    await canceled(world, auth, current.subscription.id)
    (record,) = await world.store.subscriptions(auth, 10, status="canceled")
    assert (record.subscription.id, record.subscription.status) == (current.subscription.id, "canceled")
    assert record.items == current.items != ()
    assert await world.store.subscription(auth, record.subscription.id) == record
    (active,) = await world.store.subscriptions(auth, 10, status="active")
    assert active.subscription.id != record.subscription.id
    assert await world.store.subscriptions(auth, 10) == [active, record]
    assert await world.store.subscriptions(auth, 10, customer="ada", status="active") == []
    for stranger in (await world.organization("other"), replace(auth, livemode=True)):
        assert await world.store.subscription(stranger, record.subscription.id) is None
    assert await world.store.subscription(auth, SubscriptionId("sub_none")) is None
