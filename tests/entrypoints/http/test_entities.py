"""/v1/customers/{…}/entities"""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.entity import Entity
from entrypoints.http.server import serving
from tests.databases import Database
from tests.entrypoints.http.conftest import CATALOG, Service, assert_problem, organization
from tests.entrypoints.http.test_on_postgres import on

SEAT = {"entity_id": "seat-1", "name": "Front desk", "feature": "seats"}
FEATURES = [
    {"slug": "seats", "name": "Seats", "type": "metered"},
    {"slug": "sso", "name": "Single sign-on", "type": "boolean"},
]
ENTITIES = "/v1/customers/ada/entities"


@pytest.fixture
async def ada(service: Service) -> dict[str, Any]:
    """A customer, where seats are counted."""
    reply = await service.client.put("/v1/catalog", json={**CATALOG, "features": FEATURES})
    assert reply.status_code == 200, reply.text
    made: dict[str, Any] = (await service.client.post("/v1/customers", json={"external_id": "ada"})).json()
    return made


async def test_an_entity_is_made_and_then_known(service: Service, ada: dict[str, Any]) -> None:
    made = await service.client.post(ENTITIES, json=SEAT)
    assert made.status_code == 201, made.text
    entity = made.json()
    feature = (await service.client.get("/v1/catalog")).json()["features"][0]
    assert entity == {
        "id": entity["id"],
        "customer_id": ada["id"],
        "external_id": "seat-1",
        "name": "Front desk",
        "feature_id": feature["id"],
        "livemode": False,
        "created_at": entity["created_at"],
        "deleted_at": None,
    }
    known = await service.client.post(
        f"/v1/customers/{ada['id']}/entities", json={"entity_id": "seat-1", "name": "Other"}
    )
    assert (known.status_code, known.json()) == (200, entity)
    for reference in ("seat-1", entity["id"]):
        read = await service.client.get(f"{ENTITIES}/{reference}")
        assert (read.status_code, read.json()) == (200, entity)
    (event,) = [event for event in service.store.events if event.type == "entity.created"]
    assert event.data.object == entity


async def test_its_name_and_feature_may_be_left_out(service: Service, ada: dict[str, Any]) -> None:
    made = (await service.client.post(ENTITIES, json={"entity_id": "seat-1"})).json()
    assert (made["name"], made["feature_id"]) == (None, None)


async def test_a_deleted_one_is_found_by_its_own_id_only(service: Service, ada: dict[str, Any]) -> None:
    entity = (await service.client.post(ENTITIES, json=SEAT)).json()
    deleted = await service.client.delete(f"{ENTITIES}/seat-1")
    assert deleted.status_code == 200
    assert deleted.json() == {**entity, "deleted_at": deleted.json()["deleted_at"]}
    assert deleted.json()["deleted_at"] is not None
    for method in ("GET", "DELETE"):
        gone = await service.client.request(method, f"{ENTITIES}/seat-1")
        assert_problem(gone, 404, "entity_not_found")
        by_id = await service.client.request(method, f"{ENTITIES}/{entity['id']}")
        assert (by_id.status_code, by_id.json()) == (200, deleted.json())
    assert (await service.client.get(ENTITIES)).json() == {"data": [], "next_cursor": None}
    anew = await service.client.post(ENTITIES, json=SEAT)
    assert anew.status_code == 201
    assert anew.json()["id"] != entity["id"]


