"""PATCH and DELETE /v1/customers/{id or external id}, and GET /v1/customers."""

from typing import Any

import pytest

from domain.effects import DeleteStripeCustomer
from tests.builders import suffix
from tests.entrypoints.http.conftest import Service, assert_problem
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of

ADA = {"external_id": "ada", "email": "ada@example.com", "name": "Ada", "metadata": {"a": "1", "b": "2"}}


async def made(service: Service, **given: object) -> dict[str, Any]:
    reply = await service.client.post("/v1/customers", json={**ADA, **given})
    assert reply.status_code == 201, reply.text
    customer: dict[str, Any] = reply.json()
    return customer


async def test_what_is_given_changes_and_null_clears(service: Service) -> None:
    await service.with_catalog()
    before = await made(service)
    address = {"country": "NL", "line1": "Dam 1", "line2": None, "city": None, "state": None}
    body = {"external_id": "lovelace", "email": None, "metadata": {"a": None}, "billing_address": address}
    reply = await service.client.patch(f"/v1/customers/{before['id']}", json=body)
    assert reply.status_code == 200
    assert reply.json() == {
        **before,
        "external_id": "lovelace",
        "email": None,
        "metadata": {"b": "2"},
        "billing_address": {**address, "postal_code": None},
    }
    assert (await service.client.get("/v1/customers/lovelace")).json() == reply.json()
    unchanged = await service.client.patch("/v1/customers/lovelace", json={})
    assert unchanged.json() == reply.json()


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"external_id": "bob"}, 409, "external_id_taken", "external_id"),
        ({"external_id": None}, 422, "invalid_external_id", "external_id"),
        ({"external_id": "a@b"}, 422, "invalid_external_id", "external_id"),
        ({"external_id": 7}, 422, "wrong_type", "external_id"),
        ({"email": "nowhere"}, 422, "invalid_value", "email"),
        ({"name": ""}, 422, "invalid_value", "name"),
        ({"metadata": {str(n): "" for n in range(49)}}, 422, "invalid_value", "metadata"),
        ({"billing_address": {}}, 422, "missing_field", "billing_address.country"),
        ({"fingerprint": "\x00"}, 422, "invalid_value", "fingerprint"),
        ({"user_id": None}, 422, "unknown_field", "user_id"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(
    service: Service, given: dict[str, object], status: int, code: str, field: str
) -> None:
    await service.with_catalog()
    before = await made(service)
    await made(service, external_id="bob")
    assert_problem(await service.client.patch("/v1/customers/ada", json=given), status, code, field)
    assert (await service.client.get("/v1/customers/ada")).json() == before


async def test_nobody_is_changed_or_deleted_who_is_not_there(service: Service) -> None:
    for reference in ("nobody", f"cus_{suffix(9)}"):
        address = f"/v1/customers/{reference}"
        assert_problem(await service.client.patch(address, json={}), 404, "customer_not_found")
        assert_problem(await service.client.delete(address), 404, "customer_not_found")
    for address in ("/v1/customers/a%20b", "/v1/customers/%00"):
        assert_problem(await service.client.patch(address, json={}), 422, "invalid_id", "reference")
        assert_problem(await service.client.delete(address), 422, "invalid_id", "reference")


async def test_a_deleted_customer_is_gone_and_what_they_paid_stays(service: Service) -> None:
    await service.with_catalog()
    ada = await made(service)
    session = await service.open_session(anonymous=False, customer="ada")
    event = event_of(intent_of(session, service.made.organization_id))
    assert (await delivered(service, event)).json()["handled"]
    reply = await service.client.delete("/v1/customers/ada")
    assert (reply.status_code, reply.json()) == (
        200,
        {"id": ada["id"], "deleted": True, "deleted_at": "2026-01-01T12:00:00Z"},
    )
    for reference in ("ada", ada["id"]):
        address = f"/v1/customers/{reference}"
        assert_problem(await service.client.get(address), 404, "customer_not_found")
        assert_problem(await service.client.delete(address), 404, "customer_not_found")
    (payment,) = (await service.client.get("/v1/payments")).json()["data"]
    assert (payment["customer_id"], payment["status"]) == (ada["id"], "succeeded")
    (invoice,) = (await service.client.get("/v1/invoices")).json()["data"]
    assert invoice["billed_to"] == {"name": None, "email": None, "address": None}
    body = {"type": "product", "price": "book", "customer": ada["id"]}
    refused = await service.client.post("/v1/checkout-sessions", json=body)
    assert_problem(refused, 422, "customer_not_found", "customer")
    await service.store.sequence(1000)
    assert "ada@example.com" not in (await service.client.get("/v1/events?limit=100")).text


async def test_stripe_is_to_forget_them_only_where_that_is_asked(service: Service) -> None:
    await service.with_catalog()
    for external_id, query in (("ada", ""), ("bob", "?delete_in_stripe=true")):
        await made(service, external_id=external_id)
        assert (await service.client.delete(f"/v1/customers/{external_id}{query}")).is_success
    assert [isinstance(task.effect, DeleteStripeCustomer) for task in service.store.tasks] == [True]
    for query, code in (("maybe", "wrong_type"), ("null", "invalid_value")):
        address = f"/v1/customers/ada?delete_in_stripe={query}"
        refused = await service.client.delete(address)
        assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_reply_that_told_of_them_is_not_told_again(service: Service) -> None:
    await service.with_catalog()
    key = {"idempotency-key": "k1"}
    assert (await service.client.post("/v1/customers", json=ADA, headers=key)).status_code == 201
    assert (await service.client.post("/v1/customers", json=ADA, headers=key)).status_code == 201
    await service.client.delete("/v1/customers/ada")
    refused = await service.client.post("/v1/customers", json=ADA, headers=key)
    assert_problem(refused, 404, "customer_deleted")
    assert (await service.client.get("/v1/customers")).json()["data"] == []
    assert (await service.client.post("/v1/customers", json=ADA)).status_code == 201


async def test_a_list_is_newest_first_by_pages(service: Service) -> None:
    await service.with_catalog()
    everybody = [await made(service, external_id=f"c{n}") for n in range(3)][::-1]
    for customer in everybody:
        del customer["subscriptions"]
    first = (await service.client.get("/v1/customers?limit=2")).json()
    rest = (await service.client.get(f"/v1/customers?limit=2&cursor={first['next_cursor']}")).json()
    assert first["data"] + rest["data"] == everybody
    assert (first["next_cursor"], rest["next_cursor"]) == (everybody[1]["id"], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email=ADA%40example.com", ["ada"]),
        ("external_id=bob", ["bob"]),
        ("search=a", ["ada"]),
        ("search=bob%40", ["bob"]),
        ("search=%25", []),
        ("email=ada%40example.com&external_id=bob", []),
    ],
)
async def test_customers_are_found(service: Service, query: str, found: list[str]) -> None:
    await service.with_catalog()
    await made(service)
    await made(service, external_id="bob", email="bob@example.com", name="Bob")
    data = (await service.client.get(f"/v1/customers?{query}")).json()["data"]
    assert [customer["external_id"] for customer in data] == found


async def test_what_is_asked_wrongly_is_refused_by_name(service: Service) -> None:
    for query, code, field in (
        ("limit=0", "invalid_value", "limit"),
        ("cursor=evt_1", "invalid_id", "cursor"),
        ("email=ada", "invalid_value", "email"),
        ("external_id=a%20b", "invalid_id", "external_id"),
        ("search=", "invalid_value", "search"),
        (f"search={'x' * 65}", "invalid_value", "search"),
        ("search=%00", "invalid_value", "search"),
        ("name=ada", "unknown_field", "name"),
    ):
        assert_problem(await service.client.get(f"/v1/customers?{query}"), 422, code, field)
