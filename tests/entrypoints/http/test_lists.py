"""/v1/purchases, /v1/subscriptions, and /v1/payments of one customer."""

from typing import Any

import pytest

from tests.builders import suffix
from tests.entrypoints.http.conftest import Service, assert_problem, organization
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of

LISTS = {"payments": "pay", "purchases": "pur", "subscriptions": "sub"}


async def bought(service: Service, *customers: str) -> None:
    """A paid book for each of these customers, one after the other."""
    for customer in customers:
        reply = await service.client.post("/v1/customers", json={"external_id": customer})
        assert reply.is_success
        session = await service.open_session(anonymous=False, customer=customer)
        body = event_of(intent_of(session, service.made.organization_id), id=f"evt_{session['id']}")
        assert (await delivered(service, body)).json()["handled"]


async def read(service: Service, path: str) -> Any:
    reply = await service.client.get(path)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize("kind", LISTS)
async def test_a_list_is_newest_first_by_pages_and_of_one_customer(service: Service, kind: str) -> None:
    await service.with_catalog()
    await bought(service, "ada", "bob", "cyd")
    everything = (await read(service, f"/v1/{kind}"))["data"]
    assert len(everything) == 3
    assert [row["id"] for row in everything] == sorted((row["id"] for row in everything), reverse=True)
    first = await read(service, f"/v1/{kind}?limit=2")
    rest = await read(service, f"/v1/{kind}?limit=2&cursor={first['next_cursor']}")
    assert first["data"] + rest["data"] == everything
    assert rest["next_cursor"] is None
    bob = await read(service, "/v1/customers/bob")
    for reference in ("bob", bob["id"]):
        (row,) = (await read(service, f"/v1/{kind}?customer={reference}"))["data"]
        assert row == everything[1]
        assert row["customer_id"] == bob["id"]


@pytest.mark.parametrize("kind", LISTS)
async def test_what_is_asked_wrongly_is_refused_by_name(service: Service, kind: str) -> None:
    for query, code, field in (
        ("limit=0", "invalid_value", "limit"),
        ("limit=x", "wrong_type", "limit"),
        ("cursor=evt_1", "invalid_id", "cursor"),
        ("customer=a%20b", "invalid_id", "customer"),
        ("customer=nobody", "customer_not_found", "customer"),
        (f"customer=cus_{suffix(9)}", "customer_not_found", "customer"),
        ("state=paid", "unknown_field", "state"),
    ):
        assert_problem(await service.client.get(f"/v1/{kind}?{query}"), 422, code, field)


@pytest.mark.parametrize("kind", ["purchases", "subscriptions"])
async def test_a_status_is_one_that_there_is(service: Service, kind: str) -> None:
    reply = await service.client.get(f"/v1/{kind}?status=gone")
    assert_problem(reply, 422, "invalid_value", "status")


async def test_purchases_by_status_and_by_id(service: Service) -> None:
    await service.with_catalog()
    await bought(service, "ada", "bob")
    (bobs, adas) = (await read(service, "/v1/purchases"))["data"]
    (payment,) = (await read(service, "/v1/payments?customer=ada"))["data"]
    service.gateway.succeed(payment["payment_intent_id"])
    assert (await service.client.post(f"/v1/payments/{payment['id']}/refunds", json={})).is_success
    (refunded,) = (await read(service, "/v1/purchases?status=refunded"))["data"]
    assert refunded == {**adas, "status": "refunded"}
    assert await read(service, f"/v1/purchases/{adas['id']}") == refunded
    assert (await read(service, "/v1/purchases?status=paid"))["data"] == [bobs]
    assert (await read(service, "/v1/purchases?status=paid&customer=ada"))["data"] == []


async def test_a_subscription_by_id_with_its_items(service: Service) -> None:
    await service.with_catalog()
    await bought(service, "ada")
    (listed,) = (await read(service, "/v1/subscriptions?status=active"))["data"]
    (of_customer,) = (await read(service, "/v1/customers/ada"))["subscriptions"]
    assert of_customer.items() <= listed.items()
    assert (listed["livemode"], len(listed["items"])) == (False, 1)
    assert await read(service, f"/v1/subscriptions/{listed['id']}") == listed
    assert (await read(service, "/v1/subscriptions?status=canceled"))["data"] == []


@pytest.mark.parametrize(("kind", "prefix"), LISTS.items())
async def test_another_organization_or_mode_finds_nothing_listed(
    service: Service, kind: str, prefix: str
) -> None:
    await service.with_catalog()
    await bought(service, "ada")
    (row,) = (await read(service, f"/v1/{kind}"))["data"]
    other = await organization(service.container, "Other")
    code = f"{kind.removesuffix('s')}_not_found"
    assert_problem(await service.client.get(f"/v1/{kind}/{prefix}_{suffix(9)}"), 404, code)
    for key in (service.made.live_key, other.test_key, other.live_key):
        service.client.headers["authorization"] = f"Bearer {key}"
        assert await read(service, f"/v1/{kind}") == {"data": [], "next_cursor": None}
        assert_problem(await service.client.get(f"/v1/{kind}/{row['id']}"), 404, code)
