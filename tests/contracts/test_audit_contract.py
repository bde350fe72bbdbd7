"""Who did what, on every adapter: newest first, and only what is asked for."""

from msgspec.structs import replace

from application.ports.audit import LOOKED_AT, AuditFilter, AuditPage
from domain.auth import Authenticated
from tests.contracts.worlds import World


async def everything(world: World, auth: Authenticated, wanted: AuditFilter, limit: int) -> list[AuditPage]:
    """Page by page."""
    pages = [await world.store.audit(auth, wanted, limit)]
    while pages[-1].next_before is not None:
        pages.append(await world.store.audit(auth, wanted, limit, pages[-1].next_before))
    return pages


async def test_the_log_is_every_event_newest_first_page_by_page(world: World) -> None:
    auth = await world.organization()
    for name in ("ada", "bob"):
        await world.customer(auth, name)
    events = await world.events(auth)
    for limit in (1, 3, 100):
        pages = await everything(world, auth, AuditFilter(), limit)
        told = [event for page in pages for event in page.events]
        assert [event.id for event in told] == [event.id for event in reversed(events)]
        assert all(len(page.events) == limit for page in pages[:-1])
        assert pages[-1].events


async def test_it_is_asked_by_actor_key_cause_type_and_subject(world: World) -> None:
    auth = await world.organization()
    ada = (await world.customer(auth)).record.customer
    events = await world.events(auth)
    key = next(event.actor.api_key_id for event in events if event.type == "customer.created")
    for wanted, expected in (
        (AuditFilter(api_key_id=key), [e for e in events if e.actor.api_key_id == key]),
        (AuditFilter(user_id=auth.user_id), [e for e in events if e.actor.user_id == auth.user_id]),
        (AuditFilter(actor="buyer"), []),
        (AuditFilter(type="customer.created"), [e for e in events if e.type == "customer.created"]),
        (AuditFilter(subject=ada.id), [e for e in events if e.subject.id == ada.id]),
        (AuditFilter(correlation_id="req_1"), [e for e in events if e.correlation_id == "req_1"]),
    ):
        told = [event for page in await everything(world, auth, wanted, 100) for event in page.events]
        assert [event.id for event in told] == [event.id for event in reversed(expected)], wanted


async def test_nobody_reads_what_was_done_elsewhere(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    await world.customer(acme)
    await world.events(acme)
    live = replace(acme, livemode=True)
    for auth in (acme, other, live):
        told = [event for page in await everything(world, auth, AuditFilter(), 100) for event in page.events]
        assert {(event.organization_id, event.livemode) for event in told} <= {
            (auth.organization_id, auth.livemode)
        }
    assert (await world.store.audit(other, AuditFilter(subject="cus_x"), 10)).events == []


async def test_a_page_looks_at_so_many_events_and_says_where_to_go_on(world: World) -> None:
    """What was done long ago, by somebody who did little."""
    auth = await world.organization()
    ada = (await world.customer(auth)).record.customer
    await world.events(auth)
    found = await world.store.audit(auth, AuditFilter(subject=ada.id), 10, LOOKED_AT * 2)
    assert (found.events, found.next_before) == ([], LOOKED_AT)
    rest = await world.store.audit(auth, AuditFilter(subject=ada.id), 10, found.next_before)
    assert [event.subject.id for event in rest.events] == [ada.id]
    assert rest.next_before is None
