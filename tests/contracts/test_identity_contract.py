"""Who a customer is: by external id, by e-mail where there is none; and who Stripe knows already."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from application.customers.create_customer import CustomerFound
from domain.auth import Authenticated
from domain.change import stored
from domain.checkout import NewProductSession
from domain.customer import Customer, NewCustomer
from domain.errors import Rejected
from domain.ids import UserId
from domain.intent import Attempt
from tests.builders import suffix
from tests.contracts.worlds import REQUEST, World, fact_of

ADA = "ada@example.test"


async def create(
    world: World, auth: Authenticated, external_id: str | None = None, **draft: Any
) -> CustomerFound:
    return await world.create_customer(NewCustomer(external_id=external_id, **draft), auth, REQUEST)


async def known(world: World, auth: Authenticated, reference: str) -> Customer:
    record = await world.store.customer(auth, reference)
    assert record is not None
    return record.customer


async def test_without_an_id_somebody_is_known_by_the_e_mail_however_it_is_spelled(world: World) -> None:
    auth = await world.organization()
    made = await create(world, auth, email=ADA, name="Ada")
    again = await create(world, auth, email="ADA@Example.Test", name="Eve")
    assert (made.created, again.created) == (True, False)
    assert again.record.customer == await known(world, auth, made.record.customer.id)
    assert (again.record.customer.external_id, again.record.customer.name) == (None, "Ada")


async def test_an_e_mail_that_is_held_only_by_customers_with_ids_makes_a_new_one(world: World) -> None:
    auth = await world.organization()
    ids = {(await create(world, auth, ref, email=ADA)).record.customer.id for ref in ("ada", "ada2", None)}
    assert len(ids) == 3


async def test_another_organization_and_the_other_mode_know_nobody_by_that_e_mail(world: World) -> None:
    auth = await world.organization()
    other = await world.organization("other")
    await create(world, auth, email=ADA)
    for stranger in (other, replace(auth, livemode=True)):
        context = await world.store.creation_context(stranger, NewCustomer(external_id=None, email=ADA))
        assert context.existing is None
    assert (await create(world, other, email=ADA)).created


async def test_an_id_that_comes_with_the_e_mail_is_given_to_who_has_none(world: World) -> None:
    auth = await world.organization()
    before = (await create(world, auth, email=ADA, metadata={"plan": "gold"})).record
    claimed = await create(
        world, auth, "ada", email=ADA.upper(), name="Ada", metadata={"plan": "lead", "seat": "7"},
        fingerprint="device-7", stripe_customer_id="cus_S1",
    )  # fmt: skip
    assert not claimed.created
    after = await known(world, auth, "ada")
    assert after == stored(claimed.record.customer)
    assert after == replace(
        before.customer,
        external_id="ada",
        name="Ada",
        metadata={"plan": "gold", "seat": "7"},
        fingerprint="device-7",
        stripe_customer_id="cus_S1",
        version=2,
    )
    assert [one.subscription.id for one in claimed.record.subscriptions] == [
        one.subscription.id for one in before.subscriptions
    ]
    assert (await world.event_types(auth)).count("customer.updated") == 1


async def test_who_is_known_by_the_id_is_returned_and_nobody_is_claimed(world: World) -> None:
    auth = await world.organization()
    ada = (await create(world, auth, "ada", name="Ada")).record.customer
    nameless = (await create(world, auth, email=ADA)).record.customer
    found = await create(world, auth, "ada", email=ADA, name="Eve", stripe_customer_id="cus_S1")
    assert (found.record.customer.id, found.record.customer.name, found.created) == (ada.id, "Ada", False)
    assert (await known(world, auth, nameless.id)).external_id is None


async def test_a_strangers_customer_is_never_matched_by_e_mail(world: World) -> None:
    auth = await world.organization()
    draft = NewProductSession(price="course", anonymous=True, customer_email=ADA)
    session = await world.open_checkout_session(draft, auth, REQUEST)
    await world.report(fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded"))
    paid = await world.store.session(auth, session.id)
    assert paid is not None
    assert paid.customer_id is not None
    stranger = await known(world, auth, paid.customer_id)
    assert (await create(world, auth, "ada", email=ADA)).created
    assert (await create(world, auth, email=ADA)).created
    assert await known(world, auth, stranger.id) == stranger


async def test_who_has_a_customer_at_stripe_gets_no_other_one(world: World) -> None:
    auth = await world.organization()
    await create(world, auth, "ada", stripe_customer_id="cus_S1")
    assert await world.lease() == []
    assert (await known(world, auth, "ada")).stripe_customer_id == "cus_S1"
    with pytest.raises(Rejected) as refused:
        await create(world, auth, "eve", stripe_customer_id="cus_S1")
    assert (refused.value.code, refused.value.field) == ("stripe_customer_taken", "stripe_customer_id")
    other = await world.organization("other")
    assert (await create(world, other, "eve", stripe_customer_id="cus_S1")).created


async def test_a_claim_does_not_take_anothers_customer_at_stripe_and_may_name_its_own(world: World) -> None:
    auth = await world.organization()
    await create(world, auth, "eve", stripe_customer_id="cus_S1")
    await create(world, auth, email=ADA)
    with pytest.raises(Rejected) as refused:
        await create(world, auth, "ada", email=ADA, stripe_customer_id="cus_S1")
    assert refused.value.code == "stripe_customer_taken"
    await create(world, auth, email="bob@example.test", stripe_customer_id="cus_S2")
    named = await create(world, auth, "bob", email="bob@example.test", stripe_customer_id="cus_S2")
    assert (named.created, named.record.customer.stripe_customer_id) == (False, "cus_S2")


async def test_the_customers_own_account_is_of_the_same_organization_and_mode(world: World) -> None:
    auth = await world.organization()
    other = await world.organization("other")
    made = await create(world, auth, "ada", user_id=auth.user_id)
    assert made.record.customer.user_id == auth.user_id
    for stranger in (other.user_id, UserId(f"usr_{suffix(99)}")):
        with pytest.raises(Rejected) as refused:
            await create(world, auth, "eve", user_id=stranger)
        assert (refused.value.code, refused.value.field) == ("user_not_found", "user_id")
    assert (await create(world, auth, "ada", user_id=other.user_id)).created is False


async def test_of_eight_at_once_without_an_id_one_is_made(world: World) -> None:
    auth = await world.organization()
    found = await asyncio.gather(
        *(create(world, auth, email=email) for email in (ADA, ADA.upper()) for _ in range(4))
    )
    assert len({one.record.customer.id for one in found}) == 1
    assert sum(one.created for one in found) == 1
    types = Counter(await world.event_types(auth))
    assert (types["customer.created"], types["subscription.created"]) == (1, 1)
    assert len(await world.lease()) == 1


async def test_eight_claims_at_once_are_one(world: World) -> None:
    auth = await world.organization()
    made = (await create(world, auth, email=ADA)).record.customer
    found = await asyncio.gather(*(create(world, auth, "ada", email=ADA, name="Ada") for _ in range(8)))
    assert {(one.record.customer.id, one.record.customer.name) for one in found} == {(made.id, "Ada")}
    assert (await world.event_types(auth)).count("customer.updated") == 1


async def test_of_eight_different_ids_at_once_one_is_given_and_the_others_are_new(world: World) -> None:
    auth = await world.organization()
    made = (await create(world, auth, email=ADA)).record.customer
    found = await asyncio.gather(*(create(world, auth, f"ada-{n}", email=ADA) for n in range(8)))
    assert len({one.record.customer.id for one in found}) == 8
    assert [one.record.customer.id for one in found if not one.created] == [made.id]
    assert {one.record.customer.external_id for one in found} == {f"ada-{n}" for n in range(8)}


async def test_with_and_without_the_id_at_once_ends_as_if_one_had_come_after_the_other(world: World) -> None:
    auth = await world.organization()
    found = await asyncio.gather(
        *(create(world, auth, ref, email=ADA) for ref in ("ada", None, "ada", None, "ada", None, "ada", None))
    )
    with_id = {one.record.customer.id for one, ref in zip(found, ("ada", None) * 4, strict=True) if ref}
    assert with_id == {(await known(world, auth, "ada")).id}
    created = sum(one.created for one in found)
    assert created == len({one.record.customer.id for one in found})
    assert created in (1, 2)
    assert (await world.event_types(auth)).count("customer.created") == created
