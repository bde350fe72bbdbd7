"""What Stripe told and did not fit: seen by whose it is, and tried again with growing pauses, until it
fits or is given up."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec.structs import replace

from application.inbox_tries import GIVEN_UP_AFTER, LONGEST_PAUSE, SHORTEST_PAUSE
from application.operator_ports import InboxRow
from application.payments.news import StripeReported
from domain.auth import Authenticated
from domain.catalog_document import CatalogDocument
from domain.ids import OrganizationId
from domain.payment import PaymentFact
from tests.contracts.worlds import CATALOG, REQUEST, World, fact_of, inbound


async def kept(world: World, auth: Authenticated, id: str = "evt_1") -> PaymentFact:
    """A paid session of which nothing can be sold any more."""
    session = await world.session(auth)
    await world.apply_catalog(CatalogDocument(), auth, REQUEST)
    assert session.payment_intent_id is not None
    fact = world.gateway.succeed(session.payment_intent_id)
    cause = replace(inbound(fact, id), received_at=world.clock.now())
    booked = await world.process_payment_intent(StripeReported(fact, cause))
    assert booked.refusal == "no_default_pricing_model"
    return fact


async def row_of(world: World, id: str = "evt_1") -> InboxRow:
    row = await world.worker_store.inbound_event(id)
    assert row is not None
    return row


async def lease(world: World, limit: int = 10) -> list[InboxRow]:
    return list(await world.worker_store.lease_unhandled(limit, world.clock.now()))


async def test_each_sees_what_is_kept_of_theirs_newest_first_by_pages(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    live = replace(acme, livemode=True)
    now = world.clock.now()
    for number, minutes in ((3, 0), (1, 1), (2, 1), (4, 2)):
        fact = fact_of(await world.session(acme))
        event = replace(
            inbound(fact, f"evt_{number}", "not_yet"), received_at=now + timedelta(minutes=minutes)
        )
        await world.store.commit(world.work(acme, event))
    stray = replace(inbound(fact, "evt_5", "not_ours"), organization_id=OrganizationId(""))
    await world.store.commit(world.work(acme, stray))
    await world.store.commit(world.work(acme, replace(event, id="evt_6", refusal=None)))
    first = await world.store.kept(acme, 2)
    rest = await world.store.kept(acme, 2, (first[-1].received_at, first[-1].id))
    assert [row.id for row in (*first, *rest)] == ["evt_4", "evt_2", "evt_1", "evt_3"]
    assert await world.store.kept(acme, 2, (rest[-1].received_at, rest[-1].id)) == []
    for stranger in (other, live):
        assert await world.store.kept(stranger, 10) == []


async def test_what_does_not_fit_is_due_after_growing_pauses_and_given_up_after_days(world: World) -> None:
    auth = await world.organization()
    first = world.clock.now()
    await kept(world, auth)
    due: list[datetime] = [first]
    while (row := await row_of(world)).next_try_at is not None:
        assert len(due) < 100
        world.clock.set(row.next_try_at - timedelta(microseconds=1))
        assert await lease(world) == []
        world.clock.set(row.next_try_at)
        due.append(row.next_try_at)
        await world.retries.run_due()
        assert (await row_of(world)).attempts == len(due)
    pauses = [after - before for before, after in pairwise(due)]
    assert SHORTEST_PAUSE / 2 <= pauses[0] <= SHORTEST_PAUSE
    assert all(before <= after for before, after in pairwise(pauses))
    assert max(pauses) <= LONGEST_PAUSE
    assert GIVEN_UP_AFTER <= due[-1] - first < GIVEN_UP_AFTER + LONGEST_PAUSE
    world.clock.advance(timedelta(days=30))
    assert await lease(world) == []
    assert (await world.worker_store.backlog(world.clock.now(), 10)).given_up == 1
    await world.apply_catalog(CATALOG, auth, REQUEST)
    assert await world.retries.retry(await row_of(world)) is None
    assert (await row_of(world)).handled_at == world.clock.now()


async def test_what_fits_by_now_is_booked_once_however_many_try(world: World) -> None:
    auth = await world.organization()
    fact = await kept(world, auth)
    await world.apply_catalog(CATALOG, auth, REQUEST)
    row = await row_of(world)
    world.clock.advance(timedelta(minutes=1))
    await asyncio.gather(
        *(world.retries.run_due() for _ in range(3)),
        *(world.retries.retry(row) for _ in range(3)),
        *(world.report(fact) for _ in range(2)),
    )
    handled = await row_of(world)
    assert (handled.refusal, handled.fact, handled.next_try_at) == (None, None, None)
    told = Counter(await world.event_types(auth))
    assert [told["customer.created"], told["purchase.completed"], told["payment.succeeded"]] == [1, 1, 1]
    world.clock.advance(timedelta(days=1))
    assert await lease(world) == []


async def test_nobody_else_gets_what_is_being_tried_before_its_lease_ends(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    await kept(world, acme, "evt_1")
    await kept(world, other, "evt_2")
    world.clock.advance(timedelta(minutes=10))
    leases = await asyncio.gather(*(lease(world, 1) for _ in range(4)))
    assert sorted(row.id for rows in leases for row in rows) == ["evt_1", "evt_2"]
    assert {row.next_try_at for rows in leases for row in rows} == {world.clock.now() + timedelta(minutes=10)}
    world.clock.advance(timedelta(minutes=10))  # nothing came of it: whoever had them is gone
    assert [row.attempts for row in await lease(world)] == [1, 1]


async def test_what_was_nobodys_and_is_booked_as_somebodys_leaves_the_inbox(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth)
    assert session.payment_intent_id is not None
    await world.report(world.gateway.succeed(session.payment_intent_id), "evt_paid")
    refunded = world.gateway.refund(session.payment_intent_id, 100)
    event = replace(
        inbound(refunded, "evt_refund", "payment_intent_not_ours"),
        received_at=world.clock.now(),
        fact=refunded,
    )
    await world.store.commit(world.work(auth, event))
    assert await world.store.kept(auth, 10) == []
    world.clock.advance(timedelta(minutes=1))
    assert await world.retries.run_due() == 1
    assert await world.worker_store.unhandled(10) == []
    (payment,) = await world.store.payments(auth, 1)
    assert payment.refunded_amount == 100
    world.clock.advance(timedelta(days=1))
    assert await lease(world) == []
