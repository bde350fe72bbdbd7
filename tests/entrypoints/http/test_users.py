"""/v1/users: signing up, looked up, listed and changed."""

from typing import Any

import pytest

from domain.effects import CreateStripeUser, UpdateStripeUser
from tests.builders import suffix
from tests.entrypoints.http.conftest import Service, assert_problem

ADA = {"external_id": "ada", "email": "Ada@Example.com", "name": "Ada"}


async def signed_up(service: Service, status: int = 201, **given: object) -> dict[str, Any]:
    reply = await service.client.post("/v1/users", json={**ADA, **given})
    assert reply.status_code == status, reply.text
    user: dict[str, Any] = reply.json()
    return user


async def worked(service: Service) -> None:
    for task in service.store.tasks:
        await service.container.effects()(task)


async def test_signing_up_answers_at_once_and_again_with_the_same_user(service: Service) -> None:
    user = await signed_up(service)
    assert user == {
        "id": user["id"],
        "external_id": "ada",
        "email": "Ada@Example.com",
        "email_verified": False,
        "name": "Ada",
        "livemode": False,
        "stripe_customer_id": None,
        "stripe_customer_created_at": None,
        "created_at": "2026-01-01T12:00:00Z",
    }
    assert service.gateway.calls == []
    assert await signed_up(service, 200, name="Other") == user
    assert await signed_up(service, 200, external_id=None, email="ADA@EXAMPLE.COM") == user
    assert [task.effect for task in service.store.tasks] == [CreateStripeUser(user["id"])]


async def test_only_the_email_is_needed(service: Service) -> None:
    reply = await service.client.post("/v1/users", json={"email": "x@example.com"})
    assert reply.status_code == 201
    assert (reply.json()["external_id"], reply.json()["name"]) == (None, None)
    mine = {"email": "y@example.com", "organization_id": service.made.organization_id}
    assert (await service.client.post("/v1/users", json=mine)).status_code == 201


async def test_stripe_knows_them_soon_and_by_its_id_they_are_found(service: Service) -> None:
    user = await signed_up(service)
    await worked(service)
    known = (await service.client.get("/v1/users/ada")).json()
    (at_stripe,) = service.gateway.users
    assert known == {
        **user,
        "stripe_customer_id": at_stripe.id,
        "stripe_customer_created_at": "2026-01-01T12:00:00Z",
    }
    page = await service.client.get("/v1/users", params={"stripe_customer_id": at_stripe.id})
    assert page.json()["data"] == [known]


async def test_a_stripe_that_is_down_does_not_matter(service: Service) -> None:
    service.gateway.fail_next("before")
    await signed_up(service)
    assert service.gateway.calls == []


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"external_id": "a b"}, 422, "invalid_external_id", "external_id"),
        ({"external_id": ""}, 422, "invalid_external_id", "external_id"),
        ({"external_id": "usr_1"}, 422, "invalid_external_id", "external_id"),
        ({"external_id": "cus_1"}, 422, "invalid_external_id", "external_id"),
        ({"external_id": 1}, 422, "wrong_type", "external_id"),
        ({"email": None}, 422, "wrong_type", "email"),
        ({"email": "nowhere"}, 422, "invalid_value", "email"),
        ({"name": ""}, 422, "invalid_value", "name"),
        ({"email_verified": "yes"}, 422, "wrong_type", "email_verified"),
        ({"organization_id": f"org_{suffix(9)}"}, 403, "organization_mismatch", "organization_id"),
        ({"organization_id": "org"}, 422, "invalid_id", "organization_id"),
        ({"stripe_customer_id": "cus_S1"}, 422, "unknown_field", "stripe_customer_id"),
        ({"external_id": "eve", "email": "bob@example.com"}, 409, "email_taken", "email"),
    ],
)
async def test_who_cannot_sign_up_is_told_why(
    service: Service, given: dict[str, object], status: int, code: str, field: str
) -> None:
    await signed_up(service, external_id="bob", email="bob@example.com")
    before = service.store.states
    reply = await service.client.post("/v1/users", json={**ADA, **given})
    assert_problem(reply, status, code, field)
    assert service.store.states == before


async def test_an_email_is_missed_where_there_is_none(service: Service) -> None:
    assert_problem(await service.client.post("/v1/users", json={}), 422, "missing_field", "email")


async def test_who_has_proven_an_address_is_not_who_claimed_it_under_a_name(service: Service) -> None:
    mallory = await signed_up(service, external_id="mallory")
    ada = await signed_up(service, email_verified=True)
    assert ada["id"] != mallory["id"]
    assert await signed_up(service, 200, external_id=None) == mallory
    assert await signed_up(service, 200, external_id=None, email_verified=True) == ada
    page = await service.client.get("/v1/users", params={"email": "ada@example.com"})
    assert page.json()["data"] == [ada, mallory]


async def test_a_named_request_is_done_once(service: Service) -> None:
    named = {"idempotency-key": "k-1"}
    first = await service.client.post("/v1/users", json=ADA, headers=named)
    again = await service.client.post("/v1/users", json=ADA, headers=named)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = await service.client.post("/v1/users", json={**ADA, "name": "B"}, headers=named)
    assert_problem(other, 422, "idempotency_key_reused", "Idempotency-Key")


