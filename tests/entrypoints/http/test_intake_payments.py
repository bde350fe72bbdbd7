"""/v1/intake-payments: what is asked of people by e-mail."""

import asyncio
from typing import Any

import httpx
import pytest

from domain.intake_payment import IntakePayment
from domain.money import MAX_AMOUNT
from tests.builders import suffix
from tests.entrypoints.http.conftest import Service, assert_problem, organization
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of

ASKED: dict[str, Any] = {
    "email": "bob@example.test",
    "amount": 2500,
    "currency": "usd",
    "description": "Consultation",
}
NOBODYS = f"intake_{suffix(9)}"
OWNER = "owner@example.com"


async def ask(service: Service, **given: object) -> dict[str, Any]:
    reply = await service.client.post("/v1/intake-payments", json={**ASKED, **given})
    assert reply.status_code == 201, reply.text
    asked: dict[str, Any] = reply.json()
    return asked


def paid_intent(asked: dict[str, Any], organization_id: str, **other: object) -> dict[str, Any]:
    """The payment intent of an intake payment, paid, as Stripe describes it."""
    marks = {
        "organization_id": organization_id,
        "livemode": "false",
        "intake_payment_id": asked["id"],
        "type": "intake_payment",
    }
    known = {"metadata": marks, "customer": asked["stripe_customer_id"]}
    return intent_of(asked, organization_id, **{**known, **other})


async def told(service: Service, asked: dict[str, Any], **other: object) -> dict[str, Any]:
    """Stripe's webhook says that it is paid, or whatever else."""
    intent = paid_intent(asked, service.made.organization_id, **other)
    reply = await delivered(service, event_of(intent, id=f"evt_{asked['id']}_{len(other)}"))
    answer: dict[str, Any] = reply.json()
    return answer


async def read(service: Service, path: str) -> Any:
    reply = await service.client.get(path)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_somebody_is_asked_and_pays(service: Service) -> None:
    asked = await ask(service, name="Bob", metadata={"matter": "7"})
    assert asked["url"] == f"https://pay.example.com/pay/{asked['id']}"
    assert (asked["status"], asked["amount"], asked["currency"]) == ("open", 2500, "usd")
    assert (asked["email"], asked["name"], asked["metadata"]) == ("bob@example.test", "Bob", {"matter": "7"})
    assert (asked["user_id"], asked["payment_id"], asked["completed_at"]) == (None, None, None)
    assert asked["client_secret"] == f"{asked['payment_intent_id']}_secret"
    assert asked["stripe_customer_id"] == service.gateway.payers[0].id
    assert await read(service, f"/v1/intake-payments/{asked['id']}") == asked
    assert (await told(service, asked))["handled"]
    paid = await read(service, f"/v1/intake-payments/{asked['id']}")
    assert paid["status"] == "succeeded"
    payment = await read(service, f"/v1/payments/{paid['payment_id']}")
    assert (payment["intake_payment_id"], payment["customer_id"]) == (asked["id"], None)
    assert (await read(service, "/v1/customers"))["data"] == []


async def test_who_has_an_account_pays_as_themselves(service: Service) -> None:
    asked = await ask(service, email="OWNER@example.com")
    assert asked["user_id"] == service.made.user_id
    assert asked["stripe_customer_id"] == service.gateway.users[0].id


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"email": "bob"}, "invalid_value", "email"),
        ({"amount": 0}, "invalid_value", "amount"),
        ({"amount": -1}, "invalid_value", "amount"),
        ({"amount": MAX_AMOUNT + 1}, "invalid_value", "amount"),
        ({"amount": 1.5}, "wrong_type", "amount"),
        ({"currency": "USD"}, "invalid_value", "currency"),
        ({"currency": "dollars"}, "invalid_value", "currency"),
        ({"description": ""}, "invalid_value", "description"),
        ({"description": "x" * 501}, "invalid_value", "description"),
        ({"description": None}, "wrong_type", "description"),
        ({"success_url": "javascript:alert(1)"}, "invalid_value", "success_url"),
        ({"metadata": {"matter": 7}}, "wrong_type", "metadata"),
        ({"name": "x\x00"}, "invalid_value", "name"),
        ({"user_id": "usr_1"}, "unknown_field", "user_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_asked_wrongly_is_refused_by_name(
    service: Service, wrong: dict[str, object], code: str, field: str
) -> None:
    reply = await service.client.post("/v1/intake-payments", json={**ASKED, **wrong})
    problem = assert_problem(reply, 422, code, reply.json()["errors"][0]["field"])
    assert problem["errors"][0]["field"].startswith(field)
    assert not [state for state in service.store.states if isinstance(state, IntakePayment)]


