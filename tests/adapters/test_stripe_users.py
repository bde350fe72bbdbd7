"""Users at Stripe, against the sandbox over HTTP; every request is held against Stripe's own description."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from adapters.sandbox import Exchange, Fail, RateLimit, Sandbox
from adapters.stripe.connection import StripeAccount
from adapters.stripe.gateway import StripeGateway
from adapters.stripe.marks import is_user, user_marks
from domain.errors import ProviderRefused, Unavailable
from domain.ids import OrganizationId, UserId
from tests.builders import ORGANIZATION, USER, suffix, user
from tests.stripe_contract.contract import stripe_contract

OTHER = UserId(f"usr_{suffix(9)}")


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


async def create(gateway: StripeGateway, id: UserId = USER, key: str = "k") -> str:
    return await gateway.create_user_customer(
        id, organization_id=ORGANIZATION, livemode=False, idempotency_key=key
    )


async def find(
    gateway: StripeGateway, id: UserId = USER, organization_id: OrganizationId = ORGANIZATION
) -> str | None:
    return await gateway.find_user_customer(id, organization_id=organization_id, livemode=False)


def kept(sandbox: Sandbox, id: str) -> dict[str, Any]:
    return sandbox._account.books.customers[id]


async def test_a_user_is_made_by_metadata_alone_as_the_document_says(
    gateway: StripeGateway, sandbox: Sandbox
) -> None:
    made = kept(sandbox, await create(gateway))
    assert made["metadata"] == {
        "user_id": USER,
        "source": "platform_signup",
        "created_via": "counterfoil",
        "organization_id": ORGANIZATION,
        "livemode": "false",
    }
    assert (made["email"], made["name"]) == (None, None)


async def test_the_same_key_gives_the_same_customer(gateway: StripeGateway) -> None:
    assert len(set(await asyncio.gather(*(create(gateway) for _ in range(5))))) == 1
    assert await create(gateway) != await create(gateway, key="another")


async def test_a_user_is_called_as_in_the_books_from_now_on(gateway: StripeGateway, sandbox: Sandbox) -> None:
    made = await create(gateway)
    await gateway.update_user_customer(user(email="a@b.test", name="Ada"), made, "k1")
    assert (kept(sandbox, made)["email"], kept(sandbox, made)["name"]) == ("a@b.test", "Ada")
    await gateway.update_user_customer(user(email="a@c.test", name=None), made, "k2")
    assert (kept(sandbox, made)["email"], kept(sandbox, made)["name"] or None) == ("a@c.test", None)
    assert kept(sandbox, made)["metadata"]["user_id"] == USER
    with pytest.raises(ProviderRefused):
        await gateway.update_user_customer(user(), "cus_missing", "k3")


async def test_only_the_very_user_is_found(gateway: StripeGateway, sandbox: Sandbox) -> None:
    assert await find(gateway) is None
    made = await create(gateway)
    assert await find(gateway) == made
    assert await find(gateway, OTHER) is None
    assert await find(gateway, organization_id=OrganizationId("org_2")) is None
    assert await find(gateway, UserId(f'{USER}" OR \\"')) is None
    kept(sandbox, made)["metadata"]["source"] = "somebody_elses"
    assert await find(gateway) is None


async def test_of_several_the_oldest_is_found(gateway: StripeGateway, sandbox: Sandbox) -> None:
    ids = [await create(gateway, key=key) for key in "abc"]
    for age, made in enumerate(reversed(ids)):
        kept(sandbox, made)["created"] -= age
    assert await find(gateway) == ids[0]


async def test_a_reply_that_was_lost_leaves_one_that_is_found(
    gateway: StripeGateway, sandbox: Sandbox
) -> None:
    sandbox.misbehave(Fail(path="/v1/customers", status=503, moment="after"))
    with pytest.raises(Unavailable):
        await create(gateway)
    assert await find(gateway) is not None


async def test_too_many_calls_at_once_may_be_made_again(gateway: StripeGateway, sandbox: Sandbox) -> None:
    with sandbox.misbehave(RateLimit(path="/v1/customers", times="always")), pytest.raises(Unavailable):
        await create(gateway)
    assert await create(gateway) == await find(gateway)


@pytest.mark.parametrize("mark", ["user_id", "source", "created_via", "organization_id", "livemode"])
def test_whoever_differs_in_a_letter_of_a_mark_is_somebody_else(mark: str) -> None:
    """Stripe's search takes capital letters for small ones (docs.stripe.com/search#query-fields)."""
    marks = user_marks(USER, ORGANIZATION, livemode=False)
    assert is_user({**marks, "theirs": "too"}, USER, ORGANIZATION, livemode=False)
    assert not is_user({**marks, mark: marks[mark].upper()}, USER, ORGANIZATION, livemode=False)