async def test_what_is_given_changes_and_null_clears_the_name(service: Service) -> None:
    user = await signed_up(service, email_verified=True)
    body = {"external_id": "lovelace", "email": "ada@new.example.com", "name": None}
    reply = await service.client.patch(f"/v1/users/{user['id']}", json=body)
    assert reply.json() == {**user, **body, "email_verified": False}
    assert (await service.client.get("/v1/users/lovelace")).json() == reply.json()
    proven = await service.client.patch("/v1/users/lovelace", json={"email_verified": True})
    assert proven.json() == {**reply.json(), "email_verified": True}
    assert (await service.client.patch("/v1/users/lovelace", json={})).json() == proven.json()


async def test_another_name_and_address_reach_stripe(service: Service) -> None:
    user = await signed_up(service)
    await worked(service)
    await service.client.patch("/v1/users/ada", json={"name": "Countess", "email": "c@example.com"})
    assert [task.effect for task in service.store.tasks] == [UpdateStripeUser(user["id"])]
    await worked(service)
    (at_stripe,) = service.gateway.users
    assert (at_stripe.name, at_stripe.email) == ("Countess", "c@example.com")


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"external_id": "bob"}, 409, "external_id_taken", "external_id"),
        ({"external_id": None}, 422, "wrong_type", "external_id"),
        ({"external_id": "a@b"}, 422, "invalid_external_id", "external_id"),
        ({"email": "BOB@example.com"}, 409, "email_taken", "email"),
        ({"email": None}, 422, "wrong_type", "email"),
        ({"email": "nowhere"}, 422, "invalid_value", "email"),
        ({"name": ""}, 422, "invalid_value", "name"),
        ({"email_verified": None}, 422, "wrong_type", "email_verified"),
        ({"id": "usr_1"}, 422, "unknown_field", "id"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(
    service: Service, given: dict[str, object], status: int, code: str, field: str
) -> None:
    before = await signed_up(service)
    await signed_up(service, external_id="bob", email="bob@example.com")
    assert_problem(await service.client.patch("/v1/users/ada", json=given), status, code, field)
    assert (await service.client.get("/v1/users/ada")).json() == before


async def test_nobody_is_shown_or_changed_who_is_not_there(service: Service) -> None:
    for reference in ("nobody", f"usr_{suffix(9)}"):
        assert_problem(await service.client.get(f"/v1/users/{reference}"), 404, "user_not_found")
        reply = await service.client.patch(f"/v1/users/{reference}", json={})
        assert_problem(reply, 404, "user_not_found")
    problem = assert_problem(await service.client.get("/v1/users/a%20b"), 422, "invalid_id", "reference")
    assert problem["detail"] == "reference must be the id of a user, usr_…, or its external id"


async def test_the_list_is_paged_and_tells_whom_stripe_does_not_know(service: Service) -> None:
    for number in range(3):
        await signed_up(service, external_id=f"u{number}", email=f"u{number}@example.com")
    first = (await service.client.get("/v1/users", params={"limit": 2})).json()
    assert [user["external_id"] for user in first["data"]] == ["u2", "u1"]
    cursor = {"limit": 2, "cursor": first["next_cursor"]}
    rest = (await service.client.get("/v1/users", params=cursor)).json()
    assert [user["external_id"] for user in rest["data"]] == ["u0", None]  # the organization's owner
    await worked(service)
    unknown = (await service.client.get("/v1/users", params={"without_stripe_customer": "true"})).json()
    assert [user["id"] for user in unknown["data"]] == [service.made.user_id]


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"email": "nowhere"}, "invalid_value", "email"),
        ({"stripe_customer_id": "pi_1"}, "invalid_id", "stripe_customer_id"),
        ({"without_stripe_customer": "maybe"}, "wrong_type", "without_stripe_customer"),
        ({"limit": "0"}, "invalid_value", "limit"),
        ({"cursor": "cus_1"}, "invalid_id", "cursor"),
        ({"name": "Ada"}, "unknown_field", "name"),
    ],
)
async def test_what_cannot_be_asked_for_is_named(
    service: Service, asked: dict[str, str], code: str, field: str
) -> None:
    assert_problem(await service.client.get("/v1/users", params=asked), 422, code, field)


async def test_a_users_customers_are_listed(service: Service) -> None:
    await service.with_catalog()
    user = await signed_up(service)
    mine = {"external_id": "mine", "user_id": user["id"]}
    await service.client.post("/v1/customers", json=mine)
    await service.client.post("/v1/customers", json={"external_id": "other"})
    for reference in ("ada", user["id"]):
        page = await service.client.get("/v1/customers", params={"user": reference})
        assert [customer["external_id"] for customer in page.json()["data"]] == ["mine"]
    reply = await service.client.get("/v1/customers", params={"user": "nobody"})
    assert_problem(reply, 422, "user_not_found", "user")


async def test_the_methods_of_users_are_told(service: Service) -> None:
    for address, methods in (("/v1/users", "GET, POST, OPTIONS"), ("/v1/users/ada", "GET, PATCH, OPTIONS")):
        reply = await service.client.options(address)
        assert (reply.status_code, reply.headers["allow"]) == (204, methods)
