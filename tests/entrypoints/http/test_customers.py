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
        "fingerprint": None,
        "billing_address": None,
        "metadata": {"a": "b"},
        "created_at": "2026-01-01T12:00:00Z",
    }
    assert subscription == {
        "id": subscription["id"],
        "product_id": free["id"],
        "product_slug": "free",
        "entity_id": None,
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


@pytest.mark.parametrize("reference", ["nobody", "cus_00000000000000000000000001"])
async def test_nobody_is_found(service: Service, reference: str) -> None:
    assert_problem(await service.client.get(f"/v1/customers/{reference}"), 404, "customer_not_found")


@pytest.mark.parametrize("reference", ["a%00b", "%ff", "a%20b", "ä", "x" * 5000])
async def test_what_can_be_nobodys_id_is_not_looked_for(service: Service, reference: str) -> None:
    reply = await service.client.get(f"/v1/customers/{reference}")
    problem = assert_problem(reply, 422, "invalid_id", "reference")
    assert problem["detail"] == "reference must be the id of a customer, cus_…, or its external id"


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
    ("given", "code", "field", "said"),
    [
        ({"nickname": "A"}, "unknown_field", "nickname", "is not a known field"),
        ({"external_id": 1}, "wrong_type", "external_id", "must be a string or null, not an integer"),
        ({"fingerprint": "f" * 256}, "invalid_value", "fingerprint", "must be a string of length <= 255"),
        ({"fingerprint": "a\x00b"}, "invalid_value", "fingerprint", "must not contain NUL characters"),
        ({"disable_default": "no"}, "wrong_type", "disable_default", "must be a boolean, not a string"),
        ({"default_group": "A"}, "invalid_value", "default_group", "must be of the form [a-z0-9_-]*"),
        (
            {"stripe_customer_id": "user_1"},
            "invalid_id",
            "stripe_customer_id",
            "must be the id of a customer at Stripe, cus_…",
        ),
        (
            {"user_id": "cus_00000000000000000000000001"},
            "invalid_id",
            "user_id",
            "must be an id that is usr_ and 26 letters and digits",
        ),
        ({"email": 1.5}, "wrong_type", "email", "must be a string or null, not a number"),
        ({"metadata": {"k": 1}}, "wrong_type", "metadata[...]", "must be a string, not an integer"),
        ({"metadata": []}, "wrong_type", "metadata", "must be an object, not an array"),
        ({"name": ""}, "invalid_value", "name", "must be a string of length >= 1"),
        ({"name": "a\x00b"}, "invalid_value", "name", "must not contain NUL characters"),
        ({"external_id": "a\x00b"}, "invalid_value", "external_id", "must not contain NUL characters"),
        ({"metadata": {"k" * 41: ""}}, "invalid_value", "metadata", "must be a string of length <= 40"),
        (
            {"metadata": {str(n): "" for n in range(51)}},
            "invalid_value",
            "metadata",
            "must be an object of length <= 50",
        ),
        ({"email": "nowhere"}, "invalid_value", "email", "must be an e-mail address"),
        (
            {"pricing_model_id": "standard"},
            "invalid_id",
            "pricing_model_id",
            "must be an id that is pm_ and 26 letters and digits",
        ),
        (
            {"organization_id": "pm_00000000000000000000000001"},
            "invalid_id",
            "organization_id",
            "must be an id that is org_ and 26 letters and digits",
        ),
    ],
)
async def test_what_is_wrong_with_a_body_is_named(
    service: Service, given: dict[str, object], code: str, field: str, said: str
) -> None:
    reply = await service.client.post("/v1/customers", json={"external_id": "a", **given})
    assert assert_problem(reply, 422, code, field)["detail"] == f"{field} {said}"


async def test_a_field_that_is_missing_is_named(service: Service) -> None:
    reply = await service.client.post("/v1/customers", json={})
    problem = assert_problem(reply, 422, "missing_field", "external_id")
    assert problem["detail"] == "external_id is required"


@pytest.mark.parametrize("depth", [1, 100_000])
async def test_a_body_that_is_no_object(service: Service, depth: int) -> None:
    reply = await service.client.post("/v1/customers", content=b"[" * depth + b"]" * depth)
    problem = assert_problem(reply, 422, "wrong_type")
    assert problem["detail"] == "The document must be an object, not an array"


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
    body = {"external_id": "a", "pricing_model_id": "pm_00000000000000000000000001"}
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
