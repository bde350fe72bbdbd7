"""What only the store in memory could get wrong; all else is in tests/contracts, for both stores."""

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any

from adapters.memory.ids import SequentialIds
from adapters.memory.store import MemoryStore
from application.causes import ApiRequest
from application.ports import EventFilter
from application.unit_of_work import UnitOfWork
from domain.change import Change
from domain.customer import Customer
from domain.events import Event
from domain.ids import PREFIXES, RequestId
from tests.builders import AUTH, NOW, customer, pricing_model


async def stored(mine: Customer) -> MemoryStore:
    """A store with this customer in it."""
    store = MemoryStore()
    work = UnitOfWork(ApiRequest(RequestId("req_1")), AUTH, SequentialIds(), NOW)
    work.record(Change(pricing_model(), (Event("pricing_model.created"),)))
    work.record(Change(mine, (Event("customer.created"),)))
    await store.commit(work)
    await store.sequence(10)
    return store


async def test_nothing_handed_in_or_out_can_change_what_is_stored() -> None:
    mine = customer()
    store = await stored(mine)
    mine.metadata["plan"] = "changed"
    found = await store.customer(AUTH, "alice")
    assert found is not None
    found.customer.metadata["plan"] = "changed"
    for event in (*await store.page(AUTH, EventFilter()), *store.events):
        event.data.object.clear()
    again = await store.customer(AUTH, "alice")
    assert again is not None
    assert again.customer.metadata == {"plan": "gold"}
    assert all(event.data.object for event in store.events)


async def test_every_call_lets_others_go_on_before_it_returns() -> None:
    store = await stored(customer())
    (task,) = store.tasks
    empty = UnitOfWork(ApiRequest(RequestId("req_2")), AUTH, SequentialIds(), NOW)
    calls: list[Coroutine[Any, Any, object]] = [
        store.customer(AUTH, "alice"),
        store.page(AUTH, EventFilter()),
        store.sequence(1),
        store.postpone(task, "", NOW),
        store.park(task, "", NOW),
        store.commit(empty),
    ]
    for call in calls:
        others = asyncio.create_task(asyncio.sleep(0))
        await call
        started = others.get_coro()
        assert isinstance(started, Coroutine)
        assert inspect.getcoroutinestate(started) != inspect.CORO_CREATED
        await others


def test_ids_are_type_ids_in_the_order_in_which_they_were_given() -> None:
    ids = SequentialIds()
    given = [ids.new(kind) for kind in PREFIXES]
    assert [made.rpartition("_")[0] for made in given] == list(PREFIXES.values())
    assert [made.rpartition("_")[2] for made in given] == sorted(made.rpartition("_")[2] for made in given)
    assert {len(made.rpartition("_")[2]) for made in given} == {26}
