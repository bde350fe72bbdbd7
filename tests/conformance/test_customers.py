"""docs.stripe.com/api/customers"""

from tests.conformance.api import Api, unique


async def test_a_customer_is_retrieved_as_it_was_created(stripe: Api) -> None:
    """docs.stripe.com/api/customers/create, /retrieve"""
    email = f"{unique()}@example.com"
    made = (await stripe.post("customers", email=email, name="Ada", address={"city": "London"})).ok()
    found = (await stripe.get(f"customers/{made['id']}")).ok()
    assert found == made
    assert (made["object"], made["email"], made["name"]) == ("customer", email, "Ada")
    assert made["id"].startswith("cus_")
    assert (made["address"]["city"], made["address"]["line1"]) == ("London", None)


async def test_an_update_leaves_what_it_does_not_name_and_empties_what_is_empty(stripe: Api) -> None:
    """docs.stripe.com/api/customers/update: parameters not provided are left unchanged."""
    made = (await stripe.post("customers", name="Ada", description="first")).ok()
    updated = (await stripe.post(f"customers/{made['id']}", description="")).ok()
    assert (updated["name"], updated["description"]) == ("Ada", None)


async def test_two_customers_may_share_an_address(stripe: Api) -> None:
    """docs.stripe.com/api/customers/object: nothing but the id is unique."""
    email = f"{unique()}@example.com"
    made = {(await stripe.post("customers", email=email)).ok()["id"] for _ in range(2)}
    listed = (await stripe.get("customers", email=email)).ok()["data"]
    assert {customer["id"] for customer in listed} == made


async def test_customers_are_listed_by_address_case_included(stripe: Api) -> None:
    """`email` in docs.stripe.com/api/customers/list: a case-sensitive filter."""
    email = f"{unique('Conformance')}@example.com"
    made = (await stripe.post("customers", email=email)).ok()
    listed = (await stripe.get("customers", email=email)).ok()["data"]
    assert [customer["id"] for customer in listed] == [made["id"]]
    assert (await stripe.get("customers", email=email.lower())).ok()["data"] == []


async def test_a_deleted_customer_is_found_as_deleted_and_not_listed(stripe: Api) -> None:
    """docs.stripe.com/api/customers/delete; /retrieve: of a deleted customer, `deleted: true` is returned."""
    made = (await stripe.post("customers")).ok()
    gone = {"id": made["id"], "object": "customer", "deleted": True}
    assert (await stripe.delete(f"customers/{made['id']}")).ok() == gone
    assert (await stripe.get(f"customers/{made['id']}")).ok()["deleted"] is True
    newest = (await stripe.get("customers", limit=100)).ok()["data"]
    assert made["id"] not in [customer["id"] for customer in newest]


async def test_a_deleted_customer_is_of_no_more_use(stripe: Api) -> None:
    """docs.stripe.com/api/customers/delete: it cannot be undone."""
    made = (await stripe.post("customers")).ok()
    await stripe.delete(f"customers/{made['id']}")
    refused = await stripe.post("payment_intents", amount=1099, currency="usd", customer=made["id"])
    assert (refused.status, refused.error["code"], refused.error["param"]) == (
        400,
        "resource_missing",
        "customer",
    )
