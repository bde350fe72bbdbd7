"""Users: signed up once, whoever asks at once; found by whatever they are known by; changed, and listed."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from application.ports import CustomerFilter, UserFilter
from domain.auth import Authenticated
from domain.customer import NewCustomer
from domain.effects import CreateStripeUser
from domain.errors import NotFound, Rejected, Unavailable
from domain.ids import UserId
from domain.sign_up import NewUser, SignedUp
from domain.user import User
from domain.user_changes import UserChanges
from tests.builders import suffix
from tests.contracts.worlds import COMMAND, REQUEST, World


async def sign_up(
    world: World, auth: Authenticated, email: str = "Ada@Example.test", **more: Any
) -> SignedUp:
    return await world.sign_up(NewUser(email=email, **more), auth, REQUEST)


async def kept(world: World, auth: Authenticated, user: User) -> User:
    found = await world.store.user(auth, user.id)
    assert found is not None
    return found


async def everybody(world: World, auth: Authenticated) -> list[User]:
    """All but the owner."""
    return [user for user in await world.store.user_page(auth, UserFilter(), 100) if user.id != auth.user_id]


async def told(world: World, auth: Authenticated) -> list[str]:
    await world.worker_store.sequence(1000)
    return [event.type for event in await world.events(auth) if event.type.startswith("user.")]


async def test_a_user_is_found_by_id_and_external_id_in_their_own_organization_and_mode(world: World) -> None:
    auth, other = await world.organization(), await world.organization("other")
    made = (await sign_up(world, auth, external_id="ada", name="Ada", email_verified=True)).user
    for reference in (made.id, "ada"):
        assert await world.store.user(auth, reference) == replace(made, version=1)
        for stranger in (other, replace(auth, livemode=True)):
            assert await world.store.user(stranger, reference) is None
    assert await world.store.user(auth, "nobody") is None


@pytest.mark.parametrize(
    "draft",
    [
        {"external_id": "ada"},
        {},
        {"email_verified": True},
        {"external_id": "ada", "email_verified": True},
    ],
    ids=["named", "nameless", "proven", "proven and named"],
)
async def test_any_number_at_once_make_one(world: World, draft: dict[str, Any]) -> None:
    auth = await world.organization()
    spellings = ["ada@example.test", "ADA@example.test", " ada@example.test".strip(), "Ada@Example.Test"]
    found = await asyncio.gather(*(sign_up(world, auth, spelled, **draft) for spelled in spellings * 2))
    assert len({one.user.id for one in found}) == 1
    assert [one.created for one in found].count(True) == 1
    assert len(await everybody(world, auth)) == 1
    assert (await told(world, auth)).count("user.signed_up") == 1


async def test_claims_and_proofs_at_once_are_one_of_each(world: World) -> None:
    auth = await world.organization()
    drafts: list[dict[str, Any]] = [
        {"external_id": "ada", "email_verified": True},
        {"external_id": "mallory"},
    ] * 3
    found = await asyncio.gather(*(sign_up(world, auth, **draft) for draft in drafts))
    assert {(one.user.external_id, one.user.email_verified) for one in found} == {
        ("ada", True),
        ("mallory", False),
    }
    assert len(await everybody(world, auth)) == 2


async def test_two_external_ids_that_want_one_address_at_once_are_one_and_a_refusal(world: World) -> None:
    auth = await world.organization()
    found = await asyncio.gather(
        *(sign_up(world, auth, external_id=name) for name in ("ada", "eve")), return_exceptions=True
    )
    refused = [one for one in found if isinstance(one, Rejected)]
    assert [one.code for one in refused] == ["email_taken"]
    assert len(await everybody(world, auth)) == 1


async def test_each_mode_has_its_own(world: World) -> None:
    auth = await world.organization()
    live = replace(auth, livemode=True)
    made = [(await sign_up(world, one, external_id="ada")).user for one in (auth, live)]
    assert made[0].id != made[1].id


async def test_changes_are_kept_and_what_others_have_is_refused(world: World) -> None:
    auth = await world.organization()
    ada = (await sign_up(world, auth, external_id="ada")).user
    await sign_up(world, auth, "bob@example.test", external_id="bob")
    await sign_up(world, auth, "eve@example.test", external_id="eve", email_verified=True)

    async def change(**changes: Any) -> User:
        return await world.update_user("ada", UserChanges(**changes), auth, REQUEST)

    changed = await change(name="Ada", email_verified=True)
    assert changed == await kept(world, auth, ada)
    assert await change(name="Ada") == changed
    for changes, code in (
        ({"external_id": "bob"}, "external_id_taken"),
        ({"email": "BOB@example.test"}, "email_taken"),
        ({"email": "eve@example.test", "email_verified": True}, "email_taken"),
    ):
        with pytest.raises(Rejected) as refused:
            await change(**changes)
        assert refused.value.code == code
    assert await kept(world, auth, ada) == changed
    assert (await change(email="bob@example.test", email_verified=True)).email_verified
    assert (await change(email="eve@example.test")).email == "eve@example.test"
    with pytest.raises(NotFound):
        await world.update_user("ada", UserChanges(name="X"), replace(auth, livemode=True), REQUEST)


async def test_two_who_want_one_address_at_once_do_not_both_get_it(world: World) -> None:
    auth = await world.organization()
    for name in ("ada", "bob", "eve"):
        await sign_up(world, auth, f"{name}@example.test", external_id=name)
    wanted = UserChanges(email="new@example.test")
    found = await asyncio.gather(
        *(world.update_user(name, wanted, auth, REQUEST) for name in ("ada", "bob", "eve")),
        return_exceptions=True,
    )
    assert sorted(one.code for one in found if isinstance(one, Rejected)) == ["email_taken"] * 2


async def test_the_list_is_newest_first_page_by_page(world: World) -> None:
    auth = await world.organization()
    made = [(await sign_up(world, auth, f"u{n}@example.test")).user.id for n in range(5)]
    newest = await world.store.user_page(auth, UserFilter(), 2)
    assert [user.id for user in newest] == [made[4], made[3]]
    rest = await world.store.user_page(auth, UserFilter(), 10, newest[-1].id)
    assert [user.id for user in rest] == [made[2], made[1], made[0], auth.user_id]
    assert await world.store.user_page(await world.organization("other"), UserFilter(), 10, made[4]) != rest


async def test_users_are_found_by_email_and_by_who_they_are_at_stripe(world: World) -> None:
    auth = await world.organization()
    proven = (await sign_up(world, auth, email_verified=True)).user
    claimed = (await sign_up(world, auth, external_id="mallory")).user
    by_email = await world.store.user_page(auth, UserFilter(email="ADA@EXAMPLE.TEST"), 10)
    assert {user.id for user in by_email} == {proven.id, claimed.id}
    (task, *_) = await world.lease()
    await world.effects(task)
    known = await kept(world, auth, proven)
    assert known.stripe_customer_id is not None
    assert known.stripe_customer_created_at == world.clock.now()
    wanted = UserFilter(stripe_customer_id=known.stripe_customer_id)
    assert await world.store.user_page(auth, wanted, 10) == [known]
    unknown = await world.store.user_page(auth, UserFilter(without_stripe_customer=True), 10)
    assert [user.id for user in unknown] == [claimed.id, auth.user_id]
    assert await world.store.count_users_without_stripe_customer(auth) == 2
    oldest = await world.store.users_without_stripe_customer(auth, 1)
    assert [user.id for user in oldest] == [auth.user_id]
    later = await world.store.users_without_stripe_customer(auth, 10, oldest[0].id)
    assert [user.id for user in later] == [claimed.id]


async def test_customers_are_listed_by_user(world: World) -> None:
    auth = await world.organization()
    ada = (await sign_up(world, auth, external_id="ada-account")).user
    for name in ("one", "two"):
        draft = NewCustomer(external_id=name, user_id=ada.id)
        await world.create_customer(draft, auth, REQUEST)
    await world.customer(auth, "nobodys")
    for reference in (ada.id, "ada-account"):
        page = await world.store.customer_page(auth, CustomerFilter(user=reference), 10)
        assert [customer.external_id for customer in page] == ["two", "one"]
    for reference in ("nobody", UserId(f"usr_{suffix(99)}")):
        with pytest.raises(Rejected) as refused:
            await world.store.customer_page(auth, CustomerFilter(user=reference), 10)
        assert (refused.value.code, refused.value.field) == ("user_not_found", "user")


async def test_the_worker_and_any_number_of_backfills_at_once_make_one_at_stripe(world: World) -> None:
    auth = await world.organization()
    ada = (await sign_up(world, auth, name="Ada")).user
    (task,) = [task for task in await world.lease() if task.effect == CreateStripeUser(ada.id)]
    made = await asyncio.gather(
        *(world.backfill_stripe_customer(ada.id, auth, COMMAND) for _ in range(4)), world.effects(task)
    )
    (at_stripe,) = world.gateway.users
    known = await kept(world, auth, ada)
    assert (known.stripe_customer_id, at_stripe.name) == (at_stripe.id, "Ada")
    assert made.count(True) <= 1
    assert not await world.backfill_stripe_customer(ada.id, auth, COMMAND)
    assert (await told(world, auth)).count("user.updated") == 1
    stranger = await world.organization("other")
    with pytest.raises(NotFound):
        await world.backfill_stripe_customer(ada.id, stranger, COMMAND)


async def test_a_backfill_finds_what_somebody_made_and_did_not_write_down(world: World) -> None:
    auth = await world.organization()
    world.gateway.fail_next("before")  # of its search
    with pytest.raises(Unavailable):
        await world.backfill_stripe_customer(auth.user_id, auth, COMMAND)
    made = await world.gateway.create_user_customer(
        auth.user_id, organization_id=auth.organization_id, livemode=False, idempotency_key="another"
    )
    assert await world.backfill_stripe_customer(auth.user_id, auth, COMMAND)
    owner = await world.store.user(auth, auth.user_id)
    assert owner is not None
    assert owner.stripe_customer_id == made
    assert len(world.gateway.users) == 1
