"""The test cases of document 003, by number and name: HTTP, PostgreSQL, the sandbox."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tests.system.service import Json, Service

ONCE = ("customer.created", "subscription.created", "subscription_item.created")


def price(slug: str, amount: int = 0, **more: Any) -> Json:
    return {
        "slug": slug,
        "type": "subscription",
        "amount": amount,
        "currency": "usd",
        "interval": "month",
        **more,
    }


def default(slug: str, *prices: Json, **more: Any) -> Json:
    return {"slug": slug, "name": slug.title(), "is_default": True, "prices": list(prices), **more}


FREE = default("free", price("free"))
TRIAL = default("tried", price("tried", 4900, trial_days=14, trial_requires_card=False))
PAID = default("paid", price("paid", 2900), force_paid_default=True)
GIVES = (
    default("free", price("free"), features=[{"slug": "messages", "included": 200, "reset": "month"}]),
    default("forum", group="community", features=[{"slug": "posts", "included": 5}]),
)
"""A default product of each of two groups, and what may be used with it."""


async def sells(service: Service, *products: Json) -> None:
    model = {"slug": "standard", "name": "Standard", "is_default": True, "products": list(products)}
    slugs = {given["slug"] for product in products for given in product.get("features", ())}
    features = [{"slug": slug, "name": slug, "type": "metered"} for slug in sorted(slugs)]
    await service.call("PUT", "/v1/catalog", {"pricing_models": [model], "features": features})


async def create(service: Service, external_id: str | None = "ada", **draft: Any) -> tuple[int, Json]:
    reply = await service.api.post("/v1/customers", json={"external_id": external_id, **draft})
    return reply.status_code, reply.json()


async def created(service: Service, external_id: str | None = "ada", **draft: Any) -> Json:
    status, customer = await create(service, external_id, **draft)
    assert status == 201, customer
    return customer


async def at_once(service: Service, *drafts: Json) -> list[Json]:
    """One of them makes the customer, and the others are answered with the same one."""
    answers = await asyncio.gather(*(create(service, **draft) for draft in drafts))
    assert Counter(status for status, _ in answers) == {201: 1, 200: len(drafts) - 1}
    customers = [customer for _, customer in answers]
    assert len({customer["id"] for customer in customers}) == 1
    return customers


async def told(service: Service) -> Counter[str]:
    return Counter(event["type"] for event in await service.events())


def held(customer: Json) -> list[tuple[str, str]]:
    return [(one["product_slug"], one["status"]) for one in customer["subscriptions"]]


async def test_1_create_basic_with_id(service: Service) -> None:
    ada = await created(service, "ada", name="Test Customer", email="ada@example.com")
    assert (ada["external_id"], ada["name"], ada["email"]) == ("ada", "Test Customer", "ada@example.com")
    assert await service.call("GET", "/v1/customers/ada") == ada


async def test_2_create_idempotent_with_same_id(service: Service) -> None:
    ada = await created(service, "ada", name="Ada", email="ada@example.com")
    assert await create(service, "ada", name="Other", email="other@example.com") == (200, ada)


async def test_3_create_with_expand_params(service: Service) -> None:
    ada = await created(service, "ada", expand=["invoices", "trials_used", "entities"])
    assert (ada["invoices"], ada["trials_used"], ada["entities"]) == ([], [], [])
    again = await create(service, "ada", expand=["invoices", "trials_used", "entities"])
    assert again == (200, ada)
    plain = await service.call("GET", "/v1/customers/ada")
    assert not {"invoices", "trials_used", "entities"} & plain.keys()


async def test_4_create_concurrent_same_id(service: Service) -> None:
    await at_once(service, *[{"external_id": "ada", "email": "ada@example.com"}] * 2)
    assert {kind: (await told(service))[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1)


async def test_5_create_null_id_with_email(service: Service) -> None:
    ada = await created(service, None, email="ada@example.com")
    assert (ada["external_id"], ada["email"], held(ada)) == (None, "ada@example.com", [("free", "active")])
    assert await service.call("GET", f"/v1/customers/{ada['id']}") == ada


async def test_6_create_null_id_no_email_error(service: Service) -> None:
    status, problem = await create(service, None)
    assert (status, problem["code"]) == (422, "email_required")
    assert [error["field"] for error in problem["errors"]] == ["email"]
    assert "customer.created" not in await told(service)


async def test_7_create_null_id_idempotent(service: Service) -> None:
    ada = await created(service, None, email="ada@example.com", name="Ada")
    assert await create(service, None, email="ADA@Example.com", name="Other") == (200, ada)


async def test_8_create_null_id_then_add_id(service: Service) -> None:
    before = await created(service, None, email="ada@example.com", metadata={"plan": "gold"})
    status, after = await create(
        service, "ada", email="Ada@example.com", name="Ada", metadata={"plan": "lead", "seat": "7"}
    )
    assert status == 200
    assert after == before | {
        "external_id": "ada",
        "name": "Ada",
        "metadata": {"plan": "gold", "seat": "7"},
    }
    assert await service.call("GET", "/v1/customers/ada") == after
    assert (await told(service))["customer.created"] == 1


async def test_9_create_concurrent_null_id_same_email(service: Service) -> None:
    await at_once(service, *({"external_id": None, "email": email} for email in ("a@b.test", "A@B.TEST")))
    assert {kind: (await told(service))[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1)


async def test_10_defaults_single_free_product(service: Service) -> None:
    await sells(service, FREE)
    ada = await created(service)
    assert held(ada) == [("free", "active")]
    assert len(ada["subscriptions"][0]["items"]) == 1


async def test_11_defaults_multiple_groups(service: Service) -> None:
    await sells(service, FREE, default("forum", group="community"))
    assert held(await created(service)) == [("free", "active"), ("forum", "active")]


async def test_12_defaults_same_group_priority(service: Service) -> None:
    await sells(service, FREE, PAID, TRIAL)
    assert held(await created(service, "first")) == [("tried", "trialing")]
    await sells(service, FREE, PAID)
    assert held(await created(service, "second")) == [("paid", "incomplete")]
    await sells(service, FREE)
    assert held(await created(service, "third")) == [("free", "active")]


async def test_13_defaults_trial_product(service: Service) -> None:
    await sells(service, FREE, TRIAL)
    ada = await created(service, fingerprint="device-7")
    (trial,) = ada["subscriptions"]
    assert held(ada) == [("tried", "trialing")]
    assert trial["trial_ends_at"] == trial["current_period_end"]
    lasts = datetime.fromisoformat(trial["trial_ends_at"]) - datetime.now(UTC)
    assert lasts.days == 13
    assert held(await created(service, "eve", fingerprint="device-7")) == [("free", "active")]


async def test_14_defaults_paid_product(service: Service) -> None:
    await sells(service, PAID)
    ada = await created(service, email="ada@example.com")
    assert held(ada) == [("paid", "incomplete")]
    (invoice,) = (await service.call("GET", "/v1/invoices?customer=ada"))["data"]
    assert (invoice["total"], invoice["amount_due"], invoice["subscription_id"]) == (
        2900,
        2900,
        ada["subscriptions"][0]["id"],
    )
    status, problem = await _catalog(service, {**PAID, "force_paid_default": False})
    assert (status, problem["code"]) == (422, "invalid_catalog")
    assert "force_paid_default" in problem["detail"]


async def _catalog(service: Service, product: Json) -> tuple[int, Json]:
    model = {"slug": "standard", "name": "Standard", "is_default": True, "products": [product]}
    reply = await service.api.put("/v1/catalog", json={"pricing_models": [model]})
    return reply.status_code, reply.json()


async def test_15_defaults_paid_requires_stripe_customer(service: Service) -> None:
    await sells(service, PAID)
    ada = await created(service, email="ada@example.com")
    (at_stripe,) = await service.customers_at_stripe()
    assert ada["stripe_customer_id"] == at_stripe.id
    await service.worker.drain()
    assert len(await service.customers_at_stripe()) == 1


async def test_16_race_stale_cache_detection(service: Service) -> None:
    await sells(service, *GIVES)
    names = [f"ada-{n}" for n in range(8)]
    await asyncio.gather(
        *(created(service, name) for name in names),
        *(finds_all_of_it_or_nobody(service, name) for name in names * 2),
    )
    # Nothing is remembered between two questions: whoever asks next sees what was answered before.
    for n in range(1, 9):
        await service.call("POST", "/v1/track", {"customer": "ada-0", "feature": "messages"})
        asked = {"customer": "ada-0", "feature": "messages"}
        checks = await asyncio.gather(*(service.call("POST", "/v1/check", asked) for _ in range(4)))
        assert [check["balance"]["used"] for check in checks] == [n] * 4


async def finds_all_of_it_or_nobody(service: Service, name: str) -> None:
    """Asks until the customer is there: each answer is of nobody, or of her with all that is hers."""
    found: set[str] = set()
    while len(found) < 4:
        for feature, included in (("messages", 200), ("posts", 5)):
            check = await service.api.post("/v1/check", json={"customer": name, "feature": feature})
            if check.status_code != 404:
                assert (check.status_code, check.json()["allowed"]) == (200, True), check.text
                assert check.json()["balance"]["remaining"] == included
                found.add(feature)
        shown = await service.api.get(f"/v1/customers/{name}")
        if shown.status_code != 404:
            assert held(shown.json()) == [("free", "active"), ("forum", "active")]
            found.add("customer")
        listed = await service.api.get(f"/v1/customers/{name}/balances")
        if listed.status_code != 404:
            assert [one["remaining"] for one in listed.json()["data"]] == [200, 5]
            found.add("balances")


async def test_17_race_concurrent_default_loop(service: Service) -> None:
    await sells(service, *GIVES)

    async def begin() -> Json:
        """Whoever is answered, first or late, has all defaults, and may use what they give."""
        _, ada = await create(service, "ada")
        assert held(ada) == [("free", "active"), ("forum", "active")]
        for feature in ("messages", "posts"):
            asked = {"customer": "ada", "feature": feature, "required": 5}
            assert (await service.call("POST", "/v1/check", asked))["allowed"]
        return ada

    answered = await asyncio.gather(*(begin() for _ in range(12)))
    assert all(ada == answered[0] for ada in answered)
    counted = await told(service)
    kinds = (*ONCE, "balance.granted")
    assert {kind: counted[kind] for kind in kinds} == dict(zip(kinds, (1, 2, 2, 2), strict=True))


async def test_18_race_concurrent_same_id_api_level(service: Service) -> None:
    await sells(service, FREE, default("forum", group="community"))
    answered = await at_once(service, *[{"external_id": "ada"}] * 16)
    assert all(customer == answered[0] for customer in answered)
    assert held(answered[0]) == [("free", "active"), ("forum", "active")]
    counted = await told(service)
    assert {kind: counted[kind] for kind in ONCE} == dict(zip(ONCE, (1, 2, 2), strict=True))


async def test_19_race_concurrent_email_and_id_update(service: Service) -> None:
    before = await created(service, None, email="ada@example.com")
    body = {"external_id": "ada", "email": "ada@example.com", "name": "Ada"}
    answers = await asyncio.gather(*(create(service, **body) for _ in range(16)))
    assert answers == [(200, before | {"external_id": "ada", "name": "Ada"})] * 16
    counted = await told(service)
    assert (counted["customer.created"], counted["subscription.created"]) == (1, 1)
    assert len(await service.customers_at_stripe()) == 1


async def test_20_race_concurrent_stripe_customer(service: Service) -> None:
    await sells(service, PAID)
    answered = await at_once(service, *[{"external_id": "ada", "email": "ada@example.com"}] * 16)
    (at_stripe,) = await service.customers_at_stripe()
    assert {customer["stripe_customer_id"] for customer in answered} == {at_stripe.id}
    counted = await told(service)
    assert [counted[kind] for kind in (*ONCE, "invoice.created", "customer.updated")] == [1] * 5
    assert len(await service.customers_at_stripe()) == 1


WHO = {"customer": "ada", "feature": "messages", "customer_data": {"name": "Ada", "email": "ada@example.com"}}


async def one_customer(service: Service, *answers: Json) -> None:
    """They all are about her, who was made once, with one set of defaults."""
    ada = await service.call("GET", "/v1/customers/ada")
    assert {answer["customer_id"] for answer in answers} == {ada["id"]}
    assert (ada["name"], ada["email"]) == ("Ada", "ada@example.com")
    assert held(ada) == [("free", "active"), ("forum", "active")]
    counted = await told(service)
    kinds = (*ONCE, "balance.granted")
    assert {kind: counted[kind] for kind in kinds} == dict(zip(kinds, (1, 2, 2, 2), strict=True))
    assert len(await service.customers_at_stripe()) == 1


async def test_21_check_autocreate_concurrent_same_customer_id(service: Service) -> None:
    await sells(service, *GIVES)
    checks = await asyncio.gather(*(service.call("POST", "/v1/check", WHO) for _ in range(16)))
    assert [(check["allowed"], check["balance"]["remaining"]) for check in checks] == [(True, 200)] * 16
    await one_customer(service, *checks)


async def test_22_track_autocreate_concurrent_same_customer_id(service: Service) -> None:
    await sells(service, *GIVES)
    amounts = range(1, 17)
    tracks = await asyncio.gather(
        *(service.call("POST", "/v1/track", WHO | {"amount": amount}) for amount in amounts)
    )
    assert [track["recorded"] for track in tracks] == [*amounts]
    balance = (await service.call("POST", "/v1/check", WHO))["balance"]
    assert (balance["used"], balance["remaining"]) == (sum(amounts), 200 - sum(amounts))
    await one_customer(service, *tracks)
