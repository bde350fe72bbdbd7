"""POST /v1/customers, GET /v1/customers/{id or external id}."""

import asyncio
from collections import Counter

import pytest

from tests.entrypoints.http.conftest import Service, assert_problem, organization

ALLOWED = "Use only letters, numbers, underscores, and hyphens."


async def test_a_new_customer_has_the_default_pricing_model_and_subscription(service: Service) -> None:
    await service.with_catalog()
    reply = await service.client.post(
        "/v1/customers",
        json={"external_id": "ada", "email": "ada@example.com", "name": "Ada", "metadata": {"a": "b"}},
    )
    assert reply.status_code == 201
    customer = reply.json()
    catalog = (await service.client.get("/v1/catalog")).json()
    (subscription,) = customer.pop("subscriptions")
    (item,) = subscription.pop("items")
    free = catalog["pricing_models"][0]["products"][1]
    assert customer == {
        "id": customer["id"],
        "external_id": "ada",
        "email": "ada@example.com",
        "name": "Ada",
        "livemode": False,
        "user_id": None,
        "pricing_model_id": catalog["pricing_models"][0]["id"],
        "stripe_customer_id": None,
        "metadata": {"a": "b"},
        "created_at": "2026-01-01T12:00:00Z",
    }
    assert subscription == {
        "id": subscription["id"],
        "product_id": free["id"],
        "product_slug": "free",
        "status": "active",
        "trial_ends_at": None,
        "current_period_start": "2026-01-01T12:00:00Z",
        "current_period_end": None,
    }
    assert item["subscription_id"] == subscription["id"]
    assert item["quantity"] == 1


async def test_a_known_customer_is_answered_with_200_as_it_is(service: Service) -> None:
    await service.with_catalog()
    first = await service.client.post("/v1/customers", json={"external_id": "ada", "name": "Ada"})
    again = await service.client.post("/v1/customers", json={"external_id": "ada", "name": "Eve"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_a_customer_is_found_by_either_id(service: Service) -> None:
    await service.with_catalog()
    made = (await service.client.post("/v1/customers", json={"external_id": "ada"})).json()
    for reference in (made["id"], "ada"):
        reply = await service.client.get(f"/v1/customers/{reference}")
        assert (reply.status_code, reply.json()) == (200, made)


@pytest.mark.parametrize("reference", ["nobody", "cus_00000000000000000000000001", "a%00b", "ä", "x" * 5000])
async def test_nobody_is_found(service: Service, reference: str) -> None:
    assert_problem(await service.client.get(f"/v1/customers/{reference}"), 404, "customer_not_found")


async def test_fifty_at_once_make_one_customer(service: Service) -> None:
    await service.with_catalog()
    replies = await asyncio.gather(
        *(service.client.post("/v1/customers", json={"external_id": "ada"}) for _ in range(50))
    )
    assert Counter(reply.status_code for reply in replies) == {201: 1, 200: 49}
    assert len({reply.json()["id"] for reply in replies}) == 1
    told = Counter(event.type for event in service.store.events)
    assert (told["customer.created"], told["subscription.created"], told["subscription_item.created"]) == (
        1,
        1,
        1,
    )
    assert len(service.store.tasks) == 1


@pytest.mark.parametrize(
    ("external_id", "message"),
    [
        ("", "can't be an empty string"),
        ("a@b", f"cannot contain @ symbol. {ALLOWED}"),
        ("a b", f"cannot contain spaces. {ALLOWED}"),
        ("a.b", f"cannot contain periods. {ALLOWED}"),
        ("a/b", f"cannot contain '/'. {ALLOWED}"),
        ("cus_1", "cannot start with 'cus_', which marks ids given by Counterfoil."),
    ],
)
async def test_external_ids_have_messages_of_their_own(
    service: Service, external_id: str, message: str
) -> None:
    reply = await service.client.post("/v1/customers", json={"external_id": external_id})
    problem = assert_problem(reply, 422, "invalid_external_id", "external_id")
    assert problem["errors"] == [{"field": "external_id", "message": message}]


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        ({"external_id": "a", "nickname": "A"}, "nickname", "nickname is not a known field"),
        ({}, "external_id", "external_id is required"),
        ({"external_id": 1}, "external_id", "external_id: Expected `str`, got `int`"),
        ({"external_id": None}, "external_id", "external_id: Expected `str`, got `null`"),
        ({"external_id": "a", "name": ""}, "name", "name: Expected `str` of length >= 1"),
        ({"external_id": "a", "metadata": {"k": 1}}, "metadata[...]", None),
        ({"external_id": "a", "email": "nowhere"}, "email", None),
        ({"external_id": "a", "name": "a\x00b"}, "name", "name must not contain NUL characters"),
        (
            {"external_id": "a", "pricing_model_id": "\x00"},
            "pricing_model_id",
            "pricing_model_id must not contain NUL characters",
        ),
        ([], None, "Expected `object`, got `array`"),
    ],
)
async def test_what_is_wrong_with_a_body_is_named(
    service: Service, body: object, field: str | None, detail: str | None
) -> None:
    problem = assert_problem(
        await service.client.post("/v1/customers", json=body), 422, "validation_failed", field
    )
    assert detail is None or problem["detail"] == detail


@pytest.mark.parametrize("body", [b"", b"{", b"nothing", b'{"external_id":"\xff"}', b'"\\ud800"'])
async def test_what_is_not_json_is_malformed(service: Service, body: bytes) -> None:
    assert_problem(await service.client.post("/v1/customers", content=body), 400, "malformed_json")


async def test_a_backslash_before_u0000_is_no_nul(service: Service) -> None:
    await service.with_catalog()
    body = rb'{"external_id": "a", "name": "\\u0000"}'
    assert (await service.client.post("/v1/customers", content=body)).json()["name"] == r"\u0000"


async def test_no_default_pricing_model(service: Service) -> None:
    problem = assert_problem(
        await service.client.post("/v1/customers", json={"external_id": "a"}), 422, "no_default_pricing_model"
    )
    assert problem["detail"] == "No default pricing model found for organization"


async def test_an_unknown_pricing_model(service: Service) -> None:
    await service.with_catalog()
    body = {"external_id": "a", "pricing_model_id": "pm_none"}
    reply = await service.client.post("/v1/customers", json=body)
    assert_problem(reply, 422, "pricing_model_not_found", "pricing_model_id")


async def test_another_organization(service: Service) -> None:
    await service.with_catalog()
    other = await organization(service.container, "Other")
    body = {"external_id": "a", "organization_id": other.organization_id}
    problem = assert_problem(
        await service.client.post("/v1/customers", json=body),
        403,
        "organization_mismatch",
        "organization_id",
    )
    assert problem["detail"] == "Customer organizationId must match authenticated organizationId"
