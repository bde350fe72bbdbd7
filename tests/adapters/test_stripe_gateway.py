"""The gateway against the sandbox, over HTTP; every request is held against Stripe's own description."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import stripe
from msgspec.structs import replace

from adapters.sandbox import Exchange, Fail, Sandbox
from adapters.stripe.connection import API_VERSION, StripeAccount
from adapters.stripe.gateway import StripeGateway
from adapters.stripe.webhooks import StripeWebhookReader
from domain.checkout import LIFETIME, CheckoutSession
from domain.effects import CreateStripeCustomer
from domain.errors import ProviderRefused, Unavailable
from domain.ids import CheckoutSessionId, CustomerId, OrganizationId, PriceId
from domain.payment import PaymentFact
from tests.builders import customer
from tests.stripe_contract.contract import stripe_contract

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ORGANIZATION = OrganizationId("org_1")
CUSTOMER = CreateStripeCustomer(CustomerId("cus_1"), "ext-1", "buyer@example.com", 'Bu\'yer "B"')
SESSION = CheckoutSession(
    id=CheckoutSessionId("cs_1"),
    organization_id=ORGANIZATION,
    livemode=False,
    type="product",
    collects="payment",
    status="open",
    price_id=PriceId("price_1"),
    quantity=2,
    quantities=(2,),
    amount=2500,
    currency="usd",
    customer_id=None,
    customer_email="buyer@example.com",
    customer_name=None,
    billing_address=None,
    success_url=None,
    cancel_url=None,
    metadata={"theirs": "not copied"},
    preserve_billing_cycle=False,
    all_subscriptions=False,
    stripe_customer_id=None,
    payment_intent_id=None,
    setup_intent_id=None,
    client_secret=None,
    client_token="cst_1",
    purchase_id=None,
    subscription_id=None,
    expires_at=NOW + LIFETIME,
    created_at=NOW,
)
RETURN = "https://shop.example/return"


@pytest.fixture
def exchanges() -> Iterator[list[Exchange]]:
    seen: list[Exchange] = []
    yield seen
    for exchange in seen:
        if exchange.path.endswith("/confirm"):  # the buyer's: Stripe's description has no raw card numbers
            continue
        stripe_contract().check_request(exchange.method, exchange.path, exchange.pairs)


@pytest.fixture
async def sandbox(exchanges: list[Exchange]) -> AsyncIterator[Sandbox]:
    async with Sandbox(on_exchange=exchanges.append, deliver=False) as running:
        yield running


@pytest.fixture
async def gateway(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeGateway]:
    monkeypatch.setattr(stripe.AIOHTTPClient, "sleep_async", lambda *_: asyncio.sleep(0))
    opened = StripeGateway(StripeAccount(sandbox.secret_key), None, sandbox.url, timeout_seconds=5)
    yield opened
    await opened.close()


@pytest.fixture
async def buyer(sandbox: Sandbox) -> AsyncIterator[stripe.StripeClient]:
    """Pays, as a browser would."""
    http = stripe.AIOHTTPClient(timeout=5)
    yield stripe.StripeClient(
        sandbox.secret_key,
        base_addresses={"api": sandbox.url},
        http_client=http,
        stripe_version=API_VERSION,
    )
    await http.close_async()  # type: ignore[no-untyped-call]


async def create(gateway: StripeGateway, customer: CreateStripeCustomer = CUSTOMER, key: str = "k") -> str:
    return await gateway.create_customer(
        customer, organization_id=ORGANIZATION, livemode=False, idempotency_key=key
    )


async def find(
    gateway: StripeGateway, id: str = "cus_1", organization_id: OrganizationId = ORGANIZATION
) -> str | None:
    return await gateway.find_customer(CustomerId(id), organization_id=organization_id, livemode=False)


async def test_a_customer_is_made_with_our_marks(gateway: StripeGateway, exchanges: list[Exchange]) -> None:
    made_id = await create(gateway, key="customer:cus_1")
    [made] = exchanges
    assert (made.body["id"], made.idempotency_key) == (made_id, "customer:cus_1")
    assert (made.body["email"], made.body["name"]) == (CUSTOMER.email, CUSTOMER.name)
    assert made.body["metadata"] == {
        "organization_id": "org_1",
        "livemode": "false",
        "customer_id": "cus_1",
        "external_id": "ext-1",
    }


async def test_what_is_not_known_of_a_customer_is_not_said(
    gateway: StripeGateway, exchanges: list[Exchange]
) -> None:
    await create(gateway, replace(CUSTOMER, external_id=None, email=None, name=None))
    assert {name for name, _ in exchanges[0].pairs} == {
        "metadata[organization_id]",
        "metadata[livemode]",
        "metadata[customer_id]",
    }


async def test_a_customer_is_called_as_we_do_from_now_on(
    gateway: StripeGateway, exchanges: list[Exchange]
) -> None:
    made_id = await create(gateway)
    known = customer(external_id="ext-2", email=None, name="Buyer Two", livemode=False)
    await gateway.update_customer(known, made_id, "customer:cus_1:2:task_1")
    told = exchanges[-1]
    assert (told.body["id"], told.idempotency_key) == (made_id, "customer:cus_1:2:task_1")
    assert (told.body["email"] or None, told.body["name"]) == (None, "Buyer Two")
    assert told.body["metadata"]["external_id"] == "ext-2"
    assert told.body["metadata"]["customer_id"] == "cus_1"
    assert await find(gateway) == made_id


async def test_a_customer_is_forgotten_and_once_is_enough(
    gateway: StripeGateway, exchanges: list[Exchange]
) -> None:
    made_id = await create(gateway)
    for _ in range(2):
        await gateway.delete_customer(made_id, livemode=False)
    assert [exchange.status for exchange in exchanges] == [200, 200, 404]
    assert await find(gateway) is None
    with pytest.raises(ProviderRefused):
        await gateway.update_customer(customer(), made_id, "k2")


async def test_the_same_key_gives_the_same_customer(gateway: StripeGateway) -> None:
    assert await create(gateway) == await create(gateway)
    assert len(set(await asyncio.gather(*[create(gateway, key="at once") for _ in range(5)]))) == 1
    assert await create(gateway) != await create(gateway, key="another")


async def test_other_parameters_with_a_known_key_are_refused(gateway: StripeGateway) -> None:
    await create(gateway)
    with pytest.raises(ProviderRefused, match="same parameters") as refused:
        await create(gateway, replace(CUSTOMER, name="Other"))
    assert refused.value.code == "payment_provider_refused"


async def test_a_reply_that_was_lost_leaves_one_customer(gateway: StripeGateway, sandbox: Sandbox) -> None:
    sandbox.misbehave(Fail(path="/v1/customers", status=503, moment="after"))
    with pytest.raises(Unavailable):  # kept by the key, as Stripe would: only a search can find it now
        await create(gateway)
    assert await find(gateway) is not None


async def test_failures_that_pass_are_not_noticed(
    gateway: StripeGateway, sandbox: Sandbox, exchanges: list[Exchange]
) -> None:
    sandbox.misbehave(Fail(path="/v1/customers", times=2))
    await create(gateway)
    assert [exchange.status for exchange in exchanges] == [500, 500, 200]
    assert {exchange.idempotency_key for exchange in exchanges} == {"k"}


async def test_only_the_very_customer_is_found(gateway: StripeGateway) -> None:
    assert await find(gateway) is None
    made = await create(gateway)
    assert await find(gateway) == made
    assert await find(gateway, "cus_2") is None
    assert await find(gateway, organization_id=OrganizationId("org_2")) is None
    assert await find(gateway, 'cus_1" OR \\"') is None


async def test_of_several_the_oldest_is_found(gateway: StripeGateway, sandbox: Sandbox) -> None:
    ids = [await create(gateway, key=key) for key in "abc"]
    for age, made in enumerate(reversed(ids)):
        sandbox._account.books.customers[made]["created"] -= age
    assert await find(gateway) == ids[0]


async def test_an_intent_carries_the_session(gateway: StripeGateway, exchanges: list[Exchange]) -> None:
    stripe_customer = await create(gateway)
    made = await gateway.create_intent(SESSION, stripe_customer, idempotency_key=SESSION.id)
    body = exchanges[-1].body
    assert made.client_secret is not None
    assert (made.id, made.client_secret) == (body["id"], body["client_secret"])
    assert (body["amount"], body["currency"], body["customer"]) == (2500, "usd", stripe_customer)
    assert body["receipt_email"] is None  # Stripe would send a receipt, wanted or not
    assert body["automatic_payment_methods"]["enabled"] is True
    assert body["metadata"] == {
        "organization_id": "org_1",
        "livemode": "false",
        "checkout_session_id": "cs_1",
        "type": "checkout_session",
    }
    assert await gateway.create_intent(SESSION, stripe_customer, idempotency_key=SESSION.id) == made


async def test_an_intent_for_somebody_unknown_names_nobody(
    gateway: StripeGateway, exchanges: list[Exchange]
) -> None:
    await gateway.create_intent(SESSION, None, idempotency_key="k")
    assert not {"customer", "receipt_email"} & {name for name, _ in exchanges[0].pairs}


async def test_a_declined_card_is_a_failed_attempt_and_the_next_may_succeed(
    gateway: StripeGateway, buyer: stripe.StripeClient
) -> None:
    made = await gateway.create_intent(SESSION, None, idempotency_key="k")
    blank = await gateway.payment_intent(made.id, livemode=False)
    assert blank == PaymentFact(
        payment_intent_id=made.id,
        livemode=False,
        amount=2500,
        currency="usd",
        organization_id=ORGANIZATION,
        checkout_session_id=SESSION.id,
    )
    with pytest.raises(stripe.CardError):
        await buyer.v1.payment_intents.confirm_async(
            made.id, {"payment_method": "pm_card_chargeDeclined", "return_url": RETURN}
        )
    [failed] = (await gateway.payment_intent(made.id, livemode=False)).attempts
    assert (failed.status, failed.failure_code) == ("failed", "generic_decline")
    assert failed.id.startswith("ch_")
    await buyer.v1.payment_intents.confirm_async(
        made.id, {"payment_method": "pm_card_visa", "return_url": RETURN}
    )
    paid = await gateway.payment_intent(made.id, livemode=False)
    assert paid.ending == "succeeded"
    assert [attempt.status for attempt in paid.attempts] == ["succeeded"]


async def test_the_webhook_tells_what_asking_would(
    gateway: StripeGateway, buyer: stripe.StripeClient, sandbox: Sandbox
) -> None:
    reader = StripeWebhookReader(sandbox.webhook_secret, None)
    made = await gateway.create_intent(SESSION, None, idempotency_key="k")
    told, asked = [], [await gateway.payment_intent(made.id, livemode=False)]
    for method in ("pm_card_chargeDeclined", "pm_usBankAccount"):
        with suppress(stripe.CardError):
            await buyer.v1.payment_intents.confirm_async(
                made.id, {"payment_method": method, "return_url": RETURN}
            )
        asked.append(await gateway.payment_intent(made.id, livemode=False))
    sandbox.settle(made.id)
    asked.append(await gateway.payment_intent(made.id, livemode=False))
    for event in sandbox.take_events():
        signed = sandbox.signed(event)
        notice = reader.read(signed.body, signed.headers["Stripe-Signature"])
        told += [notice.fact] if notice.fact else []
    assert told == asked
    assert asked[2].attempts[0].id == asked[3].attempts[0].id
    assert [fact.attempts[0].status for fact in asked[1:]] == ["failed", "pending", "succeeded"]


async def test_a_canceled_intent_was_abandoned_and_canceling_it_again_is_no_error(
    gateway: StripeGateway, exchanges: list[Exchange]
) -> None:
    made = await gateway.create_intent(SESSION, None, idempotency_key="k")
    for key in ("cs_1:cancel:1", "cs_1:cancel:1", "cs_1:cancel:2"):
        await gateway.cancel_payment_intent(made.id, livemode=False, idempotency_key=key)
    assert [exchange.idempotency_key for exchange in exchanges[1:]][-1] == "cs_1:cancel:2"
    assert (await gateway.payment_intent(made.id, livemode=False)).ending == "abandoned"


@pytest.mark.parametrize(("method", "ending"), [("pm_card_visa", "succeeded"), ("pm_usBankAccount", None)])
async def test_what_is_paid_or_being_paid_is_left_as_it_is(
    gateway: StripeGateway, buyer: stripe.StripeClient, method: str, ending: str | None
) -> None:
    made = await gateway.create_intent(SESSION, None, idempotency_key="k")
    await buyer.v1.payment_intents.confirm_async(made.id, {"payment_method": method, "return_url": RETURN})
    before = await gateway.payment_intent(made.id, livemode=False)
    await gateway.cancel_payment_intent(made.id, livemode=False, idempotency_key="cancel")
    assert await gateway.payment_intent(made.id, livemode=False) == before
    assert before.ending == ending


async def test_canceling_what_is_not_there_is_refused(gateway: StripeGateway) -> None:
    with pytest.raises(ProviderRefused, match="resource_missing"):
        await gateway.cancel_payment_intent("pi_missing", livemode=False, idempotency_key="cancel")


async def test_an_intent_that_is_not_there_is_refused(gateway: StripeGateway) -> None:
    with pytest.raises(ProviderRefused, match="resource_missing"):
        await gateway.payment_intent("pi_missing", livemode=False)


async def test_without_an_account_for_the_mode_nothing_is_asked(
    gateway: StripeGateway, exchanges: list[Exchange]
) -> None:
    nowhere = StripeGateway(None, None)
    for call in (
        gateway.payment_intent("pi_1", livemode=True),
        nowhere.payment_intent("pi_1", livemode=False),
        gateway.create_intent(replace(SESSION, livemode=True), None, idempotency_key="k"),
        gateway.find_customer(CustomerId("cus_1"), organization_id=ORGANIZATION, livemode=True),
        nowhere.create_customer(CUSTOMER, organization_id=ORGANIZATION, livemode=False, idempotency_key="k"),
    ):
        with pytest.raises(Unavailable) as unavailable:
            await call
        assert unavailable.value.code == "payment_provider_not_configured"
    assert exchanges == []
    await nowhere.close()


async def test_after_closing_it_can_be_used_again(gateway: StripeGateway) -> None:
    before = await create(gateway)
    await gateway.close()
    await gateway.close()
    assert await create(gateway) == before


async def test_no_secret_reaches_a_log(
    gateway: StripeGateway,
    buyer: stripe.StripeClient,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="stripe")
    made = await gateway.create_intent(SESSION, None, idempotency_key="k")
    await create(gateway, key="another")
    card = {"number": "4000000000000002", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    with pytest.raises(stripe.CardError):
        await buyer.raw_request_async(
            "post",
            f"/v1/payment_intents/{made.id}/confirm",
            payment_method_data={"type": "card", "card": card},
            return_url=RETURN,
        )
    await gateway.payment_intent(made.id, livemode=False)
    wrong = StripeGateway(StripeAccount("sk_test_another_key"), None, sandbox.url)
    with pytest.raises(Unavailable) as refused:
        await create(wrong)
    await wrong.close()
    written = [caplog.text, refused.value.detail, repr(refused.value), *capsys.readouterr()]
    assert "Request to Stripe api" in caplog.text
    for secret in (sandbox.secret_key, made.client_secret, "sk_test", "4000000000000002", "_secret_"):
        assert secret is not None
        assert not any(secret in text for text in written)
