"""/v1/payments: what was paid, and what is given back of it."""

import asyncio
from typing import Any

import pytest

from domain.ids import PaymentId
from tests.builders import suffix
from tests.entrypoints.http.conftest import Service, assert_problem, organization
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of

NOBODYS = PaymentId(f"pay_{suffix(9)}")


async def paid(service: Service, **given: object) -> dict[str, Any]:
    """A payment of 1500 by a stranger, booked from Stripe's webhook."""
    session = await service.open_session(**given)
    service.gateway.succeed(session["payment_intent_id"])
    body = event_of(intent_of(session, service.made.organization_id), id=f"evt_{session['id']}")
    assert (await delivered(service, body)).json()["handled"]
    newest: dict[str, Any] = (await service.client.get("/v1/payments?limit=1")).json()["data"][0]
    return newest


async def refund(service: Service, payment: dict[str, Any], **given: object) -> Any:
    return await service.client.post(f"/v1/payments/{payment['id']}/refunds", json=given)


def refund_event(intent: str, id: str, kind: str = "created", **other: object) -> bytes:
    """A refund as Stripe tells of it, made in the dashboard: without metadata of ours, and without a mode."""
    refund = {
        "id": id,
        "object": "refund",
        "amount": 500,
        "currency": "usd",
        "payment_intent": intent,
        "charge": "ch_1",
        "status": "succeeded",
        "reason": None,
        "metadata": {},
        "livemode": False,  # of the event
        **other,
    }
    return event_of(refund, f"refund.{kind}", id=f"evt_{kind}_{id}")


async def test_a_refund_is_answered_with_how_payment_and_purchase_stand(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    assert (payment["status"], payment["refunded_amount"], payment["refunds"]) == ("succeeded", 0, [])
    reply = await refund(service, payment, amount=400, reason="duplicate", metadata={"ticket": "7"})
    assert reply.status_code == 201
    made = reply.json()
    assert made["id"].startswith("rfd_")
    assert (made["amount"], made["currency"], made["status"]) == (400, "usd", "succeeded")
    assert (made["payment_id"], made["metadata"]) == (payment["id"], {"ticket": "7"})
    assert (made["refunded_amount"], made["purchase_status"]) == (400, "partially_refunded")
    rest = (await refund(service, payment)).json()
    assert (rest["amount"], rest["refunded_amount"], rest["purchase_status"]) == (1100, 1500, "refunded")
    read = (await service.client.get(f"/v1/payments/{payment['id']}")).json()
    assert (read["status"], read["refunded_amount"]) == ("succeeded", 1500)
    assert [one["id"] for one in read["refunds"]] == [made["id"], rest["id"]]
    assert_problem(await refund(service, payment), 422, "refund_exceeds_payment", "amount")


async def test_twenty_requests_of_a_third_each_at_once_and_three_succeed(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    replies = await asyncio.gather(*(refund(service, payment, amount=500) for _ in range(20)))
    assert sorted(reply.status_code for reply in replies) == [201] * 3 + [422] * 17
    assert sum(one.amount for one in service.gateway.refunds_of(payment["payment_intent_id"])) == 1500


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"amount": 1501}, "refund_exceeds_payment", "amount"),
        ({"amount": 0}, "invalid_value", "amount"),
        ({"amount": "5"}, "wrong_type", "amount"),
        ({"amount": 1.5}, "wrong_type", "amount"),
        ({"reason": "boredom"}, "invalid_value", "reason"),
        ({"amout": 5}, "unknown_field", "amout"),
    ],
)
async def test_what_cannot_be_refunded_is_refused_by_name_and_changes_nothing(
    service: Service, given: dict[str, object], code: str, field: str
) -> None:
    await service.with_catalog()
    payment = await paid(service)
    before = service.store.events
    assert_problem(await refund(service, payment, **given), 422, code, field)
    assert service.store.events == before


async def test_a_payment_that_has_not_succeeded_is_not_refundable(service: Service) -> None:
    await service.with_catalog()
    session = await service.open_session()
    processing = intent_of(session, service.made.organization_id, status="processing")
    await delivered(service, event_of(processing, "payment_intent.processing"))
    (payment,) = (await service.client.get("/v1/payments")).json()["data"]
    assert_problem(await refund(service, payment), 409, "payment_not_refundable")