async def test_they_are_listed_by_pages(service: Service, ada: dict[str, Any]) -> None:
    for number in range(3):
        await service.client.post(ENTITIES, json={"entity_id": f"seat-{number}"})
    first = (await service.client.get(f"{ENTITIES}?limit=2")).json()
    assert [one["external_id"] for one in first["data"]] == ["seat-2", "seat-1"]
    rest = (await service.client.get(f"{ENTITIES}?limit=2&cursor={first['next_cursor']}")).json()
    assert ([one["external_id"] for one in rest["data"]], rest["next_cursor"]) == (["seat-0"], None)
    for wrong, code in (
        ("limit=0", "invalid_value"),
        ("cursor=ent_1", "invalid_id"),
        ("all=1", "unknown_field"),
    ):
        reply = await service.client.get(f"{ENTITIES}?{wrong}")
        assert_problem(reply, 422, code, field=wrong.split("=")[0])


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "missing_field", "entity_id"),
        ({"entity_id": None}, "wrong_type", "entity_id"),
        ({"entity_id": ""}, "invalid_external_id", "entity_id"),
        ({"entity_id": "a@b"}, "invalid_external_id", "entity_id"),
        ({"entity_id": "seat 1"}, "invalid_external_id", "entity_id"),
        ({"entity_id": "seat.1"}, "invalid_external_id", "entity_id"),
        ({"entity_id": "ent_1"}, "invalid_external_id", "entity_id"),
        ({"entity_id": "x" * 256}, "invalid_external_id", "entity_id"),
        ({**SEAT, "name": ""}, "invalid_value", "name"),
        ({**SEAT, "feature": "Seats"}, "invalid_value", "feature"),
        ({**SEAT, "feature": "rooms"}, "feature_not_found", "feature"),
        ({**SEAT, "feature": "sso"}, "feature_not_metered", "feature"),
        ({**SEAT, "id": "seat-1"}, "unknown_field", "id"),
    ],
)
async def test_what_is_wrong_is_named(
    service: Service, ada: dict[str, Any], body: dict[str, Any], code: str, field: str
) -> None:
    assert_problem(await service.client.post(ENTITIES, json=body), 422, code, field=field)
    assert not [state for state in service.store.states if isinstance(state, Entity)]


async def test_the_words_for_a_wrong_id_are_those_of_customers(service: Service, ada: dict[str, Any]) -> None:
    reply = await service.client.post(ENTITIES, json={"entity_id": "seat.1"})
    allowed = "Use only letters, numbers, underscores, and hyphens."
    assert reply.json()["detail"] == f"cannot contain periods. {allowed}"
    reply = await service.client.get(f"{ENTITIES}/seat%201")
    problem = assert_problem(reply, 422, "invalid_id", field="entity")
    assert "the id of an entity, ent_…, or its external id" in problem["detail"]


async def test_where_the_customer_is_not_there_nothing_is(service: Service, ada: dict[str, Any]) -> None:
    nobody = "/v1/customers/bob/entities"
    for method, path, body in (
        ("POST", nobody, SEAT),
        ("GET", nobody, None),
        ("GET", f"{nobody}/seat-1", None),
        ("DELETE", f"{nobody}/seat-1", None),
    ):
        assert_problem(await service.client.request(method, path, json=body), 404, "customer_not_found")


async def test_a_named_request_is_answered_the_same_again(service: Service, ada: dict[str, Any]) -> None:
    headers = {"idempotency-key": "k-1"}
    first = await service.client.post(ENTITIES, json=SEAT, headers=headers)
    await service.client.delete(f"{ENTITIES}/seat-1")
    again = await service.client.post(ENTITIES, json=SEAT, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert len([state for state in service.store.states if isinstance(state, Entity)]) == 1


async def test_twenty_at_once_over_http_make_one(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        await client.put("/v1/catalog", json={**CATALOG, "features": FEATURES})
        await client.post("/v1/customers", json={"external_id": "ada"})
        replies = await asyncio.gather(*(client.post(ENTITIES, json=SEAT) for _ in range(20)))
        assert sorted(reply.status_code for reply in replies) == [200] * 19 + [201]
        assert len({reply.json()["id"] for reply in replies}) == 1


async def test_each_address_says_what_can_be_done_with_it(service: Service) -> None:
    for path, methods in ((ENTITIES, {"GET", "POST"}), (f"{ENTITIES}/seat-1", {"GET", "DELETE"})):
        reply = await service.client.options(path)
        assert set(reply.headers["allow"].split(", ")) == methods | {"OPTIONS"}
