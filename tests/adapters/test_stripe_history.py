"""What has happened at Stripe, read from the sandbox afterwards as a webhook would tell it; what we ask is
held against Stripe's own description."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from msgspec.structs import replace

from adapters.sandbox import Exchange, Fail, Sandbox
from adapters.stripe.connection import StripeAccount
from adapters.stripe.gateway import StripeGateway
from adapters.stripe.webhooks import StripeWebhookReader
from application.ports import CustomerAtStripe, HistoryKind, Period, ToldByStripe
from domain.effects import CreateStripeCustomer
from domain.errors import Unavailable
from domain.ids import CustomerId, UserId
from tests.adapters.test_stripe_gateway import ORGANIZATION, RETURN, SESSION
from tests.builders import suffix
from tests.stripe_contract.contract import stripe_contract

CUSTOMER = CreateStripeCustomer(CustomerId(f"cus_{suffix()}"), None, None, None)
NOW = datetime.now(UTC)
PERIOD = Period(NOW - timedelta(hours=1), NOW + timedelta(hours=1))


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
async def sandbox(exchanges: list[Exchange]) -> AsyncIterator[Sandbox]:
    async with Sandbox(on_exchange=exchanges.append, deliver=False) as running:
        yield running
    for exchange in exchanges:
        stripe_contract().check_request(exchange.method, exchange.path, exchange.pairs)


@pytest.fixture
async def gateway(sandbox: Sandbox) -> AsyncIterator[StripeGateway]:
    opened = StripeGateway(StripeAccount(sandbox.secret_key), None, sandbox.url, timeout_seconds=5)
    yield opened
    await opened.close()


@pytest.fixture
async def dashboard(sandbox: Sandbox) -> AsyncIterator[Any]:
    """Whoever acts at Stripe without us: the buyer, and the seller in the dashboard."""
    http = stripe.AIOHTTPClient()
    yield stripe.StripeClient(
        sandbox.secret_key, base_addresses={"api": sandbox.url}, http_client=http, max_network_retries=0
    )
    await http.close_async()  # type: ignore[no-untyped-call]  # the SDK gives it no types


async def told(
    gateway: StripeGateway, kind: HistoryKind, period: Period = PERIOD, *, livemode: bool = False
) -> list[ToldByStripe]:
    """All of it, oldest first."""
    found: list[ToldByStripe] = []
    after: str | None = None
    while True:
        page = await gateway.history(kind, period, livemode=livemode, after=after)
        found += page.told
        if (after := page.after) is None:
            return found[::-1]


async def paid(gateway: StripeGateway, dashboard: Any, method: str = "pm_card_visa") -> str:
    made = await gateway.create_intent(SESSION, None, SESSION.id)
    await dashboard.v1.payment_intents.confirm_async(
        made.id, {"payment_method": method, "return_url": RETURN}
    )
    return made.id


async def test_events_tell_what_their_webhooks_told(
    gateway: StripeGateway, sandbox: Sandbox, dashboard: Any
) -> None:
    intent = await paid(gateway, dashboard, "pm_card_createDispute")
    reader = StripeWebhookReader(sandbox.webhook_secret, None)
    notices = []
    for event in sandbox.take_events():
        signed = sandbox.signed(event)
        notices.append(reader.read(signed.body, dict(signed.headers)["Stripe-Signature"]))
    read = await told(gateway, "event")
    assert [(one.id, one.type, one.fact) for one in read] == [
        (notice.id, notice.type, notice.fact) for notice in notices if notice.fact is not None
    ]
    assert {one.object_id for one in read} > {intent}
    (dispute,) = await told(gateway, "dispute")
    assert dispute.fact in [one.fact for one in read]


async def test_objects_tell_what_asking_for_them_tells(gateway: StripeGateway, dashboard: Any) -> None:
    intent = await paid(gateway, dashboard)
    (payment,) = await told(gateway, "payment_intent")
    assert payment.fact == await gateway.payment_intent(intent, livemode=False)
    subscribing = replace(SESSION, collects="payment_method", id=f"cs_{suffix()}")
    setup = await gateway.create_intent(subscribing, None, subscribing.id)
    await dashboard.v1.setup_intents.confirm_async(
        setup.id, {"payment_method": "pm_card_visa", "return_url": RETURN}
    )
    (left,) = await told(gateway, "setup_intent")
    assert left.fact == await gateway.setup_intent(setup.id, livemode=False)
    made = await dashboard.v1.refunds.create_async({"payment_intent": intent, "amount": 500})
    (refund,) = await told(gateway, "refund")
    assert (refund.object_id, refund.id[:10]) == (made.id, "reconcile:")
    assert await told(gateway, "dispute") == []


async def test_customers_are_known_by_our_marks_and_after_they_are_deleted(
    gateway: StripeGateway, dashboard: Any
) -> None:
    user = UserId(f"usr_{suffix()}")
    await dashboard.v1.customers.create_async({"email": "stranger@example.com"})
    await dashboard.v1.customers.create_async({"metadata": {"organization_id": "org_1", "livemode": "true"}})
    of_customer = await gateway.create_customer(
        CUSTOMER, organization_id=ORGANIZATION, livemode=False, idempotency_key="c"
    )
    of_user = await gateway.create_user_customer(
        user, organization_id=ORGANIZATION, livemode=False, idempotency_key="u"
    )
    known = CustomerAtStripe(of_customer, False, ORGANIZATION, CUSTOMER.customer_id)
    assert [one.fact for one in await told(gateway, "customer")] == [
        known,
        CustomerAtStripe(of_user, False, ORGANIZATION, user_id=user),
    ]
    await gateway.delete_customer(of_customer, livemode=False)
    assert [one.fact for one in await told(gateway, "event")] == [replace(known, deleted=True)]
    assert len(await told(gateway, "customer")) == 1


async def test_more_than_a_page_is_read_to_its_end(gateway: StripeGateway) -> None:
    ids = [CustomerId(f"cus_{suffix(number)}") for number in range(101)]
    for made in ids:
        wanted = replace(CUSTOMER, customer_id=made)
        await gateway.create_customer(
            wanted, organization_id=ORGANIZATION, livemode=False, idempotency_key=made
        )
    facts = [one.fact for one in await told(gateway, "customer")]
    assert [fact.customer_id for fact in facts if isinstance(fact, CustomerAtStripe)] == ids


async def test_another_period_is_another_history(gateway: StripeGateway, dashboard: Any) -> None:
    await paid(gateway, dashboard)
    before = Period(NOW - timedelta(hours=3), NOW - timedelta(hours=2))
    for kind in ("event", "payment_intent"):
        assert await told(gateway, kind, before) == []


async def test_a_stripe_that_fails_is_unavailable(gateway: StripeGateway, sandbox: Sandbox) -> None:
    fails = Fail(path="/v1/events", status=500, times="always")
    with sandbox.misbehave(fails), pytest.raises(Unavailable) as raised:
        await told(gateway, "event")
    assert raised.value.code == "payment_provider_unavailable"
    with pytest.raises(Unavailable) as raised:
        await told(gateway, "event", livemode=True)
    assert raised.value.code == "payment_provider_not_configured"
