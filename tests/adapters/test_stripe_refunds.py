"""Refunds and disputes through the gateway and the webhook, against the sandbox: what we send is held against
Stripe's own description, and what its events carry is told in our words."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe
from msgspec.structs import replace

from adapters.sandbox import Exchange, Fail, Sandbox
from adapters.stripe.connection import StripeAccount
from adapters.stripe.gateway import StripeGateway
from adapters.stripe.webhooks import StripeWebhookReader
from domain.effects import CreateRefund
from domain.errors import ProviderRefused, Unavailable
from domain.ids import PaymentId
from domain.reversal import Dispute, Refund, ReversalFact
from tests.adapters.test_stripe_gateway import ORGANIZATION, RETURN, SESSION
from tests.builders import suffix
from tests.stripe_contract.contract import stripe_contract

OURS = f"rfd_{suffix()}"


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


async def paid(gateway: StripeGateway, dashboard: Any, method: str = "pm_card_visa") -> CreateRefund:
    """A refund to be made, of an intent that was paid."""
    made = await gateway.create_intent(SESSION, None, SESSION.id)
    await dashboard.v1.payment_intents.confirm_async(
        made.id, {"payment_method": method, "return_url": RETURN}
    )
    return CreateRefund(PaymentId(f"pay_{suffix()}"), made.id, OURS, 1000, "duplicate")


async def make(gateway: StripeGateway, wanted: CreateRefund, key: str = OURS) -> Refund:
    return await gateway.create_refund(
        wanted, organization_id=ORGANIZATION, livemode=False, idempotency_key=key
    )


async def find(gateway: StripeGateway, wanted: CreateRefund) -> Refund | None:
    return await gateway.find_refund(wanted, organization_id=ORGANIZATION, livemode=False)


def facts(sandbox: Sandbox, prefix: str) -> list[ReversalFact]:
    """What our webhook makes of the events of this type."""
    reader = StripeWebhookReader(sandbox.webhook_secret, None)
    told: list[ReversalFact] = []
    for event in sandbox.take_events():
        signed = sandbox.signed(event)
        notice = reader.read(signed.body, signed.headers["Stripe-Signature"])
        if event["type"].startswith(prefix):
            assert isinstance(notice.fact, ReversalFact), event["type"]
            told.append(notice.fact)
        else:
            assert not isinstance(notice.fact, ReversalFact), event["type"]
    return told


async def test_a_refund_is_made_once_for_its_key_and_carries_our_id(
    gateway: StripeGateway,
    sandbox: Sandbox,
    dashboard: Any,
    exchanges: list[Exchange],
) -> None:
    wanted = await paid(gateway, dashboard)
    assert await find(gateway, wanted) is None
    made = await make(gateway, wanted)
    assert made == await make(gateway, wanted) == await find(gateway, wanted)
    assert (made.id, made.amount, made.status, made.reason) == (OURS, 1000, "succeeded", "duplicate")
    assert (made.stripe_refund_id or "").startswith("re_")
    (sent, _) = [e for e in exchanges if (e.method, e.path) == ("POST", "/v1/refunds")]
    assert dict(sent.pairs) == {
        "payment_intent": wanted.payment_intent_id,
        "amount": "1000",
        "reason": "duplicate",
        "metadata[organization_id]": ORGANIZATION,
        "metadata[livemode]": "false",
        "metadata[payment_id]": wanted.payment_id,
        "metadata[refund_id]": OURS,
    }


async def test_the_webhook_tells_of_it_what_the_answer_told(
    gateway: StripeGateway,
    sandbox: Sandbox,
    dashboard: Any,
) -> None:
    wanted = await paid(gateway, dashboard)
    made = await make(gateway, wanted)
    assert facts(sandbox, "refund.") == [ReversalFact(wanted.payment_intent_id, False, refunds=(made,))]
    sandbox.settle_refund(made.stripe_refund_id or "", "failed")
    failed = replace(made, status="failed", failure_reason="lost_or_stolen_card")
    fact = ReversalFact(wanted.payment_intent_id, False, refunds=(failed,))
    assert facts(sandbox, "refund.") == [fact, fact]


async def test_more_than_is_left_is_refused_for_good(
    gateway: StripeGateway, sandbox: Sandbox, dashboard: Any
) -> None:
    wanted = await paid(gateway, dashboard)
    with pytest.raises(ProviderRefused, match="greater than unrefunded amount"):
        await make(gateway, replace(wanted, amount=2501))
    await make(gateway, replace(wanted, amount=2500))
    with pytest.raises(ProviderRefused, match="charge_already_refunded"):
        await make(gateway, replace(wanted, refund_id="rfd_2"), "rfd_2")


async def test_one_that_was_made_and_whose_answer_was_lost_is_found(
    gateway: StripeGateway,
    sandbox: Sandbox,
    dashboard: Any,
) -> None:
    """Its key is kept with the failure, and would only be answered with that again."""
    wanted = await paid(gateway, dashboard)
    with sandbox.misbehave(Fail(path="/v1/refunds", moment="after")), pytest.raises(Unavailable):
        await make(gateway, wanted)
    found = await find(gateway, wanted)
    assert found is not None
    assert (found.id, found.status) == (OURS, "succeeded")


async def test_one_made_in_the_dashboard_is_known_by_stripes_id(
    gateway: StripeGateway,
    sandbox: Sandbox,
    dashboard: Any,
) -> None:
    wanted = await paid(gateway, dashboard)
    made = await dashboard.v1.refunds.create_async(
        {"payment_intent": wanted.payment_intent_id, "amount": 300, "metadata": {"refund_id": "of theirs"}}
    )
    assert facts(sandbox, "refund.") == [
        ReversalFact(wanted.payment_intent_id, False, refunds=(Refund(made.id, 300, "succeeded", made.id),))
    ]
    assert await find(gateway, wanted) is None


@pytest.mark.parametrize("verdict", ["won", "lost"])
async def test_a_dispute_is_told_when_it_opens_and_when_it_is_closed(
    gateway: StripeGateway,
    sandbox: Sandbox,
    dashboard: Any,
    verdict: Any,
) -> None:
    wanted = await paid(gateway, dashboard, "pm_card_createDispute")
    ((opened,),) = (fact.disputes for fact in facts(sandbox, "charge.dispute."))
    assert (opened.amount, opened.currency, opened.status, opened.reason) == (
        2500,
        "usd",
        "open",
        "fraudulent",
    )
    sandbox.close_dispute(opened.id, verdict)
    closed = Dispute(opened.id, 2500, "usd", verdict, "fraudulent")
    assert facts(sandbox, "charge.dispute.") == [
        ReversalFact(wanted.payment_intent_id, False, disputes=(closed,))
    ]
