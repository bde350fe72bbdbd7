"""Keys are made and revoked; what is told of them holds no secret."""

from datetime import timedelta

import pytest

from domain.account import ApiKey, secret_hash
from domain.errors import NotFound
from domain.ids import ApiKeyId
from tests.application.promises import of_kind
from tests.world import MemoryWorld


async def test_a_new_key_is_its_makers_in_the_mode_acted_in(world: MemoryWorld) -> None:
    made = await world.create_api_key(world.live, world.command())
    assert made.secret.startswith("cf_live_")
    assert (made.key.user_id, made.key.livemode) == (world.live.user_id, True)
    assert (made.key.secret_hash, made.key.hint) == (secret_hash(made.secret), made.secret[-4:])
    assert made.secret not in repr(of_kind(world.store, ApiKey)) + repr(world.store.events)
    assert world.store.events[-1].type == "api_key.created"
    assert world.store.events[-1].actor.user_id == world.live.user_id


async def test_revoking_is_told_once_however_often_it_is_done(world: MemoryWorld) -> None:
    made = await world.create_api_key(world.auth, world.command())
    first = await world.revoke_api_key(made.key.id, world.auth, world.command())
    world.clock.advance(timedelta(hours=1))
    again = await world.revoke_api_key(made.key.id, world.auth, world.command())
    assert again == first
    told = [event for event in world.store.events if event.type == "api_key.revoked"]
    assert [event.subject.id for event in told] == [made.key.id]
    assert told[0].data.previous == {"revoked_at": None}


@pytest.mark.parametrize("livemode", [False, True])
async def test_a_key_of_the_other_mode_or_nobodys_is_not_there(world: MemoryWorld, livemode: bool) -> None:
    made = await world.create_api_key(world.live if not livemode else world.auth, world.command())
    auth = world.live if livemode else world.auth
    for key_id in (made.key.id, ApiKeyId("key_1")):
        with pytest.raises(NotFound) as refused:
            await world.revoke_api_key(key_id, auth, world.command())
        assert refused.value.code == "api_key_not_found"
