"""/v1/check, /v1/track and /v1/balances"""

from pathlib import Path
from typing import Any

import httpx
import pytest

from entrypoints.http.server import serving
from tests.databases import Database
from tests.entrypoints.http.conftest import CATALOG, Service, assert_problem, organization
from tests.entrypoints.http.test_on_postgres import on

USED = {"customer": "ada", "feature": "seats"}


@pytest.fixture
async def shop(service: Service) -> Service:
    """With a customer who has five seats."""
    await service.with_catalog()
    assert (await service.client.post("/v1/customers", json={"external_id": "ada"})).status_code == 201
    return service


async def check(shop: Service, **asked: Any) -> dict[str, Any]:
    reply = await shop.client.post("/v1/check", json=USED | asked)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


async def track(shop: Service, key: str | None = None, **asked: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await shop.client.post("/v1/track", json=USED | asked, headers=headers)


async def test_may_they_and_they_did(shop: Service) -> None:
    answer = await check(shop, required=5)
    (balance,) = answer["balances"]
    standing = {
        "feature": "seats",
        "granted": 5,
        "used": 0,
        "remaining": 5,
        "unlimited": False,
        "overage_allowed": False,
        "resets_at": balance["resets_at"],
    }
    assert answer == {
        "allowed": True,
        "customer_id": answer["customer_id"],
        "entity_id": None,
        "feature": "seats",
        "required": 5,
        "balance": standing,
        "balances": [balance],
    }
    reply = await track(shop, amount=2)
    assert reply.status_code == 200, reply.text
    recorded = reply.json()
    assert (recorded["amount"], recorded["recorded"]) == (2, 2)
    assert recorded["balance"] == standing | {"used": 2, "remaining": 3}
    assert [(await check(shop, required=n))["allowed"] for n in (3, 4)] == [True, False]
    assert (await check(shop))["balance"] == recorded["balance"]


async def test_usage_has_a_key_in_the_header_or_in_the_body_and_is_recorded_once(shop: Service) -> None:
    first = await track(shop, "k", amount=2)
    again = await track(shop, "k", amount=2)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert "idempotent-replayed" not in first.headers
    assert (await track(shop, amount=2, idempotency_key="k")).content == first.content
    assert_problem(await track(shop, "k", amount=3), 422, "idempotency_key_reused", "idempotency_key")
    assert_problem(
        await track(shop, "k", amount=2, idempotency_key="l"),
        422,
        "idempotency_key_differs",
        "idempotency_key",
    )
    assert (await check(shop))["balance"]["used"] == 2


@pytest.mark.parametrize(
    ("asked", "status", "code", "field"),
    [
        ({"customer": "nobody"}, 404, "customer_not_found", None),
        ({"entity": "nowhere"}, 404, "entity_not_found", None),
        ({"feature": "rooms"}, 422, "feature_not_found", "feature"),
        ({"customer": "a@b"}, 422, "invalid_external_id", "customer"),
        ({"customer": ""}, 422, "invalid_external_id", "customer"),
        ({"entity": "a.b"}, 422, "invalid_external_id", "entity"),
        ({"feature": "Ö"}, 422, "invalid_value", "feature"),
        ({"units": 3}, 422, "unknown_field", "units"),
        ({"customer_data": {"plan": "pro"}}, 422, "unknown_field", "customer_data.plan"),
        ({"customer": "new", "customer_data": {"email": "new"}}, 422, "invalid_value", "customer_data.email"),
    ],
)
async def test_what_cannot_be_asked_or_recorded_changes_nothing(
    shop: Service, asked: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    before = shop.store.states
    assert_problem(await shop.client.post("/v1/check", json=USED | asked), status, code, field)
    assert_problem(await track(shop, **asked), status, code, field)
    assert shop.store.states == before


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"amount": 1.5}, "wrong_type"),
        ({"amount": 10**13}, "invalid_value"),
        ({"amount": 6, "overage": "reject"}, "insufficient_balance"),
    ],
)
async def test_an_amount_that_cannot_be_recorded(shop: Service, asked: dict[str, Any], code: str) -> None:
    assert_problem(await track(shop, **asked), 422, code, "amount")
    assert (await check(shop))["balance"]["used"] == 0


