"""Means of payment that are left, and charged while nobody is there, through the gateway and the webhook,
against the sandbox: what we send is held against Stripe's own description."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe
from msgspec.structs import replace

from adapters.sandbox import Exchange, Sandbox
from adapters.stripe.connection import StripeAccount
from adapters.stripe.gateway import StripeGateway
from adapters.stripe.webhooks import StripeWebhookReader
from application.ports import OffSessionCharge, PaymentMethodUnusable
from domain.checkout_progress import Intent
from domain.errors import ProviderRefused, Rejected
from domain.payment import PaymentFact
from domain.payment_method import StoredMethod
from domain.setup import SetupFact
from tests import builders
from tests.adapters.test_stripe_gateway import CUSTOMER, ORGANIZATION, RETURN, SESSION
from tests.stripe_contract.contract import stripe_contract

SETUP = replace(SESSION, collects="payment_method")
INVOICE = builders.invoice(organization_id=ORGANIZATION, total=4900)


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
async def buyer(sandbox: Sandbox) -> AsyncIterator[Any]:
    """Leaves a card, as a browser would."""
    http = stripe.AIOHTTPClient()
    yield stripe.StripeClient(
        sandbox.secret_key, base_addresses={"api": sandbox.url}, http_client=http, max_network_retries=0
    )
    await http.close_async()  # type: ignore[no-untyped-call]  # the SDK gives it no types


def told(sandbox: Sandbox) -> list[PaymentFact | SetupFact]:
    """What our webhook makes of the events of intents since the last look."""
    reader = StripeWebhookReader(sandbox.webhook_secret, None)
    facts = []
    for event in sandbox.take_events():
        signed = sandbox.signed(event)
        fact = reader.read(signed.body, signed.headers["Stripe-Signature"]).fact
        if isinstance(fact, PaymentFact | SetupFact):
            facts.append(fact)
    return facts


async def left(
    gateway: StripeGateway, buyer: Any, card: str = "pm_card_visa", customer: str | None = None
) -> tuple[Intent, StoredMethod]:
    """A card is left, by a customer or by somebody unknown."""
    made = await gateway.create_intent(SETUP, customer, f"{SETUP.id}:{card}:{customer}")
    await buyer.v1.setup_intents.confirm_async(made.id, {"payment_method": card, "return_url": RETURN})
    fact = await gateway.setup_intent(made.id, livemode=False)
    assert fact.payment_method is not None, fact
    return made, fact.payment_method


async def stripe_customer(gateway: StripeGateway) -> str:
    return await gateway.create_customer(
        CUSTOMER, organization_id=ORGANIZATION, livemode=False, idempotency_key="customer:cus_1"
    )


async def due(gateway: StripeGateway, customer: str) -> str:
    """The intent of an invoice that is to be charged."""
    return (await gateway.create_invoice_intent(INVOICE, customer, INVOICE.id)).id


async def charge(
    gateway: StripeGateway, intent: str, card: StoredMethod, customer: str, attempt: int
) -> None:
    wanted = OffSessionCharge(intent, card.stripe_payment_method_id, customer)
    await gateway.charge(wanted, livemode=False, idempotency_key=f"{INVOICE.id}:{attempt}")


async def test_a_setup_intent_is_for_later_and_carries_our_marks(
    gateway: StripeGateway, exchanges: list[Exchange]
) -> None:
    made = await gateway.create_intent(SETUP, None, SETUP.id)
    assert made == await gateway.create_intent(SETUP, None, SETUP.id)
    assert made.id.startswith("seti_")
    assert (made.client_secret or "").startswith(f"{made.id}_secret_")
    assert dict(exchanges[0].pairs) == {
        "automatic_payment_methods[enabled]": "true",
        "usage": "off_session",
        "metadata[organization_id]": ORGANIZATION,
        "metadata[livemode]": "false",
        "metadata[checkout_session_id]": SETUP.id,
        "metadata[type]": "checkout_session",
    }


async def test_what_was_set_up_is_told_by_stripe_when_it_is_asked(
    gateway: StripeGateway, buyer: Any, sandbox: Sandbox
) -> None:
    made, card = await left(gateway, buyer)
    assert (card.type, card.brand, card.last4) == ("card", "visa", "4242")
    assert card.exp_year is not None
    fact = await gateway.setup_intent(made.id, livemode=False)
    assert (fact.ending, fact.checkout_session_id, fact.organization_id) == (
        "succeeded",
        SETUP.id,
        ORGANIZATION,
    )
    by_webhook = told(sandbox)[-1]
    assert isinstance(by_webhook, SetupFact)
    assert replace(by_webhook, payment_method=card) == fact


async def test_a_declined_card_is_a_failed_attempt_and_the_intent_stays_open(
    gateway: StripeGateway, buyer: Any, sandbox: Sandbox
) -> None:
    made = await gateway.create_intent(SETUP, None, SETUP.id)
    with pytest.raises(stripe.CardError):
        await buyer.v1.setup_intents.confirm_async(
            made.id, {"payment_method": "pm_card_chargeDeclined", "return_url": RETURN}
        )
    (*_, fact) = told(sandbox)
    assert isinstance(fact, SetupFact)
    assert (fact.ending, [attempt.status for attempt in fact.attempts]) == (None, ["failed"])
    assert fact.attempts[0].failure_code == "generic_decline"
    assert fact == await gateway.setup_intent(made.id, livemode=False)


async def test_an_abandoned_setup_is_known_again_and_a_completed_one_stays(
    gateway: StripeGateway, buyer: Any
) -> None:
    made = await gateway.create_intent(SETUP, None, SETUP.id)
    for _ in range(2):
        await gateway.cancel_setup_intent(made.id, livemode=False, idempotency_key="cancel")
    assert (await gateway.setup_intent(made.id, livemode=False)).ending == "abandoned"
    done, _ = await left(gateway, buyer)
    await gateway.cancel_setup_intent(done.id, livemode=False, idempotency_key="cancel:2")
    assert (await gateway.setup_intent(done.id, livemode=False)).ending == "succeeded"


async def test_a_strangers_card_becomes_the_customers_when_it_is_charged(
    gateway: StripeGateway, buyer: Any, sandbox: Sandbox
) -> None:
    _, card = await left(gateway, buyer)
    customer = await stripe_customer(gateway)
    intent = await due(gateway, customer)
    told(sandbox)
    await charge(gateway, intent, card, customer, 1)
    known = await buyer.v1.payment_methods.retrieve_async(card.stripe_payment_method_id)
    assert known.customer == customer
    fact = await gateway.payment_intent(intent, livemode=False)
    assert (fact.ending, fact.amount, fact.invoice_id, fact.checkout_session_id) == (
        "succeeded",
        4900,
        INVOICE.id,
        None,
    )
    assert told(sandbox)[-1] == fact


async def test_an_intent_is_charged_once_whatever_the_key(
    gateway: StripeGateway, buyer: Any, exchanges: list[Exchange]
) -> None:
    customer = await stripe_customer(gateway)
    _, card = await left(gateway, buyer, customer=customer)
    intent = await due(gateway, customer)
    assert intent == await due(gateway, customer)
    for attempt in (1, 1, 2):
        await charge(gateway, intent, card, customer, attempt)
    charges = await buyer.v1.charges.list_async({"payment_intent": intent})
    assert [one.amount for one in charges.data] == [4900]
    assert not [exchange for exchange in exchanges if exchange.path.endswith("/attach")]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeCustomerFail", "generic_decline"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
async def test_a_bank_that_refuses_is_told_by_the_intent_and_the_next_attempt_may_succeed(
    gateway: StripeGateway, buyer: Any, sandbox: Sandbox, card: str, code: str
) -> None:
    customer = await stripe_customer(gateway)
    made = await gateway.create_intent(SETUP, customer, SETUP.id)
    asked = await buyer.v1.setup_intents.confirm_async(
        made.id, {"payment_method": card, "return_url": RETURN}
    )
    if asked.status == "requires_action":
        sandbox.authenticate(made.id)
    kept = (await gateway.setup_intent(made.id, livemode=False)).payment_method
    assert kept is not None
    intent = await due(gateway, customer)
    await charge(gateway, intent, kept, customer, 1)
    fact = await gateway.payment_intent(intent, livemode=False)
    assert (fact.ending, [one.status for one in fact.attempts]) == (None, ["failed"])
    assert fact.attempts[0].failure_code == code
    _, good = await left(gateway, buyer, customer=customer)
    await charge(gateway, intent, good, customer, 2)
    assert (await gateway.payment_intent(intent, livemode=False)).ending == "succeeded"


async def test_what_was_paid_before_the_card_was_taken_away_stays_as_it_is(
    gateway: StripeGateway, buyer: Any
) -> None:
    customer = await stripe_customer(gateway)
    _, card = await left(gateway, buyer, customer=customer)
    intent = await due(gateway, customer)
    await charge(gateway, intent, card, customer, 1)
    await buyer.v1.payment_methods.detach_async(card.stripe_payment_method_id)
    for attempt in (1, 2):
        await charge(gateway, intent, card, customer, attempt)
    assert (await gateway.payment_intent(intent, livemode=False)).ending == "succeeded"


async def test_the_amount_follows_until_somebody_is_paying(gateway: StripeGateway, buyer: Any) -> None:
    made = await gateway.create_intent(SESSION, None, SESSION.id)
    wanted = replace(SESSION, payment_intent_id=made.id, amount=3750, quantity=3)
    await gateway.change_amount(wanted, f"{SESSION.id}:amount:1")
    assert (await gateway.payment_intent(made.id, livemode=False)).amount == 3750
    await buyer.v1.payment_intents.confirm_async(
        made.id, {"payment_method": "pm_card_visa", "return_url": RETURN}
    )
    with pytest.raises(Rejected) as refused:
        await gateway.change_amount(replace(wanted, amount=5000), f"{SESSION.id}:amount:2")
    assert refused.value.code == "checkout_session_not_open"
    assert (await gateway.payment_intent(made.id, livemode=False)).amount == 3750


async def test_what_stripe_does_not_know_is_refused(gateway: StripeGateway, buyer: Any) -> None:
    with pytest.raises(ProviderRefused):
        await gateway.setup_intent("seti_none", livemode=False)
    _, card = await left(gateway, buyer)
    with pytest.raises(ProviderRefused):
        await charge(gateway, "pi_none", card, await stripe_customer(gateway), 1)


@pytest.mark.parametrize("was_theirs", [True, False])
async def test_a_card_that_was_taken_away_there_is_said_to_be_of_no_use_and_another_one_pays(
    gateway: StripeGateway, buyer: Any, *, was_theirs: bool
) -> None:
    customer = await stripe_customer(gateway)
    _, card = await left(gateway, buyer, customer=customer)
    intent = await due(gateway, customer)
    gone = StoredMethod("pm_none", "card")
    if was_theirs:
        gone = card
        await buyer.v1.payment_methods.detach_async(card.stripe_payment_method_id)
    for attempt in (1, 1, 2):
        with pytest.raises(PaymentMethodUnusable):
            await charge(gateway, intent, gone, customer, attempt)
    assert (await gateway.payment_intent(intent, livemode=False)).attempts == ()
    _, good = await left(gateway, buyer, "pm_card_mastercard", customer)
    await charge(gateway, intent, good, customer, 3)
    assert (await gateway.payment_intent(intent, livemode=False)).ending == "succeeded"
