"""What only the store in memory could get wrong; what both stores promise is in tests/contracts."""

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace as with_fields

from adapters.memory.ids import SequentialIds
from adapters.memory.store import MemoryStore
from application.causes import ApiRequest, InboundEvent
from application.ports import EventFilter
from application.unit_of_work import UnitOfWork
from domain.account import ApiKey, Organization
from domain.change import Change, State
from domain.customer import Customer
from domain.errors import Conflict, StaleState
from domain.events import Event
from domain.ids import PREFIXES, RequestId
from tests.builders import (
    AUTH,
    NOW,
    ORGANIZATION,
    api_key,
    catalog_head,
    checkout_session,
    customer,
    feature,
    one_of_each,
    organization,
    payment,
    price,
    pricing_model,
    product,
    purchase,
    subscription,
    subscription_item,
    user,
)


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


async def commit(store: MemoryStore, *states: State) -> None:
    work = UnitOfWork(ApiRequest(RequestId("req_3")), AUTH, SequentialIds(), NOW)
    for state in states:
        work.record(Change(state, (Event("customer.updated"),)))
    await store.commit(work)


@pytest.mark.parametrize("state", one_of_each(), ids=lambda state: type(state).__name__)
async def test_an_id_that_is_taken_is_a_conflict_and_no_stale_state(state: State) -> None:
    store = MemoryStore()
    await commit(store, *one_of_each())
    with pytest.raises(Conflict) as refused:
        await commit(store, state)
    assert not isinstance(refused.value, StaleState)


@pytest.mark.parametrize(
    "second",
    [
        organization(organization_id="org_2"),
        user(id="usr_2"),
        api_key(id="key_2"),
        catalog_head(id="cat_2"),
        pricing_model(id="pm_2", is_default=False),
        pricing_model(id="pm_2", slug="other"),
        feature(id="feat_2"),
        product(id="prod_2"),
        price(id="price_2"),
        customer(id="cus_2"),
        subscription(id="sub_2"),
        checkout_session(id="cs_2"),
        purchase(id="pur_2"),
        payment(id="pay_2"),
    ],
    ids=lambda state: type(state).__name__,
)
async def test_what_must_be_unique_is_taken_once_in_each_mode(second: State) -> None:
    store = MemoryStore()
    await commit(store, *one_of_each())
    before = store.states
    with pytest.raises(Conflict):
        await commit(store, second)
    assert store.states == before
    across_tenants = Organization | ApiKey
    in_live_mode = (
        with_fields(state, livemode=True)
        for state in one_of_each()
        if isinstance(state, Struct) and not isinstance(state, across_tenants)
    )
    await commit(store, *in_live_mode)


@pytest.mark.parametrize(
    "lost",
    [
        product(id="prod_2", slug="other", pricing_model_id="pm_lost"),
        price(id="price_2", slug="other", product_id="prod_lost"),
        customer(id="cus_2", external_id="bob", pricing_model_id="pm_lost"),
        subscription(id="sub_2", group="other", customer_id="cus_lost"),
        subscription_item(id="si_2", subscription_id="sub_lost"),
        checkout_session(id="cs_2", payment_intent_id=None, price_id="price_lost"),
        checkout_session(id="cs_2", payment_intent_id=None, customer_id="cus_lost"),
        purchase(id="pur_2", checkout_session_id="cs_lost"),
        payment(id="pay_2", payment_intent_id="pi_2", checkout_session_id="cs_lost"),
        customer(id="cus_2", external_id="bob", livemode=True),
    ],
    ids=lambda state: type(state).__name__,
)
async def test_a_row_that_refers_to_nothing_of_its_tenant_is_a_programming_error(lost: State) -> None:
    store = MemoryStore()
    await commit(store, *one_of_each())
    before = store.states
    with pytest.raises(AssertionError, match="which is not there"):
        await commit(store, lost)
    assert store.states == before


def test_ids_are_type_ids_in_the_order_in_which_they_were_given() -> None:
    ids = SequentialIds()
    given = [ids.new(kind) for kind in PREFIXES]
    assert [made.rpartition("_")[0] for made in given] == list(PREFIXES.values())
    assert [made.rpartition("_")[2] for made in given] == sorted(made.rpartition("_")[2] for made in given)
    assert {len(made.rpartition("_")[2]) for made in given} == {26}


async def test_what_a_delivery_was_is_what_the_first_one_said() -> None:
    store = MemoryStore()
    for said in ("payment_intent.processing", "payment_intent.succeeded"):
        cause = InboundEvent("evt_1", said, ORGANIZATION, False, NOW, refusal="amount_mismatch", reason="No.")
        await store.commit(UnitOfWork(cause, None, SequentialIds(), NOW))
    assert [(row.type, row.attempts) for row in store.inbox] == [("payment_intent.processing", 2)]