async def test_a_boolean_feature_is_had_or_not(shop: Service) -> None:
    catalog = {
        **CATALOG,
        "features": [*CATALOG["features"], {"slug": "sso", "name": "SSO", "type": "boolean"}],
    }
    assert (await shop.client.put("/v1/catalog", json=catalog)).status_code == 200
    assert not (await check(shop, feature="sso"))["allowed"]
    assert_problem(await track(shop, feature="sso"), 422, "feature_is_boolean", "feature")
    granted = await shop.client.post("/v1/balances", json=USED | {"feature": "sso"})
    assert granted.status_code == 201, granted.text
    assert (await check(shop, feature="sso"))["allowed"]
    assert_problem(await correction(shop, granted.json()["id"], 1), 422, "balance_not_counted", "amount")


async def test_a_batch_is_recorded_one_by_one(shop: Service) -> None:
    usage = [
        USED | {"amount": 2, "idempotency_key": "a"},
        USED | {"feature": "rooms"},
        USED | {"amount": 9},
        USED | {"amount": 2, "idempotency_key": "a"},
    ]
    reply = await shop.client.post("/v1/track/batch", json={"usage": usage})
    assert reply.status_code == 200, reply.text
    outcomes = reply.json()["data"]
    assert [one["recorded"] and one["recorded"]["recorded"] for one in outcomes] == [2, None, 3, 2]
    assert [one["error"] and one["error"]["code"] for one in outcomes] == [
        None,
        "feature_not_found",
        None,
        None,
    ]
    assert [one["replayed"] for one in outcomes] == [False, False, False, True]
    problem = await shop.client.post("/v1/track/batch", json={"usage": [USED, USED | {"customer": "a b"}]})
    assert_problem(problem, 422, "invalid_external_id", "usage[1].customer")
    for wrong in ([], [USED] * 1001):
        problem = await shop.client.post("/v1/track/batch", json={"usage": wrong})
        assert_problem(problem, 422, "invalid_value", "usage")


async def correction(shop: Service, id: str, amount: int, key: str | None = None) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await shop.client.post(f"/v1/balances/{id}/corrections", json={"amount": amount}, headers=headers)


async def test_a_balance_is_granted_put_right_and_accounted_for(shop: Service) -> None:
    named = {"idempotency-key": "g"}
    granted = await shop.client.post("/v1/balances", json=USED | {"amount": 10}, headers=named)
    assert (granted.status_code, granted.json()["granted"]) == (201, 10)
    again = await shop.client.post("/v1/balances", json=USED | {"amount": 10}, headers=named)
    assert again.content == granted.content
    balance = granted.json()["id"]
    for _ in range(2):
        corrected = await correction(shop, balance, -4, "c")
        assert (corrected.status_code, corrected.json()["balance"]["remaining"]) == (201, 6)
    assert corrected.headers["idempotent-replayed"] == "true"
    assert_problem(await correction(shop, balance, -7), 422, "insufficient_balance", "amount")
    await track(shop, amount=7)
    entries = (await shop.client.get(f"/v1/balances/{balance}/entries")).json()["data"]
    assert [(one["kind"], one["amount"], one["remaining"]) for one in entries] == [
        ("usage", -2, 4),
        ("correction", -4, 6),
        ("grant", 10, 10),
    ]
    page = (await shop.client.get(f"/v1/balances/{balance}/entries?limit=1")).json()
    assert (page["data"], page["next_cursor"]) == ([entries[0]], 3)
    rest = (await shop.client.get(f"/v1/balances/{balance}/entries?cursor=3")).json()
    assert rest == {"data": entries[1:], "next_cursor": None}
    usage = (await shop.client.get("/v1/customers/ada/usage?feature=seats")).json()["data"]
    assert [(one["kind"], one["amount"], one["recorded"]) for one in usage] == [
        ("usage", 7, 7),
        ("correction", -4, -4),
    ]
    listed = (await shop.client.get("/v1/customers/ada/balances")).json()["data"]
    assert [one["remaining"] for one in listed] == [0, 4]


async def test_it_is_the_same_on_postgresql(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        assert (await client.put("/v1/catalog", json=CATALOG)).status_code == 200
        checked = await client.post("/v1/check", json=USED | {"customer_data": {"email": "ada@example.com"}})
        assert (checked.status_code, checked.json()["allowed"]) == (200, True)
        named = {"idempotency-key": "k"}
        first = await client.post("/v1/track", json=USED | {"amount": 3}, headers=named)
        again = await client.post("/v1/track", json=USED | {"amount": 3}, headers=named)
        assert (first.json()["balance"]["remaining"], again.content) == (2, first.content)
        usage = [USED, USED | {"customer": "nobody"}, USED | {"amount": 9}]
        batch = (await client.post("/v1/track/batch", json={"usage": usage})).json()["data"]
        assert [one["recorded"] and one["recorded"]["recorded"] for one in batch] == [1, None, 1]
