"""An organization opens its books."""

from typing import Any

import pytest

from application.organizations.create_organization import NewOrganization, OrganizationCreated, slug_of
from domain.account import ApiKey, Organization, secret_hash
from domain.auth import Authenticated
from domain.errors import Rejected
from domain.user import User
from tests.world import MemoryWorld


async def created(world: MemoryWorld, **command: Any) -> OrganizationCreated:
    wanted: dict[str, Any] = {"name": "Books & Co", "owner_email": "Ada@Example.Test"} | command
    return await world.create_organization(NewOrganization(**wanted), world.command())


async def test_an_owner_has_an_account_and_a_key_in_each_mode_under_one_id(world: MemoryWorld) -> None:
    made = await created(world)
    mine = [state for state in world.store.states if state.organization_id == made.organization_id]
    users = [state for state in mine if isinstance(state, User)]
    assert sorted((user.id, user.livemode, user.email_key) for user in users) == [
        (made.user_id, False, "ada@example.test"),
        (made.user_id, True, "ada@example.test"),
    ]
    keys = {key.livemode: key for key in mine if isinstance(key, ApiKey)}
    assert {livemode: (key.secret_hash, key.hint) for livemode, key in keys.items()} == {
        False: (secret_hash(made.test_key), made.test_key[-4:]),
        True: (secret_hash(made.live_key), made.live_key[-4:]),
    }
    assert [state.slug for state in mine if isinstance(state, Organization)] == ["books-co"]


async def test_a_key_opens_the_books_of_its_organization_in_its_mode(world: MemoryWorld) -> None:
    made = await created(world)
    for secret, livemode in ((made.test_key, False), (made.live_key, True)):
        assert secret.startswith("cf_live_" if livemode else "cf_test_")
        auth = await world.store.by_api_key(secret_hash(secret))
        assert isinstance(auth, Authenticated)
        assert (auth.user_id, auth.organization_id, auth.livemode) == (
            made.user_id,
            made.organization_id,
            livemode,
        )


async def test_no_secret_of_a_key_is_stored_or_told(world: MemoryWorld) -> None:
    made = await created(world)
    for stored in (*world.store.states, *world.store.events):
        assert made.test_key not in repr(stored)
        assert made.live_key not in repr(stored)


async def test_a_slug_that_is_taken_is_refused_and_nothing_is_stored(world: MemoryWorld) -> None:
    await created(world, slug="books")
    before = world.store.states, world.store.events
    with pytest.raises(Rejected) as refused:
        await created(world, slug="books")
    assert (refused.value.code, refused.value.field) == ("slug_taken", "slug")
    assert (world.store.states, world.store.events) == before


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Café Zürich GmbH", "cafe-zurich-gmbh"),
        ("  Acme, Inc.  ", "acme-inc"),
        ("A" * 63 + " B", "a" * 63),
        ("2 be", "2-be"),
    ],
)
def test_a_slug_is_made_of_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_name_that_makes_no_slug_needs_one_given() -> None:
    with pytest.raises(Rejected) as refused:
        slug_of("日本")
    assert refused.value.code == "slug_required"