@pytest.mark.parametrize("left_out", [*ASKED])
async def test_what_is_left_out_is_named(service: Service, left_out: str) -> None:
    given = {name: value for name, value in ASKED.items() if name != left_out}
    reply = await service.client.post("/v1/intake-payments", json=given)
    assert_problem(reply, 422, "missing_field", left_out)


async def test_the_same_named_request_asks_once_and_goes_on_after_stripe_was_down(service: Service) -> None:
    async def named() -> httpx.Response:
        headers = {"idempotency-key": "k-1"}
        return await service.client.post("/v1/intake-payments", json=ASKED, headers=headers)

    for moment in ("before", "after"):
        service.gateway.fail_next(moment)
        assert_problem(await named(), 503, "payment_provider_unavailable")
    (begun,) = (await read(service, "/v1/intake-payments"))["data"]
    assert (begun["status"], begun["payment_intent_id"]) == ("open", None)
    answers = [await named(), *await asyncio.gather(*(named() for _ in range(4)))]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["id"] == begun["id"]
    assert len(service.gateway.payers) == 1


async def test_it_is_taken_back(service: Service) -> None:
    asked = await ask(service)
    address = f"/v1/intake-payments/{asked['id']}/cancel"
    canceled = await service.client.post(address)
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    again = await service.client.post(address)
    assert (again.status_code, again.content) == (200, canceled.content)
    assert (await told(service, asked))["handled"]
    assert (await read(service, f"/v1/intake-payments/{asked['id']}"))["status"] == "succeeded"
    assert_problem(await service.client.post(address), 409, "intake_payment_not_open")


async def test_what_is_not_there_is_not_found(service: Service) -> None:
    for method, path in (
        ("GET", f"/v1/intake-payments/{NOBODYS}"),
        ("POST", f"/v1/intake-payments/{NOBODYS}/cancel"),
    ):
        assert_problem(await service.client.request(method, path), 404, "intake_payment_not_found")
    assert_problem(await service.client.get("/v1/intake-payments/pay_1"), 422, "invalid_id", "id")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": 2499}, "amount_mismatch"),
        ({"customer": "cus_other"}, "stripe_customer_mismatch"),
        ({"id": "pi_other"}, "payment_intent_mismatch"),
    ],
    ids=["amount", "customer", "intent"],
)
async def test_what_does_not_fit_is_kept_in_the_inbox(
    service: Service, wrong: dict[str, object], code: str
) -> None:
    asked = await ask(service)
    assert await told(service, asked, **wrong) == {"handled": False, "reason": code}
    (kept,) = (await read(service, "/v1/stripe/inbox"))["data"]
    assert kept["refusal"] == code
    assert (await read(service, f"/v1/intake-payments/{asked['id']}"))["status"] == "open"


async def test_an_intent_of_nobodys_is_kept(service: Service) -> None:
    asked = await ask(service)
    answer = await told(service, {**asked, "id": NOBODYS})
    assert answer == {"handled": False, "reason": "intake_payment_unknown"}


