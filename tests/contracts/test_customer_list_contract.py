"""Customers are listed newest first, and found by how they begin; on every store."""

from typing import Any

import pytest
from msgspec.structs import replace

from application.ports import CustomerFilter
from domain.auth import Authenticated
from domain.change import Change, stored
from domain.customer import Customer, NewCustomer
from domain.customer_changes import CustomerChanges
from domain.events import Event
from domain.ids import CustomerId
from domain.text import Email, email_key
from tests.contracts.worlds import REQUEST, World


async def made(world: World, auth: Authenticated, external_id: str, **draft: Any) -> Customer:
    wanted = NewCustomer(external_id=external_id, **draft)
    return stored((await world.create_customer(wanted, auth, REQUEST)).record.customer)


async def page(world: World, auth: Authenticated, limit: int = 100, **wanted: Any) -> list[Customer]:
    before = wanted.pop("before", None)
    return list(await world.store.customer_page(auth, CustomerFilter(**wanted), limit, before))


async def nameless(world: World, auth: Authenticated, email: Email) -> Customer:
    """One who has no external id."""
    known = await made(world, auth, f"was-{len(await page(world, auth))}")
    after = replace(known, external_id=None, email=email, email_key=email_key(email))
    work = world.work(auth)
    work.record(Change(after, (Event("customer.updated"),), known))
    await world.store.commit(work)
    return stored(after)


async def test_pages_are_newest_first_and_leave_nothing_out(world: World) -> None:
    auth = await world.organization()
    everybody = [await made(world, auth, f"c{n}") for n in range(5)][::-1]
    assert await page(world, auth) == everybody
    first = await page(world, auth, 2)
    second = await page(world, auth, 2, before=first[-1].id)
    last = await page(world, auth, 2, before=second[-1].id)
    assert [*first, *second, *last] == everybody
    assert await page(world, auth, before=CustomerId(everybody[-1].id)) == []


async def test_by_email_in_any_spelling_and_by_external_id_as_it_is(world: World) -> None:
    auth = await world.organization()
    ada = await made(world, auth, "ada", email="Ada@Example.test")
    also = await made(world, auth, "ada-2", email="ada@example.test")
    await made(world, auth, "bob", email="bob@example.test")
    assert await page(world, auth, email="ADA@example.TEST") == [also, ada]
    assert await page(world, auth, email="ADA@example.TEST", before=also.id) == [ada]
    assert await page(world, auth, external_id="ada") == [ada]
    assert await page(world, auth, external_id="ADA") == []
    assert await page(world, auth, email="ada@example.test", external_id="bob") == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ada", ["c", "a"]),
        ("ADA L", ["a"]),
        ("u", ["c", "b", "a"]),
        ("USER-B", ["b"]),
        ("byron@", ["a"]),
        ("ær", ["b"]),
        ("ovelace", []),
        ("%", []),
        ("_", []),
        ("a\\", []),
    ],
)
async def test_by_how_email_name_or_external_id_begins(world: World, search: str, found: list[str]) -> None:
    auth = await world.organization()
    await made(world, auth, "User-a", email="Byron@example.test", name="Ada Lovelace")
    await made(world, auth, "user-b", name="ÆRØ")
    await made(world, auth, "USER-c", email="adamant@example.test")
    external_ids = [customer.external_id or "" for customer in await page(world, auth, search=search)]
    assert [external_id[-1] for external_id in external_ids] == found
    newest = await page(world, auth, 1, search=search)
    assert [customer.external_id for customer in newest] == external_ids[:1]


async def test_an_address_is_looked_for_by_its_own_letters(world: World) -> None:
    auth = await world.organization()
    known = await made(world, auth, "jo", email="Weiß@example.test", name="Jo Groß")
    for search in ("weiß", "WEIß@", "jo gross"):
        assert await page(world, auth, search=search) == [known], search
    assert await page(world, auth, search="weiss@") == []


async def test_who_is_called_otherwise_is_found_by_that(world: World) -> None:
    auth = await world.organization()
    await made(world, auth, "ada", name="Ada")
    changes = CustomerChanges(external_id="lovelace", name="Countess", email="c@example.test")
    record = await world.update_customer("ada", changes, auth, REQUEST)
    for search in ("love", "count", "c@"):
        assert await page(world, auth, search=search) == [record.customer]
    assert await page(world, auth, search="ada") == []


async def test_who_is_deleted_is_not_listed(world: World) -> None:
    auth = await world.organization()
    ada = await made(world, auth, "ada", email="ada@example.test", name="Ada")
    bob = await made(world, auth, "bob", name="Adam")
    await world.delete_customer("ada", auth, REQUEST)
    assert await page(world, auth) == [bob]
    assert await page(world, auth, search="ada") == [bob]
    assert await page(world, auth, email="ada@example.test") == []
    in_books = await world.store.customer_in_books(auth, ada.id)
    assert in_books is not None
    assert in_books.deleted_at is not None


async def test_another_organization_or_mode_lists_nobody(world: World) -> None:
    auth = await world.organization()
    ada = await made(world, auth, "ada", name="Ada")
    for stranger in (await world.organization("other"), replace(auth, livemode=True)):
        assert await page(world, stranger) == []
        assert await page(world, stranger, search="ada") == []
        assert await world.store.customer_in_books(stranger, ada.id) is None
        assert await world.store.update_context(stranger, ada.id, CustomerChanges()) is None
        assert await world.store.deletion_context(stranger, ada.id) is None


async def test_what_others_have_taken_is_known_before_it_is_asked_for(world: World) -> None:
    auth = await world.organization()
    ada = await made(world, auth, "ada", email="ada@example.test")
    known = await nameless(world, auth, "bob@example.test")

    async def taken(of: Customer, **changes: Any) -> tuple[bool, bool]:
        context = await world.store.update_context(auth, of.id, CustomerChanges(**changes))
        assert context is not None
        assert context.record.customer == of
        return context.taken.external_id, context.taken.email

    assert await taken(known, external_id="ada") == (True, False)
    assert await taken(known, email="ada@example.test") == (False, False)
    assert await taken(ada, external_id="ada", email="BOB@example.test") == (False, True)
    assert await taken(known, email="bob@example.test") == (False, False)
    assert await taken(ada) == (False, False)
