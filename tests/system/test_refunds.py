"""Money that goes back, end to end: HTTP, PostgreSQL, the sandbox Stripe, its signed webhooks."""

import asyncio
from collections import Counter

from adapters.sandbox import Disconnect
from tests.system.service import Json, Service


async def deliver_all(service: Service) -> None:
    """Everything Stripe has to tell, each event twice and the last one first: their order says nothing."""
    events = service.sandbox.take_events()
    for event in [*reversed(events), *events]:
        reply = await service.deliver(event)
        assert reply.status_code == 200
        assert reply.json()["reason"] in (None, "ignored"), (event["type"], reply.text)


async def paid(service: Service, method: str = "pm_card_visa") -> Json:
    session = await service.open_checkout(quantity=3)
    assert await service.pay(session, method) == "succeeded"
    await deliver_all(service)
    payment: Json = (await service.call("GET", "/v1/payments?limit=1"))["data"][0]
    assert (payment["amount"], payment["status"]) == (5997, "succeeded")
    return payment


async def standing(service: Service, payment: Json) -> tuple[int, str]:
    """What went back of it, and how its purchase stands: the last that was told of it."""
    now = await service.call("GET", f"/v1/payments/{payment['id']}")
    told = [event for event in await service.events() if event["subject"]["id"] == payment["purchase_id"]]
    return now["refunded_amount"], told[-1]["data"]["object"]["status"]


async def test_a_part_by_the_api_the_rest_in_the_dashboard_and_one_fails_later(service: Service) -> None:
    payment = await paid(service)
    path = f"/v1/payments/{payment['id']}"
    part = await service.call("POST", f"{path}/refunds", {"amount": 1999, "reason": "duplicate"}, expect=201)
    assert (part["status"], part["purchase_status"]) == ("succeeded", "partially_refunded")
    await deliver_all(service)
    assert await standing(service, payment) == (1999, "partially_refunded")

    rest = await service.buyer.v1.refunds.create_async({"payment_intent": payment["payment_intent_id"]})
    await deliver_all(service)
    assert await standing(service, payment) == (5997, "refunded")
    assert [refund["id"] for refund in (await service.call("GET", path))["refunds"]] == [rest.id, part["id"]]

    service.sandbox.settle_refund(rest.id, "failed")
    await deliver_all(service)
    assert await standing(service, payment) == (1999, "partially_refunded")
    again = await service.call("POST", f"{path}/refunds", {}, expect=201)
    assert (again["amount"], again["purchase_status"]) == (3998, "refunded")
    await deliver_all(service)

    told = Counter(event["type"] for event in await service.events())
    assert (told["purchase.completed"], told["payment.succeeded"]) == (1, 1)
    assert (told["payment.refunded"], told["payment.refund_failed"]) == (3, 1)


async def test_twenty_refunds_of_a_third_each_at_once_and_three_succeed(service: Service) -> None:
    payment = await paid(service)
    path = f"/v1/payments/{payment['id']}/refunds"
    replies = await asyncio.gather(*(service.api.post(path, json={"amount": 1999}) for _ in range(20)))
    assert sorted(reply.status_code for reply in replies) == [201] * 3 + [422] * 17
    assert {reply.json()["code"] for reply in replies if reply.is_error} == {"refund_exceeds_payment"}
    await deliver_all(service)
    made = await service.buyer.v1.refunds.list_async({"payment_intent": payment["payment_intent_id"]})
    assert [refund.amount for refund in made.data] == [1999] * 3
    assert await standing(service, payment) == (5997, "refunded")


async def test_a_dispute_is_opened_and_lost_and_what_is_disputed_is_not_refunded(service: Service) -> None:
    payment = await paid(service, "pm_card_createDispute")
    path = f"/v1/payments/{payment['id']}"
    (opened,) = (await service.call("GET", path))["disputes"]
    assert (opened["status"], opened["reason"]) == ("open", "fraudulent")
    refused = await service.call("POST", f"{path}/refunds", {}, expect=422)
    assert refused["code"] == "refund_refused"
    assert "charge_disputed" in refused["detail"]
    service.sandbox.close_dispute(opened["id"], "lost")
    await deliver_all(service)
    assert [dispute["status"] for dispute in (await service.call("GET", path))["disputes"]] == ["lost"]
    told = Counter(event["type"] for event in await service.events())
    assert (told["payment.disputed"], told["dispute.closed"]) == (1, 1)
    assert await standing(service, payment) == (0, "paid")


async def test_a_refund_whose_answer_is_lost_is_made_once(service: Service) -> None:
    """A refund without an idempotency key would be made again when it is asked for again."""
    payment = await paid(service)
    path = f"/v1/payments/{payment['id']}"
    with service.sandbox.misbehave(Disconnect(path="/v1/refunds", moment="after", times=1)):
        made = await service.call("POST", f"{path}/refunds", {"amount": 1000}, expect=201)
    assert made["status"] == "succeeded"
    at_stripe = await service.buyer.v1.refunds.list_async({"payment_intent": payment["payment_intent_id"]})
    assert [refund.id for refund in at_stripe.data] == [made["stripe_refund_id"]]
