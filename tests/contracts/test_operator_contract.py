"""What is promised to those who run the service, at its command line."""

from datetime import timedelta

from msgspec.structs import replace

from application.organizations.create_organization import NewOrganization
from domain import account
from domain.account import secret_hash
from domain.auth import Authenticated
from domain.ids import ApiKeyId, UserId
from tests.contracts.worlds import COMMAND, World


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
        account.new_user(
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
