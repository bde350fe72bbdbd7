"""The whole service beside a Stripe that loses, repeats, delays and reorders what it tells."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.sandbox import Delay, Disconnect, Drop, Duplicate, Fault, RateLimit, Reorder
from tests.databases import Database
from tests.system.service import Json, Service, running_service

ONCE = ("customer.created", "purchase.completed", "payment.succeeded", "checkout_session.succeeded")


@pytest.fixture
async def service(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    """Its webhooks are sent by the sandbox itself."""
    async with running_service(fresh_database, tmp_path, deliver=True) as running:
        yield running


async def pay(service: Service) -> Json:
    """A session that is declined once, then paid."""
    session = await service.open_checkout(customer_email="ada@example.com")
    assert await service.pay(session, "pm_card_chargeDeclined") == "card_declined"
    assert await service.pay(session, "pm_card_visa") == "succeeded"
    await service.sandbox.drain()
    return session


async def status(service: Service, session: Json) -> str:
    return str((await service.call("GET", f"/v1/checkout-sessions/{session['id']}"))["status"])


async def assert_booked_once(service: Service, session: Json) -> None:
    assert await status(service, session) == "succeeded"
    counted = Counter(event["type"] for event in await service.events())
    assert {kind: counted[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1)
    assert counted["payment.failed"] <= 1


@pytest.mark.parametrize(
    "fault",
    [
        Duplicate(type="payment_intent.*", copies=3, times="always"),
        Reorder(type="payment_intent.*", events=3),
        Drop(type="payment_intent.payment_failed"),
        Drop(type="payment_intent.created"),
    ],
    ids=["duplicated", "reordered", "failure lost", "creation lost"],
)
async def test_webhooks_that_come_twice_or_in_another_order_or_not_at_all_book_one_payment(
    service: Service, fault: Fault
) -> None:
    service.sandbox.misbehave(fault)
    await assert_booked_once(service, await pay(service))


async def test_a_payment_whose_webhook_is_late_is_booked_when_it_comes(service: Service) -> None:
    with service.sandbox.misbehave(Delay(type="payment_intent.succeeded")):
        session = await pay(service)
        assert await status(service, session) == "open"
    await service.sandbox.drain()
    await assert_booked_once(service, session)


async def test_a_payment_whose_webhooks_are_all_lost_is_booked_by_the_buyers_return(service: Service) -> None:
    with service.sandbox.misbehave(Drop(times="always")):
        session = await pay(service)
    assert await status(service, session) == "open"
    assert (await service.api.get(f"/checkout/{session['id']}/return")).status_code == 200
    await assert_booked_once(service, session)


@pytest.mark.parametrize(
    "fault", [Disconnect(method="POST", moment="after", times=3), RateLimit(method="POST")]
)
async def test_a_checkout_that_stripe_did_not_answer_leaves_nothing_in_the_way_of_the_next(
    service: Service, fault: Fault
) -> None:
    service.sandbox.misbehave(fault)
    draft = {"type": "product", "price": "course", "anonymous": True}
    refused = await service.call("POST", "/v1/checkout-sessions", draft, expect=503)
    assert refused["code"] == "payment_provider_unavailable"
    await assert_booked_once(service, await pay(service))
