"""What is promised to those who run the service, at its command line."""

from datetime import timedelta

from msgspec.structs import replace

from application.causes import InboundEvent
from application.operator_ports import InboxRow
from application.organizations.create_organization import NewOrganization
from application.organizations.update_organization import OrganizationChanges
from domain import user
from domain.account import secret_hash
from domain.auth import Authenticated
from domain.ids import ApiKeyId, OrganizationId, UserId
from tests.contracts.worlds import CATALOG, COMMAND, NOON, REQUEST, World, fact_of, inbound


def owner_of(auth: Authenticated, *, livemode: bool = False) -> Authenticated:
    """The same person, without a key."""
    return replace(auth, livemode=livemode, api_key_id=None)


async def test_an_organization_is_found_by_its_id_and_by_its_slug_in_both_modes(world: World) -> None:
    auth = await world.organization()
    await world.organization("other")
    for livemode in (False, True):
        expected = owner_of(auth, livemode=livemode)
        assert await world.store.owner(auth.organization_id, livemode=livemode) == expected
        assert await world.store.owner("acme", livemode=livemode) == expected
    for unknown in ("acm", "ACME", "org_1", "", auth.organization_id.upper()):
        assert await world.store.owner(unknown, livemode=False) is None


async def test_an_organization_that_takes_anothers_id_for_its_slug_is_not_taken_for_it(world: World) -> None:
    auth = await world.organization()
    command = NewOrganization(name="Other", owner_email="o@other.example", slug=auth.organization_id)
    await world.create_organization(command, COMMAND)
    assert await world.store.owner(auth.organization_id, livemode=False) == owner_of(auth)


async def test_the_only_organization_need_not_be_named(world: World) -> None:
    assert await world.store.owner(None, livemode=False) is None
    auth = await world.organization()
    assert await world.store.owner(None, livemode=True) == owner_of(auth, livemode=True)
    await world.organization("other")
    assert await world.store.owner(None, livemode=False) is None


async def test_the_owner_is_the_first_user(world: World) -> None:
    auth = await world.organization()
    later = world.clock.now() + timedelta(seconds=1)
    work = world.work(auth)
    work.record(
        user.new_user(
            UserId("usr_0"), auth.organization_id, livemode=False, email="b@acme.example", now=later
        )
    )
    await world.store.commit(work)
    assert await world.store.owner("acme", livemode=False) == owner_of(auth)


async def test_keys_are_those_of_the_organization_and_mode_oldest_first(world: World) -> None:
    auth, other = await world.organization(), await world.organization("other")
    made = (await world.create_api_key(auth, COMMAND)).key
    keys = await world.store.api_keys(auth)
    assert [key.id for key in keys] == [auth.api_key_id, made.id]
    assert await world.store.api_key(auth, made.id) == made == keys[1]
    for stranger in (other, replace(auth, livemode=True)):
        assert await world.store.api_key(stranger, made.id) is None
        assert len(await world.store.api_keys(stranger)) == 1
    assert await world.store.api_key(auth, ApiKeyId("key_1")) is None


async def test_a_revoked_key_opens_nothing_and_the_others_still_do(world: World) -> None:
    auth = await world.organization()
    made = await world.create_api_key(auth, COMMAND)
    assert await world.store.by_api_key(secret_hash(made.secret)) == replace(auth, api_key_id=made.key.id)
    revoked = await world.revoke_api_key(made.key.id, auth, COMMAND)
    assert revoked.revoked_at == world.clock.now()
    assert await world.store.by_api_key(secret_hash(made.secret)) is None
    assert [key.revoked_at for key in await world.store.api_keys(auth)] == [None, revoked.revoked_at]
    assert await world.store.api_key(auth, made.key.id) == revoked


async def kept(world: World, auth: Authenticated, id: str, minute: int) -> InboundEvent:
    """Stripe's event, that came at this minute and did not fit."""
    fact = replace(fact_of(await world.session(auth)), organization_id=auth.organization_id)
    event = replace(inbound(fact, id, "not_yet"), received_at=NOON + timedelta(minutes=minute), fact=fact)
    await world.store.commit(world.work(auth, event))
    return event


async def test_what_could_not_be_handled_is_there_across_organizations_as_it_came(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    events = [await kept(world, acme, "evt_c", 1), await kept(world, other, "evt_a", 2)]
    live = replace(acme, livemode=True)
    await world.apply_catalog(CATALOG, live, REQUEST)
    events.append(await kept(world, live, "evt_b", 3))
    strays = InboundEvent("evt_d", "x", OrganizationId(""), False, NOON, "payment_intent_not_ours", "Whose?")
    await world.store.commit(world.work(acme, strays))
    rows = await world.worker_store.unhandled(10)
    assert [row.id for row in rows] == ["evt_d", "evt_c", "evt_a", "evt_b"]
    assert [row.organization_id for row in rows] == ["", *(event.organization_id for event in events)]
    for row, event in zip(rows[1:], events, strict=True):
        assert (row.type, row.livemode, row.received_at) == (event.type, event.livemode, event.received_at)
        assert (row.refusal, row.fact, row.attempts, row.handled_at) == ("not_yet", event.fact, 1, None)
        assert await world.worker_store.inbound_event(row.id) == row
    assert await world.worker_store.inbound_event("evt_e") is None


async def test_the_inbox_is_read_page_by_page_though_events_came_at_once(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    for auth, number in ((acme, 2), (other, 1), (acme, 1), (other, 3), (acme, 3)):
        await kept(world, auth, f"evt_{number}", 0)
    seen: list[InboxRow] = []
    while page := await world.worker_store.unhandled(2, seen[-1] if seen else None):
        seen += page
    assert [(row.organization_id, row.id[-1]) for row in seen] == [
        *((acme.organization_id, number) for number in "123"),
        *((other.organization_id, number) for number in "13"),
    ]


async def test_what_is_handled_leaves_the_inbox_and_can_still_be_found(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth)
    event = inbound(fact_of(session), "evt_1", "not_yet")
    for _ in range(2):
        await world.store.commit(world.work(auth, event))
    (row,) = await world.worker_store.unhandled(10)
    assert row.attempts == 2
    await world.store.commit(world.work(auth, replace(event, refusal=None)))
    assert await world.worker_store.unhandled(10) == []
    handled = await world.worker_store.inbound_event("evt_1")
    assert handled is not None
    assert (handled.attempts, handled.refusal, handled.handled_at) == (3, None, world.clock.now())


async def test_an_organization_is_read_and_changed_by_its_own_and_that_is_told_once(world: World) -> None:
    auth = owner_of(await world.organization(), livemode=True)
    other = await world.organization("other")
    made = await world.store.organization(auth)
    assert made is not None
    assert (made.name, made.sends_receipts) == ("acme", False)
    changes = OrganizationChanges(name="Acme Ltd", sends_receipts=True)
    changed = await world.update_organization(changes, auth, COMMAND)
    assert (changed.name, changed.slug, changed.sends_receipts) == ("Acme Ltd", "acme", True)
    for again in (changes, OrganizationChanges()):
        assert await world.update_organization(again, auth, COMMAND) == changed
    for livemode in (True, False):
        assert await world.store.organization(replace(auth, livemode=livemode)) == changed
    (told,) = await world.events(auth, type="organization.updated")
    assert told.data.previous == {"name": "acme", "sends_receipts": False}
    untouched = await world.store.organization(other)
    assert untouched is not None
    assert (untouched.name, untouched.sends_receipts) == ("other", False)
