"""Invoices get their numbers without gaps, whoever gives them; what is read of them is theirs alone."""

import asyncio

import pytest
from msgspec.structs import replace

from adapters.system import RandomSecrets
from application.causes import Task
from domain import invoice
from domain.auth import Authenticated
from domain.change import stored
from domain.effects import FinalizeInvoices
from domain.errors import Conflict, Rejected
from domain.ids import CustomerId, InvoiceId
from domain.intent import IntentStatus
from domain.invoice import Billed, BilledTo, Invoice, InvoiceLine
from entrypoints.worker import Worker
from tests.contracts.worlds import CATALOG, REQUEST, World
from tests.use_cases import effects_on

NOBODYS = InvoiceId("inv_00000000000000000000000000")


async def invoiced(
    world: World, auth: Authenticated, customer: CustomerId, payment: IntentStatus = "succeeded"
) -> Invoice:
    """A new invoice, as whatever bills somebody makes one."""
    billed = Billed(
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        customer_id=customer,
        billed_to=BilledTo(name="Ada"),
        currency="usd",
        lines=(InvoiceLine("Course", 2, 1999, 3998),),
    )
    work = world.work(auth)
    made = work.record(invoice.issue(billed, payment, 0, world.ids, world.clock.now()))
    await world.store.commit(work)
    return stored(made)


async def buyer(world: World, auth: Authenticated, external_id: str = "ada") -> CustomerId:
    return (await world.customer(auth, external_id)).record.customer.id


async def numbering_tasks(world: World) -> list[Task]:
    return [task for task in await world.lease(1000) if isinstance(task.effect, FinalizeInvoices)]


def worker(world: World) -> Worker:
    """One more process that works."""
    store = world.worker_store
    effects = effects_on(store, world.gateway, world.ids, world.clock, RandomSecrets())
    return Worker(store, store, store, effects, world.retries, world.deliveries, world.clock)


async def all_invoices(world: World, auth: Authenticated) -> list[Invoice]:
    """Oldest first."""
    found: list[Invoice] = []
    while page := await world.store.invoices(auth, 100, found[-1].id if found else None):
        found += page
    return found[::-1]


async def test_four_workers_give_three_hundred_invoices_every_number_once(world: World) -> None:
    acme = await world.organization("acme")
    other = await world.organization("other")
    live = replace(acme, livemode=True)
    await world.apply_catalog(CATALOG, live, REQUEST)
    buyers = {auth: await buyer(world, auth) for auth in (acme, live, other)}
    await asyncio.gather(
        *(invoiced(world, acme, buyers[acme], "open" if n % 3 else "succeeded") for n in range(300)),
        *(invoiced(world, auth, buyers[auth]) for auth in (live, other) for _ in range(20)),
    )
    await asyncio.gather(*(worker(world).drain() for _ in range(4)))
    assert sorted(row.number or 0 for row in await all_invoices(world, acme)) == [*range(1, 301)]
    for auth in (live, other):
        assert sorted(row.number or 0 for row in await all_invoices(world, auth)) == [*range(1, 21)]
    told = await world.events(acme, type="invoice.finalized")
    assert sorted(event.data.object["number"] for event in told) == [*range(1, 301)]
    assert len({event.subject.id for event in told}) == 300
    assert await numbering_tasks(world) == []


async def test_numbers_go_on_where_they_ended_and_older_invoices_come_first(world: World) -> None:
    acme = await world.organization()
    ada = await buyer(world, acme)
    first = [await invoiced(world, acme, ada) for _ in range(3)]
    *_, last = await numbering_tasks(world)
    await world.effects(last)
    second = [await invoiced(world, acme, ada, "open") for _ in range(2)]
    for task in await numbering_tasks(world):
        await world.effects(task)
    rows = await all_invoices(world, acme)
    assert [row.id for row in rows] == [made.id for made in (*first, *second)]
    assert [(row.number, row.status) for row in rows] == [
        (1, "paid"), (2, "paid"), (3, "paid"), (4, "open"), (5, "open"),
    ]  # fmt: skip


