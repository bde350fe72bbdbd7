"""A trial is given once per customer and product, whatever became of the first one."""

from msgspec.structs import replace

from application.unit_of_work import UnitOfWork
from domain.change import Change
from domain.events import Event
from domain.invoice import Invoice
from domain.subscription import Subscription
from tests.orders.shop import Ground


async def test_a_second_trial_of_one_product_is_not_given_and_is_charged(ground: tuple[str, Ground]) -> None:
    _, opened = ground
    shop = await opened()
    await shop.customer("ada")
    await shop.subscribed("pro-trial", customer="ada")
    (first,) = [one for one in await shop.kept(Subscription) if one.product_slug == "pro"]
    assert first.status == "trialing"
    work = UnitOfWork(shop.request(), shop.auth, shop.ids, shop.clock.now())
    over = replace(first, status="canceled", canceled_at=shop.clock.now(), cancellation_reason="requested")
    work.record(Change(over, (Event("subscription.canceled"),), first))
    await shop.store.commit(work)
    await shop.subscribed("pro-trial", customer="ada")
    _, second = [one for one in await shop.kept(Subscription) if one.product_slug == "pro"]
    assert (second.status, second.trial_ends_at) == ("incomplete", None)
    assert [invoice.total for invoice in await shop.kept(Invoice)] == [0, 4900]
