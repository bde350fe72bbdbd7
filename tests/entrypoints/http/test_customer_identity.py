"""POST /v1/customers: who somebody is, what they start with, and when Stripe knows of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.entrypoints.http.conftest import Service, assert_problem, organization


async def create(service: Service, **body: object) -> httpx.Response:
    return await service.client.post("/v1/customers", json={"external_id": None, **body})


async def test_without_an_id_a_customer_is_known_by_the_e_mail_until_one_is_given(service: Service) -> None:
    await service.with_catalog()
    made = await create(service, email="ada@example.com")
    again = await create(service, email="ADA@example.com")
    claimed = await create(service, external_id="ada", email="ada@example.com", name="Ada")
    assert [reply.status_code for reply in (made, again, claimed)] == [201, 200, 200]
    assert again.json() == made.json()
    assert claimed.json() == made.json() | {"external_id": "ada", "name": "Ada"}


async def test_somebody_without_id_and_e_mail_can_be_nobody(service: Service) -> None:
    await service.with_catalog()
    assert_problem(await create(service), 422, "email_required", "email")


@pytest.mark.parametrize("external_id", ["anon_1", "a" * 256])
async def test_ids_that_are_ours_or_too_long_are_refused(service: Service, external_id: str) -> None:
    reply = await create(service, external_id=external_id, email="ada@example.com")
    assert_problem(reply, 422, "invalid_external_id", "external_id")


async def test_a_customer_has_an_account_and_is_known_to_stripe(service: Service) -> None:
    await service.with_catalog()
    body = {"external_id": "ada", "user_id": service.made.user_id, "stripe_customer_id": "cus_S1"}
    customer = (await create(service, **body, fingerprint="device-7")).json()
    assert (customer["user_id"], customer["stripe_customer_id"]) == (service.made.user_id, "cus_S1")
    assert customer["fingerprint"] == "device-7"
    taken = await create(service, external_id="eve", stripe_customer_id="cus_S1")
    assert_problem(taken, 409, "stripe_customer_taken", "stripe_customer_id")
    other = await organization(service.container, "Other")
    stranger = await create(service, external_id="eve", user_id=other.user_id)
    assert_problem(stranger, 422, "user_not_found", "user_id")


async def test_more_metadata_than_there_may_be_is_not_put_together_by_a_claim(service: Service) -> None:
    await service.with_catalog()
    await create(service, email="ada@example.com", metadata={f"a{n}": "" for n in range(30)})
    more = {f"b{n}": "" for n in range(30)}
    reply = await create(service, external_id="ada", email="ada@example.com", metadata=more)
    assert_problem(reply, 422, "invalid_value", "metadata")


async def test_the_defaults_can_be_left_out(service: Service) -> None:
    await service.with_catalog()
    without = await create(service, external_id="ada", disable_default=True)
    elsewhere = await create(service, external_id="eve", default_group="books")
    assert without.json()["subscriptions"] == elsewhere.json()["subscriptions"] == []


PAID = {
    "slug": "pro",
    "name": "Pro",
    "is_default": True,
    "force_paid_default": True,
    "prices": [
        {"slug": "pro", "type": "subscription", "amount": 2900, "currency": "usd", "interval": "month"}
    ],
}


async def sells_pro(service: Service) -> None:
    model = {"slug": "standard", "name": "Standard", "is_default": True, "products": [PAID]}
    applied = await service.client.put("/v1/catalog", json={"pricing_models": [model]})
    assert applied.status_code == 200, applied.text
    read = (await service.client.get("/v1/catalog")).json()
    assert read["pricing_models"][0]["products"][0]["force_paid_default"] is True


async def test_a_named_request_whose_reply_waited_for_stripe_is_answered_the_same_again(
    service: Service,
) -> None:
    await sells_pro(service)
    service.client.headers["idempotency-key"] = "k1"
    first = await create(service, external_id="ada")
    again = await create(service, external_id="ada")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["stripe_customer_id"] == service.gateway.customers[0].id
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_named_request_that_broke_off_before_its_reply_is_gone_on_with(service: Service) -> None:
    await sells_pro(service)
    service.client.headers["idempotency-key"] = "k1"
    service.store.first["commit"] = once_and_then_gone()
    assert_problem(await create(service, external_id="ada"), 500, "internal_error")
    del service.store.first["commit"]
    again = await create(service, external_id="ada")
    assert again.status_code == 200  # the customer is known by then
    assert again.json()["stripe_customer_id"] == service.gateway.customers[0].id
    assert (await create(service, external_id="ada")).headers["idempotent-replayed"] == "true"
    assert len(service.gateway.customers) == 1
    told = Counter(event.type for event in service.store.events)
    assert (told["customer.created"], told["customer.updated"]) == (1, 1)


def once_and_then_gone() -> Callable[[], Awaitable[None]]:
    """The first commit gets through, and the process ends before the second."""
    commits = iter((True, False))

    async def commit() -> None:
        if not next(commits):
            raise RuntimeError("the process ends")

    return commit


async def test_named_requests_at_once_have_one_reply(service: Service) -> None:
    await sells_pro(service)
    service.client.headers["idempotency-key"] = "k1"
    replies = await asyncio.gather(*(create(service, external_id="ada") for _ in range(8)))
    assert len({(reply.status_code, reply.content) for reply in replies}) == 1
    assert replies[0].json()["stripe_customer_id"] == service.gateway.customers[0].id
    assert len(service.gateway.customers) == 1