async def test_an_invoice_behind_a_whole_batch_gets_its_number_by_its_own_task(world: World) -> None:
    acme = await world.organization()
    ada = await buyer(world, acme)
    for _ in range(102):
        await invoiced(world, acme, ada)
    *_, last = await numbering_tasks(world)
    await world.effects(last)
    numbers = [row.number for row in await all_invoices(world, acme)]
    assert numbers == [*range(1, 101), None, 101]


async def test_two_invoices_cannot_have_one_number(world: World) -> None:
    acme = await world.organization()
    ada = await buyer(world, acme)
    works = []
    for _ in range(2):
        works.append(work := world.work(acme))
        made = await invoiced(world, acme, ada)
        work.record(invoice.finalize(made, 1, "ivt_1", world.clock.now()))
    await world.store.commit(works[0])
    with pytest.raises(Conflict):
        await world.store.commit(works[1])
    assert [row.number for row in await all_invoices(world, acme)] == [1, None]


async def test_what_is_void_before_it_has_a_number_gets_none(world: World) -> None:
    acme = await world.organization()
    ada = await buyer(world, acme)
    canceled = await invoiced(world, acme, ada, "canceled")
    kept = await invoiced(world, acme, ada)
    for task in await numbering_tasks(world):
        await world.effects(task)
    rows = {row.id: (row.status, row.number) for row in await all_invoices(world, acme)}
    assert rows == {canceled.id: ("void", None), kept.id: ("paid", 1)}


async def test_an_invoice_is_read_with_its_seller_by_those_whose_it_is(world: World) -> None:
    acme = await world.organization("acme")
    other = await world.organization("other")
    made = await invoiced(world, acme, await buyer(world, acme))
    record = await world.store.invoice(acme, made.id)
    assert record is not None
    assert (record.invoice, record.seller, record.payments) == (made, "acme", ())
    for auth in (other, replace(acme, livemode=True)):
        assert await world.store.invoice(auth, made.id) is None
        assert await world.store.invoices(auth, 10) == []
    assert await world.store.invoice(acme, NOBODYS) is None


async def test_an_invoice_is_found_by_its_public_id_once_it_has_its_page(world: World) -> None:
    acme = await world.organization()
    made = await invoiced(world, acme, await buyer(world, acme))
    assert await world.store.shown_invoice(made.id) is None
    (task,) = await numbering_tasks(world)
    await world.effects(task)
    found = await world.store.shown_invoice(made.id)
    assert found == await world.store.invoice(acme, made.id)
    assert found is not None
    assert (found.invoice.number, (found.invoice.page_token or "")[:4]) == (1, "ivt_")
    assert await world.store.shown_invoice(NOBODYS) is None
    told = await world.events(acme, type="invoice.finalized")
    assert str(found.invoice.page_token) not in repr(told)


async def test_invoices_are_listed_newest_first_by_customer_and_status(world: World) -> None:
    acme = await world.organization()
    ada, bob = await buyer(world, acme, "ada"), await buyer(world, acme, "bob")
    paid, draft, void = [
        await invoiced(world, acme, ada, payment) for payment in ("succeeded", "open", "canceled")
    ]
    bobs = await invoiced(world, acme, bob)
    store = world.store
    assert list(await store.invoices(acme, 10)) == [bobs, void, draft, paid]
    assert list(await store.invoices(acme, 2, void.id)) == [draft, paid]
    assert list(await store.invoices(acme, 10, customer="ada")) == [void, draft, paid]
    assert list(await store.invoices(acme, 10, customer=ada, status="draft")) == [draft]
    assert list(await store.invoices(acme, 10, status="paid")) == [bobs, paid]
    with pytest.raises(Rejected) as refused:
        await store.invoices(acme, 10, customer="eve")
    assert refused.value.code == "customer_not_found"