async def test_what_stripe_refuses_is_told_in_its_words(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    service.gateway.refund(payment["payment_intent_id"], 1500)
    problem = assert_problem(await refund(service, payment), 422, "refund_refused")
    assert "greater than unrefunded amount" in problem["detail"]
    read = (await service.client.get(f"/v1/payments/{payment['id']}")).json()
    assert (read["refunded_amount"], read["refunds"][0]["status"]) == (0, "failed")


async def test_while_stripe_does_not_answer_the_refund_is_pending(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    service.gateway.fail_next("before")
    reply = await refund(service, payment)
    assert reply.status_code == 201
    assert (reply.json()["status"], reply.json()["stripe_refund_id"]) == ("pending", None)
    assert_problem(await refund(service, payment), 422, "refund_exceeds_payment", "amount")


async def test_payments_are_listed_by_pages_newest_first(service: Service) -> None:
    await service.with_catalog()
    made = [(await paid(service))["id"] for _ in range(3)]
    first = (await service.client.get("/v1/payments?limit=2")).json()
    assert [payment["id"] for payment in first["data"]] == made[:0:-1]
    rest = (await service.client.get(f"/v1/payments?limit=2&cursor={first['next_cursor']}")).json()
    assert [payment["id"] for payment in rest["data"]] == made[:1]
    assert rest["next_cursor"] is None
    for query, code, field in (
        ("limit=0", "invalid_value", "limit"),
        ("limit=101", "invalid_value", "limit"),
        ("cursor=pay_1", "invalid_id", "cursor"),
        ("after=1", "unknown_field", "after"),
    ):
        assert_problem(await service.client.get(f"/v1/payments?{query}"), 422, code, field)


async def test_another_organization_or_mode_finds_nothing(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    other = await organization(service.container, "Other")
    for key in (service.made.live_key, other.test_key, other.live_key):
        service.client.headers["authorization"] = f"Bearer {key}"
        assert (await service.client.get("/v1/payments")).json() == {"data": [], "next_cursor": None}
        assert_problem(await service.client.get(f"/v1/payments/{payment['id']}"), 404, "payment_not_found")
        assert_problem(await refund(service, payment), 404, "payment_not_found")
    service.client.headers["authorization"] = f"Bearer {service.made.test_key}"
    assert_problem(await refund(service, {"id": NOBODYS}), 404, "payment_not_found")
    assert_problem(await refund(service, {"id": "pay_1"}), 422, "invalid_id", "id")


async def test_a_refund_of_the_dashboard_comes_by_webhook_and_may_fail_later(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    intent = payment["payment_intent_id"]
    for _ in range(2):
        assert (await delivered(service, refund_event(intent, "re_1"))).json()["handled"]
    read = (await service.client.get(f"/v1/payments/{payment['id']}")).json()
    assert (read["refunded_amount"], read["refunds"][0]["id"]) == (500, "re_1")
    failed = refund_event(intent, "re_1", "failed", status="failed", failure_reason="lost_or_stolen_card")
    assert (await delivered(service, failed)).json()["handled"]
    read = (await service.client.get(f"/v1/payments/{payment['id']}")).json()
    assert (read["refunded_amount"], read["refunds"][0]["failure_reason"]) == (0, "lost_or_stolen_card")


async def test_a_refund_that_is_nobodys_is_kept_and_one_without_an_intent_is_of_no_concern(
    service: Service,
) -> None:
    told = await delivered(service, refund_event("pi_nowhere", "re_1"))
    assert told.json() == {"handled": False, "reason": "payment_intent_not_ours"}
    (row,) = service.store.inbox
    assert (row.id, row.refusal) == ("evt_created_re_1", "payment_intent_not_ours")
    told = await delivered(service, refund_event("pi_nowhere", "re_2", payment_intent=None))
    assert told.json() == {"handled": False, "reason": "ignored"}


async def test_stripe_is_to_tell_again_while_it_cannot_be_asked_whose_a_refund_is(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    event = refund_event(payment["payment_intent_id"], "re_1")
    service.gateway.fail_next("before")
    assert_problem(await delivered(service, event), 503, "payment_provider_unavailable")
    assert (await delivered(service, event)).json()["handled"]


async def named(service: Service, payment: dict[str, Any], **given: object) -> Any:
    """The same request each time."""
    headers = {"idempotency-key": "refund-of-order-7"}
    return await service.client.post(f"/v1/payments/{payment['id']}/refunds", json=given, headers=headers)


async def test_a_named_refund_is_made_once_and_answered_the_same_again(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    first = await named(service, payment, amount=500)
    again = await named(service, payment, amount=500)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert len(service.gateway.refunds_of(payment["payment_intent_id"])) == 1
    assert_problem(
        await named(service, payment, amount=501), 422, "idempotency_key_reused", "Idempotency-Key"
    )


async def test_a_named_refund_that_had_no_answer_is_gone_on_with(service: Service) -> None:
    await service.with_catalog()
    payment = await paid(service)
    commits = 0

    async def second_breaks() -> None:
        nonlocal commits
        commits += 1
        if commits == 2:
            raise RuntimeError("killed")

    service.store.first["commit"] = second_breaks
    assert_problem(await named(service, payment), 500, "internal_error")
    reply = await named(service, payment)
    assert (reply.status_code, reply.json()["status"]) == (201, "succeeded")
    assert len(service.gateway.refunds_of(payment["payment_intent_id"])) == 1
    assert (await named(service, payment)).content == reply.content


async def test_a_named_refund_that_stripe_did_not_answer_is_answered_as_pending_again(
    service: Service,
) -> None:
    await service.with_catalog()
    payment = await paid(service)
    service.gateway.fail_next("after")
    replies = [await named(service, payment) for _ in range(2)]
    assert [(reply.status_code, reply.json()["status"]) for reply in replies] == [(201, "pending")] * 2
    assert len(service.gateway.refunds_of(payment["payment_intent_id"])) == 1


async def test_a_named_refund_that_stripe_refuses_is_refused_again_in_the_same_words(
    service: Service,
) -> None:
    await service.with_catalog()
    payment = await paid(service)
    service.gateway.refund(payment["payment_intent_id"], 1500)
    first, again = [assert_problem(await named(service, payment), 422, "refund_refused") for _ in range(2)]
    assert first["detail"] == again["detail"]
    (refund,) = (await service.client.get(f"/v1/payments/{payment['id']}")).json()["refunds"]
    assert (refund["failure_reason"], refund["failure_message"]) == ("refused", first["detail"])
