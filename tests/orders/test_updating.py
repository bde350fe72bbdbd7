"""A customer is called otherwise: in the books at once, at Stripe soon after, whoever is faster."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.memory.gateway import MemoryGateway
from application.causes import Task
from application.customers.tell_stripe import TellStripeOfCustomer
from domain.customer import Customer, CustomerRecord
from domain.customer_changes import CustomerChanges
from domain.effects import CreateStripeCustomer, UpdateStripeCustomer
from domain.errors import NotFound, Rejected, Unavailable
from tests.application.promises import check_books
from tests.orders.shop import Ground, Shop


@pytest.fixture
async def shop(ground: tuple[str, Ground]) -> AsyncIterator[Shop]:
    """With Ada in it; its books are checked at the end."""
    _, opened = ground
    shop = await opened()
    await shop.customer("ada", email="ada@example.test", name="Ada", metadata={"a": "1", "b": "2"})
    yield shop
    check_books(await shop.inspect())


async def updated(shop: Shop, reference: str = "ada", **changes: Any) -> CustomerRecord:
    return await shop.update_customer(reference, CustomerChanges(**changes), shop.auth, shop.request())


async def leased(shop: Shop) -> list[Task]:
    return list(await shop.worker_store.lease(100, shop.clock.now(), timedelta(seconds=0)))


async def told(shop: Shop) -> int:
    return Counter(event.type for event in (await shop.inspect()).events)["customer.updated"]


def at_stripe(shop: Shop) -> tuple[str | None, str | None, str | None]:
    known = shop.gateway.customers[-1].customer
    return known.external_id, known.email, known.name


async def test_what_is_given_is_changed_and_the_rest_stays(shop: Shop) -> None:
    record = await updated(shop, name="Ada L", metadata={"a": None, "c": "3"}, fingerprint="fp")
    assert record.subscriptions
    (stored,) = await shop.kept(Customer)
    assert stored == record.customer
    assert (stored.name, stored.email, stored.metadata) == ("Ada L", "ada@example.test", {"b": "2", "c": "3"})
    event = (await shop.inspect()).events[-1]
    assert (event.type, event.data.previous) == (
        "customer.updated",
        {"name": "Ada", "metadata": {"a": "1", "b": "2"}, "fingerprint": None},
    )
    cleared = (await updated(shop, email=None, name=None, metadata=None)).customer
    assert (cleared.email, cleared.email_key, cleared.name, cleared.metadata) == (None, None, None, {})


async def test_saying_what_is_so_already_records_nothing(shop: Shop) -> None:
    await updated(shop, external_id="ada", name="Ada", metadata={"a": "1", "z": None})
    await updated(shop)
    assert await told(shop) == 0


async def test_a_new_external_id_is_theirs_and_the_old_one_free(shop: Shop) -> None:
    record = await updated(shop, external_id="lovelace")
    assert await shop.store.customer(shop.auth, "ada") is None
    found = await shop.store.customer(shop.auth, "lovelace")
    assert found is not None
    assert found.customer == record.customer
    assert (await shop.customer("ada")).created


async def test_of_several_who_want_one_external_id_one_has_it(shop: Shop) -> None:
    names = [f"c{n}" for n in range(6)]
    for name in names:
        await shop.customer(name)
    outcomes = await asyncio.gather(
        *(updated(shop, name, external_id="wanted") for name in names), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert [(one.code, one.field) for one in refused] == [("external_id_taken", "external_id")] * 5


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"external_id": None}, "invalid_external_id", "external_id"),
        ({"external_id": "a b"}, "invalid_external_id", "external_id"),
        ({"external_id": "anon_1"}, "invalid_external_id", "external_id"),
        ({"external_id": "bob"}, "external_id_taken", "external_id"),
        ({"metadata": {str(n): "" for n in range(49)}}, "invalid_value", "metadata"),
    ],
)
async def test_what_cannot_be(shop: Shop, changes: dict[str, Any], code: str, field: str) -> None:
    await shop.customer("bob")
    with pytest.raises(Rejected) as refused:
        await updated(shop, **changes)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await told(shop) == 0


async def test_nobody_is_updated_who_is_not_there(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await updated(shop, "nobody", name="X")


async def test_changes_at_once_are_all_there(shop: Shop) -> None:
    await asyncio.gather(*(updated(shop, metadata={f"k{n}": str(n)}) for n in range(6)))
    (stored,) = await shop.kept(Customer)
    assert stored.metadata == {"a": "1", "b": "2", **{f"k{n}": str(n) for n in range(6)}}
    assert await told(shop) == 6


async def test_stripe_is_told_of_what_it_knows_them_by_and_of_nothing_else(shop: Shop) -> None:
    await shop.worker_drains()
    await updated(shop, metadata={"a": "x"})
    assert not [task for task in await leased(shop) if isinstance(task.effect, UpdateStripeCustomer)]
    await updated(shop, name="Ada L", email=None, external_id="lovelace")
    await shop.worker_drains()
    assert at_stripe(shop) == ("lovelace", None, "Ada L")


async def test_who_is_changed_before_stripe_hears_of_them_is_known_there_as_they_are(shop: Shop) -> None:
    (task,) = [task for task in await leased(shop) if isinstance(task.effect, CreateStripeCustomer)]
    shop.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await shop.perform(task)
    await updated(shop, name="Ada L")
    await shop.perform(task)
    assert at_stripe(shop) == ("ada", "ada@example.test", "Ada L")


async def test_who_is_changed_while_stripe_hears_of_them_is_known_there_as_they_are(shop: Shop) -> None:
    (task,) = [task for task in await leased(shop) if isinstance(task.effect, CreateStripeCustomer)]
    await asyncio.gather(
        shop.perform(task), *(updated(shop, name=f"Ada {n}") for n in range(3)), return_exceptions=False
    )
    await shop.worker_drains()
    (stored,) = await shop.kept(Customer)
    assert at_stripe(shop) == (stored.external_id, stored.email, stored.name)


async def test_whichever_of_two_updates_reaches_stripe_last_it_knows_them_as_they_are(shop: Shop) -> None:
    await shop.worker_drains()
    await updated(shop, name="First")
    (first,) = [task for task in await leased(shop) if isinstance(task.effect, UpdateStripeCustomer)]
    await asyncio.gather(shop.perform(first), updated(shop, name="Second"))
    await shop.worker_drains()
    assert at_stripe(shop)[2] == "Second"


class Restless(MemoryGateway):
    """While Stripe is being told, the customer is called otherwise again: so many times."""

    def __init__(self, shop: Shop, times: int) -> None:
        super().__init__()
        self.customers = shop.gateway.customers
        self._shop = shop
        self._times = times

    async def update_customer(
        self, customer: Customer, stripe_customer_id: str, idempotency_key: str
    ) -> None:
        await super().update_customer(customer, stripe_customer_id, idempotency_key)
        if self._times:
            self._times -= 1
            await updated(self._shop, name=f"Ada {self._times}")


async def told_by(shop: Shop, gateway: MemoryGateway) -> None:
    await shop.worker_drains()
    await updated(shop, name="Ada L")
    (task,) = [task for task in await leased(shop) if isinstance(task.effect, UpdateStripeCustomer)]
    worker = shop.worker_store
    tell = TellStripeOfCustomer(worker, gateway, worker, shop.ids, shop.clock)
    assert isinstance(task.effect, UpdateStripeCustomer)
    await tell(task.effect, task)


async def test_who_is_changed_while_stripe_is_told_is_told_of_again(shop: Shop) -> None:
    await told_by(shop, Restless(shop, 3))
    assert at_stripe(shop)[2] == "Ada 0"


async def test_who_is_changed_each_time_is_left_for_later(shop: Shop) -> None:
    with pytest.raises(Unavailable) as waits:
        await told_by(shop, Restless(shop, 99))
    assert waits.value.code == "customer_keeps_changing"
    await shop.worker_drains()
    (stored,) = await shop.kept(Customer)
    assert at_stripe(shop)[2] == stored.name