async def test_lists_by_user_address_and_status_page_by_page(service: Service) -> None:
    asked = [await ask(service, email=email) for email in (OWNER, "eve@example.test") * 2]
    await told(service, asked[0])
    ids = [one["id"] for one in asked][::-1]

    async def found(query: str) -> list[str]:
        return [row["id"] for row in (await read(service, f"/v1/intake-payments?{query}"))["data"]]

    assert await found("") == ids
    assert await found(f"user={service.made.user_id}") == ids[1::2]
    assert await found("email=EVE@example.test") == ids[0::2]
    assert await found("status=succeeded") == ids[3:]
    assert await found(f"user={service.made.user_id}&status=open") == [ids[1]]
    first = await read(service, "/v1/intake-payments?limit=3")
    rest = await read(service, f"/v1/intake-payments?limit=3&cursor={first['next_cursor']}")
    assert [row["id"] for row in first["data"] + rest["data"]] == ids
    assert rest["next_cursor"] is None


async def test_a_users_payments_are_their_history(service: Service) -> None:
    await service.with_catalog()
    customer = {"external_id": "owner-1", "user_id": service.made.user_id}
    assert (await service.client.post("/v1/customers", json=customer)).status_code == 201
    session = await service.open_session(anonymous=False, customer="owner-1")
    body = event_of(intent_of(session, service.made.organization_id), id="evt_of_the_session")
    assert (await delivered(service, body)).json()["handled"]
    asked = await ask(service, email=OWNER)
    await told(service, asked)
    await told(service, await ask(service))
    history = (await read(service, f"/v1/payments?user={service.made.user_id}"))["data"]
    assert [payment["amount"] for payment in history] == [2500, 1500]
    assert [payment["intake_payment_id"] for payment in history] == [asked["id"], None]


async def test_what_is_listed_wrongly_is_refused_by_name(service: Service) -> None:
    for query, code, field in (
        ("limit=0", "invalid_value", "limit"),
        ("cursor=evt_1", "invalid_id", "cursor"),
        ("user=a%20b", "invalid_id", "user"),
        ("user=nobody", "user_not_found", "user"),
        (f"user=usr_{suffix(9)}", "user_not_found", "user"),
        ("email=bob", "invalid_value", "email"),
        ("status=paid", "invalid_value", "status"),
        ("state=open", "unknown_field", "state"),
    ):
        assert_problem(await service.client.get(f"/v1/intake-payments?{query}"), 422, code, field)
    for query, code in (
        ("user=nobody", "user_not_found"),
        (f"user={service.made.user_id}&customer=nobody", "customer_or_user"),
    ):
        assert_problem(await service.client.get(f"/v1/payments?{query}"), 422, code, "user")


async def test_another_organization_and_the_other_mode_see_nothing(service: Service) -> None:
    asked = await ask(service)
    other = await organization(service.container, "Other")
    for key in (other.test_key, service.made.live_key):
        service.client.headers["authorization"] = f"Bearer {key}"
        assert (await read(service, "/v1/intake-payments"))["data"] == []
        reply = await service.client.get(f"/v1/intake-payments/{asked['id']}")
        assert_problem(reply, 404, "intake_payment_not_found")


async def test_what_was_paid_is_given_back_as_every_payment_is(service: Service) -> None:
    asked = await ask(service)
    service.gateway.succeed(asked["payment_intent_id"])
    await told(service, asked)
    (payment,) = (await read(service, "/v1/payments"))["data"]
    refund = await service.client.post(f"/v1/payments/{payment['id']}/refunds", json={"amount": 1000})
    assert (refund.status_code, refund.json()["refunded_amount"]) == (201, 1000)
    assert refund.json()["purchase_id"] is None


async def test_events_tell_of_it_without_its_secret(service: Service) -> None:
    asked = await ask(service)
    await told(service, asked)
    await service.store.sequence(1000)
    reply = await service.client.get(f"/v1/events?subject={asked['id']}")
    assert [event["type"] for event in reply.json()["data"]] == [
        "intake_payment.created",
        "intake_payment.updated",
        "intake_payment.succeeded",
    ]
    assert asked["client_secret"] not in reply.text
