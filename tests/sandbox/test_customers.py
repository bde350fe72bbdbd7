from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import told


async def test_a_customer_is_found_as_it_was_created(sdk: Any) -> None:
    created = await sdk.v1.customers.create_async(
        {"email": "ada@example.com", "name": "Ada", "metadata": {"ours": "1"}, "address": {"city": "London"}}
    )
    found = await sdk.v1.customers.retrieve_async(created.id)
    assert found == created
    assert found.id.startswith("cus_")
    assert len(found.id) == 18
    assert (found.email, found.address.city, found.address.line1) == ("ada@example.com", "London", None)
    assert found.metadata.to_dict() == {"ours": "1"}


async def test_an_update_leaves_what_it_does_not_name_and_clears_what_is_empty(sdk: Any) -> None:
    created = await sdk.v1.customers.create_async(
        {"email": "ada@example.com", "name": "Ada", "metadata": {"keep": "1", "drop": "2"}}
    )
    updated = await sdk.v1.customers.update_async(
        created.id, {"name": "", "metadata": {"drop": "", "new": "3"}}
    )
    assert (updated.email, updated.name) == ("ada@example.com", None)
    assert updated.metadata.to_dict() == {"keep": "1", "new": "3"}
    [event] = (await sdk.v1.events.list_async({"type": "customer.updated"})).data
    assert event.data.previous_attributes.to_dict() == {"name": "Ada", "metadata": {"keep": "1", "drop": "2"}}
    assert event.data.object["name"] is None


async def test_a_refused_update_changes_nothing(sdk: Any) -> None:
    created = await sdk.v1.customers.create_async({"name": "Ada"})
    with pytest.raises(stripe.InvalidRequestError):
        await sdk.v1.customers.update_async(created.id, {"description": "new", "metadata": {"k" * 41: "v"}})
    assert await sdk.v1.customers.retrieve_async(created.id) == created


async def test_an_update_that_changes_nothing_announces_nothing(sdk: Any) -> None:
    created = await sdk.v1.customers.create_async({"name": "Ada"})
    await sdk.v1.customers.update_async(created.id, {"name": "Ada"})
    assert (await sdk.v1.events.list_async({"type": "customer.updated"})).data == []


async def test_a_deleted_customer_is_found_as_deleted_and_is_of_no_more_use(sdk: Any) -> None:
    created = await sdk.v1.customers.create_async({"email": "ada@example.com"})
    assert (await sdk.v1.customers.delete_async(created.id)).deleted
    assert (await sdk.v1.customers.retrieve_async(created.id)).deleted
    assert (await sdk.v1.customers.list_async()).data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sdk.v1.payment_intents.create_async({"amount": 500, "currency": "eur", "customer": created.id})
    assert (told(refused).code, told(refused).param) == ("resource_missing", "customer")
    [event] = (await sdk.v1.events.list_async({"type": "customer.deleted"})).data
    assert event.data.object["email"] == "ada@example.com"


async def test_lists_are_newest_first_by_email_and_in_pages(sdk: Any) -> None:
    made = [await sdk.v1.customers.create_async({"email": f"{n % 2}@example.com"}) for n in range(5)]
    first = await sdk.v1.customers.list_async({"limit": 2})
    assert ([found.id for found in first.data], first.has_more) == ([made[4].id, made[3].id], True)
    walked = [found.id async for found in first.auto_paging_iter()]
    assert walked == [customer.id for customer in reversed(made)]
    odd = await sdk.v1.customers.list_async({"email": "1@example.com"})
    assert [found.id for found in odd.data] == [made[3].id, made[1].id]
    before = await sdk.v1.customers.list_async({"ending_before": made[2].id, "limit": 1})
    assert [found.id for found in before.data] == [made[3].id]


async def test_search_needs_every_clause_to_hold(sdk: Any) -> None:
    ours = {"organization_id": "org_1", "customer": "it's"}
    made = await sdk.v1.customers.create_async({"email": "ada@example.com", "metadata": ours})
    await sdk.v1.customers.create_async(
        {"email": "ada@example.com", "metadata": {"organization_id": "org_2"}}
    )
    query = (
        "metadata['organization_id']:'org_1' AND email:'ada@example.com' AND metadata['customer']:'it\\'s'"
    )
    found = await sdk.v1.customers.search_async({"query": query})
    assert [customer.id for customer in found.data] == [made.id]
    none = await sdk.v1.customers.search_async({"query": "metadata['organization_id']:'org_3'"})
    assert none.data == []


@pytest.mark.parametrize(
    "query",
    [
        "nonsense",
        "iban:'1'",
        "email:'a' AND",
        "email:'a' OR email:'b' AND name:'c'",
        "email>'a'",
        "metadata:'1'",
        "email['k']:'1'",
        "created~'1'",
        "name~'da'",
        "created:'soon'",
        " ".join(["name:'a'"] * 11),
    ],
)
async def test_a_query_the_sandbox_cannot_read_is_refused(sdk: Any, query: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sdk.v1.customers.search_async({"query": query})
    assert told(refused).param == "query"


async def test_an_unknown_customer_is_missing(sdk: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sdk.v1.customers.retrieve_async("cus_unknown")
    assert (told(refused).http_status, told(refused).code, told(refused).param) == (
        404,
        "resource_missing",
        "id",
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name:'ADA'", ["Ada Lovelace"]),
        ("name~'ada'", ["Dada", "Ada Lovelace"]),
        ("name:'lovelace'", ["Ada Lovelace"]),
        ("name:'lovelace ada'", []),
        ("-name:'Ada'", ["Bob", "Dada"]),
        ("name:'Ada' OR name:'Bob'", ["Bob", "Ada Lovelace"]),
        ("name~'ada' metadata['team']:'a'", ["Ada Lovelace"]),
        ("metadata['team']:null", ["Bob"]),
        ("-metadata['team']:null", ["Dada", "Ada Lovelace"]),
        ("created>=0 and created<1", []),
        ("created>0", ["Bob", "Dada", "Ada Lovelace"]),
    ],
)
async def test_search_speaks_stripes_language(sdk: Any, query: str, names: list[str]) -> None:
    for name, metadata in (("Ada Lovelace", {"team": "a"}), ("Dada", {"team": "b"}), ("Bob", {})):
        await sdk.v1.customers.create_async({"name": name, "metadata": metadata})
    found = await sdk.v1.customers.search_async({"query": query})
    assert [customer.name for customer in found.data] == names
