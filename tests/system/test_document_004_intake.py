"""Document 004's lines about intake payments, by their words: HTTP, PostgreSQL, the sandbox, the worker."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from adapters.sandbox import Disconnect, Fail, Fault, RateLimit
from tests.system.service import Json, Service

REGISTERED = "owner@acme.example"
"""Of the organization's owner, who is a user like others; Stripe does not know them yet."""

ANYBODY = "bob@example.com"
DRAFT = {"amount": 2500, "currency": "usd", "description": "Consultation"}


async def ask(service: Service, email: str, **given: object) -> Json:
    draft = {**DRAFT, "email": email, **given}
    return await service.call("POST", "/v1/intake-payments", draft, expect=201)


async def paid(service: Service, asked: Json) -> Json:
    """They pay, and Stripe tells of it."""
    assert await service.pay(asked, "pm_card_visa") == "succeeded"
    for event in (await service.buyer.v1.events.list_async({"limit": 100})).data:
        if event.type.startswith("payment_intent."):
            assert (await service.deliver(event.to_dict())).json()["handled"]
    return await service.call("GET", f"/v1/intake-payments/{asked['id']}")


async def intents(service: Service) -> list[Json]:
    return [intent.to_dict() for intent in (await service.buyer.v1.payment_intents.list_async()).data]


async def customers(service: Service) -> list[Json]:
    return [customer.to_dict() for customer in await service.customers_at_stripe()]


async def test_intake_payments_use_users_customer_when_logged_in(service: Service) -> None:
    first, second = await ask(service, REGISTERED), await ask(service, "OWNER@acme.example")
    (customer,) = await customers(service)
    for asked in (first, second):
        assert asked["stripe_customer_id"] == customer["id"]
        assert asked["user_id"] == customer["metadata"]["user_id"]
    assert (customer["email"], customer["metadata"]["source"]) == (REGISTERED, "platform_signup")
    assert {intent["customer"] for intent in await intents(service)} == {customer["id"]}


async def test_intake_payment_uses_correct_customer_of_a_registered_user(service: Service) -> None:
    asked = await ask(service, REGISTERED)
    await ask(service, ANYBODY)
    (intent,) = [one for one in await intents(service) if one["id"] == asked["payment_intent_id"]]
    assert intent["customer"] == asked["stripe_customer_id"]
    assert intent["metadata"]["intake_payment_id"] == asked["id"]


async def test_if_no_search_or_create_anonymous_customer(service: Service) -> None:
    known = await service.call("POST", "/v1/customers", {"external_id": "ada", "email": ANYBODY}, expect=201)
    await service.worker.drain()
    known = await service.call("GET", f"/v1/customers/{known['id']}")
    found = await ask(service, ANYBODY)
    assert found["stripe_customer_id"] == known["stripe_customer_id"]
    made = await ask(service, "carol@example.com")
    again = await ask(service, "carol@example.com")
    assert made["stripe_customer_id"] == again["stripe_customer_id"] != known["stripe_customer_id"]
    assert (made["user_id"], found["user_id"]) == (None, None)
    assert len(await customers(service)) == 2


async def test_add_customer_parameter_to_payment_intent_and_store_it_in_intake_payment_record(
    service: Service,
) -> None:
    asked = await ask(service, ANYBODY)
    (intent,) = await intents(service)
    assert intent["customer"] == asked["stripe_customer_id"] is not None
    read = await service.call("GET", f"/v1/intake-payments/{asked['id']}")
    assert read["stripe_customer_id"] == intent["customer"]


async def test_track_payment_history_per_user(service: Service) -> None:
    """What was asked of them and what they have paid, and who did what, as an audit wants it."""
    asked = [await ask(service, REGISTERED, description=words) for words in ("First", "Second")]
    await paid(service, await ask(service, ANYBODY))
    done = await paid(service, asked[0])
    user = done["user_id"]
    listed = await service.call("GET", f"/v1/intake-payments?user={user}")
    assert [one["id"] for one in listed["data"]] == [asked[1]["id"], asked[0]["id"]]
    history = await service.call("GET", f"/v1/payments?user={user}")
    assert [one["id"] for one in history["data"]] == [done["payment_id"]]
    told = [event for event in await service.events() if event["subject"]["id"] == asked[0]["id"]]
    assert [event["type"] for event in told] == [
        "intake_payment.created",
        "intake_payment.updated",
        "intake_payment.succeeded",
    ]
    assert told[0]["actor"]["type"] == "user"
    assert told[0]["request_id"] is not None


async def test_reuse_customer_for_intake_payments(service: Service) -> None:
    """However many are asked for at once, of a user and of anybody."""
    for email in (REGISTERED, ANYBODY):
        asked = await asyncio.gather(*(ask(service, email) for _ in range(8)))
        assert len({one["stripe_customer_id"] for one in asked}) == 1
        assert len({one["payment_intent_id"] for one in asked}) == 8
    assert len(await customers(service)) == 2


FAULTS: dict[str, Callable[[], Fault]] = {
    "down": lambda: Disconnect(path="/v1/customers", times=3),
    "down after it has acted": lambda: Disconnect(
        path="/v1/customers", method="POST", moment="after", times=3
    ),
    "at fault": lambda: Fail(path="/v1/customers", times=3),
    "limiting": lambda: RateLimit(path="/v1/customers", times=3),
    "down for the intent": lambda: Disconnect(path="/v1/payment_intents", times=3),
    "down after it has made the intent": lambda: Disconnect(
        path="/v1/payment_intents", moment="after", times=3
    ),
}


@pytest.mark.parametrize("email", [REGISTERED, ANYBODY], ids=["a user", "anybody"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_stripe_failures_leave_one_customer_and_one_intent_in_the_end(
    service: Service, fault: str, email: str
) -> None:
    """Whoever names the request sends it again until it is answered, and has one intake payment."""

    async def named() -> httpx.Response:
        headers = {"Idempotency-Key": "the-invoice"}
        return await service.api.post("/v1/intake-payments", json={**DRAFT, "email": email}, headers=headers)

    service.sandbox.misbehave(FAULTS[fault]())
    answers = [await named() for _ in range(4)]
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert answers[-1].status_code == 201, answers[-1].text
    (asked,) = (await service.call("GET", "/v1/intake-payments"))["data"]
    (customer,) = await customers(service)
    (intent,) = await intents(service)
    assert intent["customer"] == customer["id"] == asked["stripe_customer_id"]
    assert intent["id"] == asked["payment_intent_id"]
