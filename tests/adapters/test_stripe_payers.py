"""Who pays what is asked by e-mail, at Stripe: the sandbox, held against Stripe's own description."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import stripe
from msgspec.structs import replace

from adapters.sandbox import Exchange, Sandbox
from adapters.stripe.connection import StripeAccount
from adapters.stripe.gateway import StripeGateway
from domain.effects import CreateStripeCustomer
from domain.errors import ProviderRefused
from domain.ids import CustomerId, IntakePaymentId, OrganizationId
from tests.builders import ORGANIZATION, USER, intake_payment, suffix, user
from tests.stripe_contract.contract import stripe_contract

BOB = "Bob@example.test"
OTHERS = OrganizationId(f"org_{suffix(9)}")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    exchanges: list[Exchange] = []
    async with Sandbox(on_exchange=exchanges.append, deliver=False) as running:
        yield running
    for exchange in exchanges:
        stripe_contract().check_request(exchange.method, exchange.path, exchange.pairs)


@pytest.fixture
async def gateway(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeGateway]:
    monkeypatch.setattr(stripe.AIOHTTPClient, "sleep_async", lambda *_: asyncio.sleep(0))
    opened = StripeGateway(StripeAccount(sandbox.secret_key), None, sandbox.url, timeout_seconds=5)
    yield opened
    await opened.close()


async def create(gateway: StripeGateway, email: str = BOB, key: str = "k") -> str:
    return await gateway.create_payer(
        email, organization_id=ORGANIZATION, livemode=False, idempotency_key=key
    )


async def find(gateway: StripeGateway, email: str = BOB, organization_id: str = ORGANIZATION) -> str | None:
    return await gateway.find_payer(email, organization_id=OrganizationId(organization_id), livemode=False)


async def customer(
    gateway: StripeGateway, number: int = 1, organization_id: OrganizationId = ORGANIZATION
) -> str:
    """A customer of ours, or of somebody else who uses the same account, with the address."""
    wanted = CreateStripeCustomer(CustomerId(f"cus_{suffix(number)}"), None, BOB, None)
    return await gateway.create_customer(
        wanted,
        organization_id=organization_id,
        livemode=False,
        idempotency_key=f"{organization_id}:{number}",
    )


def kept(sandbox: Sandbox, id: str) -> dict[str, Any]:
    return sandbox._account.books.customers[id]


async def test_a_payer_is_an_address_and_whose_they_are(gateway: StripeGateway, sandbox: Sandbox) -> None:
    made = kept(sandbox, await create(gateway))
    assert (made["email"], made["name"]) == (BOB, None)
    assert made["metadata"] == {
        "organization_id": ORGANIZATION,
        "livemode": "false",
        "source": "intake_payment",
        "created_via": "counterfoil",
    }


async def test_two_at_once_make_one(gateway: StripeGateway) -> None:
    assert len({await create(gateway) for _ in range(3)}) == 1


async def test_who_was_made_is_found_at_once_by_exactly_this_address(gateway: StripeGateway) -> None:
    made = await create(gateway)
    assert await find(gateway) == made
    assert await find(gateway, "bob@example.test") is None


async def test_the_oldest_of_ours_is_taken_however_many_there_are(gateway: StripeGateway) -> None:
    await customer(gateway, 1, OTHERS)
    oldest = await customer(gateway, 2)
    for number in range(3, 106):
        await customer(gateway, number)
    await create(gateway)
    assert await find(gateway) == oldest


async def test_nobody_elses_is_taken(gateway: StripeGateway, sandbox: Sandbox) -> None:
    await customer(gateway, 1, OTHERS)
    for marks in (
        {},
        {"organization_id": ORGANIZATION},
        {"organization_id": ORGANIZATION, "livemode": "true"},
    ):
        kept(sandbox, await customer(gateway, 2))["metadata"] = marks
    assert await find(gateway) is None
    assert await find(gateway, organization_id=OTHERS) is not None


async def test_a_user_with_the_address_is_not_the_payer(gateway: StripeGateway) -> None:
    """They have another address in the books, or they would have been found there."""
    known = await gateway.create_user_customer(
        USER, organization_id=ORGANIZATION, livemode=False, idempotency_key="u"
    )
    await gateway.update_user_customer(user(email=BOB), known, "t")
    assert await find(gateway) is None


async def test_one_who_was_deleted_there_is_not_found(gateway: StripeGateway) -> None:
    made = await create(gateway)
    await gateway.delete_customer(made, livemode=False)
    assert await find(gateway) is None


async def test_the_intent_is_over_what_is_asked_and_leads_back_to_it(
    gateway: StripeGateway, sandbox: Sandbox
) -> None:
    asked, payer = intake_payment(), await create(gateway)
    made = await gateway.create_intake_intent(asked, payer, asked.id)
    assert made.client_secret is not None
    again = await gateway.create_intake_intent(asked, payer, asked.id)
    assert again == made
    intent = sandbox._account.books.payment_intents[made.id]
    assert intent["customer"] == payer
    assert (intent["receipt_email"], intent["setup_future_usage"]) == (None, None)
    fact = await gateway.payment_intent(made.id, livemode=False)
    assert (fact.amount, fact.currency, fact.stripe_customer_id) == (2500, "usd", payer)
    assert (fact.organization_id, fact.intake_payment_id) == (ORGANIZATION, asked.id)
    assert (fact.checkout_session_id, fact.invoice_id) == (None, None)


async def test_for_another_payer_there_is_no_second_intent(gateway: StripeGateway) -> None:
    asked, payer = intake_payment(), await create(gateway)
    await gateway.create_intake_intent(asked, payer, asked.id)
    with pytest.raises(ProviderRefused):
        await gateway.create_intake_intent(asked, await customer(gateway), asked.id)


async def test_marks_of_the_other_mode_are_none(gateway: StripeGateway, sandbox: Sandbox) -> None:
    asked = replace(intake_payment(), id=IntakePaymentId(f"intake_{suffix(3)}"))
    made = await gateway.create_intake_intent(asked, await create(gateway), asked.id)
    sandbox._account.books.payment_intents[made.id]["metadata"]["livemode"] = "true"
    fact = await gateway.payment_intent(made.id, livemode=False)
    assert (fact.organization_id, fact.intake_payment_id) == (None, None)


async def test_whoever_has_the_secret_is_not_told_who_pays(gateway: StripeGateway, sandbox: Sandbox) -> None:
    """What a browser can read of the intent, by the publishable key, names nobody."""
    asked = intake_payment()
    made = await gateway.create_intake_intent(asked, await create(gateway), asked.id)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {sandbox.publishable_key}"}) as browser,
        browser.get(
            f"{sandbox.url}/v1/payment_intents/{made.id}", params={"client_secret": made.client_secret or ""}
        ) as reply,
    ):
        shown = await reply.json()
    assert shown["id"] == made.id
    assert "metadata" not in shown
    assert "customer" not in shown
