"""A buyer is to be asked for money."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from adapters.memory.gateway import MemoryGateway
from adapters.memory.secrets import SequentialSecrets
from application.checkout.open_checkout_session import OpenCheckoutSession
from domain.checkout import CheckoutSession, NewProductSession
from domain.checkout_progress import Intent
from domain.errors import Rejected, Unavailable
from domain.money import MAX_AMOUNT
from tests.application.payment_flows import intent_of
from tests.world import CATALOG, MemoryWorld


async def price_id(world: MemoryWorld, slug: str, model: str = "standard") -> str:
    catalog = await world.store.catalog(world.auth)
    (wanted,) = [entry.id for entry in catalog.pricing_models if entry.slug == model]
    (found,) = [p.id for p in catalog.prices if p.slug == slug and p.pricing_model_id == wanted]
    return found


async def refusal(world: MemoryWorld, **draft: object) -> tuple[str, str | None]:
    """How the draft is refused; nothing was stored, and Stripe heard nothing."""
    before = world.store.states
    with pytest.raises(Rejected) as refused:
        await world.session(**draft)
    assert world.store.states == before
    assert world.gateway.calls == []
    return refused.value.code, refused.value.field


async def test_a_stranger_can_be_asked_to_pay(world: MemoryWorld) -> None:
    session = await world.session(metadata={"order": "7"}, customer_email="bob@example.test")
    assert (session.status, session.amount, session.currency) == ("open", 1500, "usd")
    assert (session.customer_id, session.customer_email) == (None, "bob@example.test")
    assert session.expires_at == world.clock.now() + timedelta(hours=24)
    assert session.payment_intent_id is not None
    assert session.client_secret is not None
    assert await world.store.session(world.auth, session.id) == session


async def test_the_intent_is_over_the_sessions_amount_and_leads_back_to_it(world: MemoryWorld) -> None:
    session = await world.session(quantity=3)
    assert session.amount == 4500
    intent = await world.gateway.payment_intent(intent_of(session), livemode=False)
    assert (intent.amount, intent.currency) == (4500, "usd")
    assert (intent.organization_id, intent.checkout_session_id) == (session.organization_id, session.id)
    assert world.gateway.calls[0].idempotency_key == session.id


@pytest.mark.parametrize("by", ["id", "external id"])
async def test_a_customer_can_be_asked_to_pay(world: MemoryWorld, by: str) -> None:
    customer = (await world.customer(email="alice@example.test", name="Alice")).record.customer
    session = await world.session(customer=customer.id if by == "id" else customer.external_id)
    assert session.customer_id == customer.id
    assert (session.customer_email, session.customer_name) == ("alice@example.test", "Alice")


async def test_the_intent_of_a_customer_belongs_to_their_stripe_customer(world: MemoryWorld) -> None:
    await world.customer()
    (task,) = await world.store.lease(1, world.clock.now(), timedelta(minutes=1))
    await world.perform(task)
    session = await world.session(customer="alice")
    intent = await world.gateway.payment_intent(intent_of(session), livemode=False)
    assert intent.stripe_customer_id == world.gateway.customers[0].id


async def test_what_is_told_of_the_session_holds_no_secret(world: MemoryWorld) -> None:
    session = await world.session()
    assert session.client_secret is not None
    told = [event for event in world.store.events if event.subject.id == session.id]
    assert [event.type for event in told] == ["checkout_session.created", "checkout_session.updated"]
    assert session.client_secret not in repr(told)
    assert session.client_token not in repr(told)


async def test_a_slug_names_the_price_of_the_customers_own_pricing_model(world: MemoryWorld) -> None:
    catalog = await world.store.catalog(world.auth)
    (wholesale,) = [model for model in catalog.pricing_models if model.slug == "wholesale"]
    await world.customer("alice")
    await world.customer("trader", pricing_model_id=wholesale.id)
    amounts = [
        (await world.session(**draft)).amount for draft in ({}, {"customer": "alice"}, {"customer": "trader"})
    ]
    assert amounts == [1500, 1500, 900]


async def test_an_id_names_a_price_of_any_pricing_model(world: MemoryWorld) -> None:
    wholesale = await price_id(world, "book", "wholesale")
    assert (await world.session(price=wholesale)).amount == 900


async def test_a_buyer_is_either_a_customer_or_anonymous(world: MemoryWorld) -> None:
    await world.customer()
    expected = "customer_or_anonymous", "customer"
    assert await refusal(world, anonymous=False) == expected
    assert await refusal(world, anonymous=True, customer="alice") == expected


async def test_an_unknown_customer_is_refused(world: MemoryWorld) -> None:
    assert await refusal(world, customer="nobody") == ("customer_not_found", "customer")


@pytest.mark.parametrize("price", ["nothing", "price_nothing"])
async def test_an_unknown_price_is_refused(world: MemoryWorld, price: str) -> None:
    assert await refusal(world, price=price) == ("price_not_found", "price")


async def test_a_price_of_the_other_mode_is_unknown(world: MemoryWorld) -> None:
    await world.apply(CATALOG, world.live)
    live = (await world.store.catalog(world.live)).prices[0]
    assert await refusal(world, price=live.id) == ("price_not_found", "price")


async def test_an_archived_price_is_refused(world: MemoryWorld) -> None:
    archived = await price_id(world, "book", "wholesale")
    await world.apply(replace(CATALOG, pricing_models=CATALOG.pricing_models[:1]))
    assert await refusal(world, price=archived) == ("price_not_purchasable", "price")


async def test_a_total_that_is_too_large_is_refused(world: MemoryWorld) -> None:
    assert await refusal(world, quantity=MAX_AMOUNT // 1500 + 1) == ("amount_too_large", "quantity")


async def test_for_nothing_to_pay_stripe_is_not_asked(world: MemoryWorld) -> None:
    session = await world.free_session(quantity=3)
    assert (session.status, session.amount, session.quantity) == ("open", 0, 3)
    assert (session.payment_intent_id, session.client_secret) == (None, None)
    assert world.gateway.calls == []
    assert await world.store.session(world.auth, session.id) == session
    assert [event.type for event in world.store.events if event.subject.id == session.id] == [
        "checkout_session.created"
    ]


async def test_when_stripe_does_not_answer_the_session_is_in_the_books(world: MemoryWorld) -> None:
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await world.session()
    (session,) = [state for state in world.store.states if isinstance(state, CheckoutSession)]
    assert (session.status, session.payment_intent_id) == ("open", None)
    intent = await world.gateway.payment_intent("pi_memory1", livemode=False)
    assert (await world.report(intent)).refusal is None


class WebhookFirst(MemoryGateway):
    """Its webhook brings the news of a new intent, paid already, before its reply does."""

    def __init__(self, world: MemoryWorld) -> None:
        super().__init__()
        self._world = world

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        intent = await super().create_intent(session, stripe_customer_id, idempotency_key)
        await self._world.report(self.succeed(intent.id))
        return intent


async def test_a_webhook_may_be_faster_than_stripes_reply(world: MemoryWorld) -> None:
    store = world.store
    opening = OpenCheckoutSession(
        store, WebhookFirst(world), store, world.ids, world.clock, SequentialSecrets()
    )
    draft = NewProductSession(price="book", anonymous=True)
    session = await opening(draft, world.auth, world.request())
    assert (session.status, session.payment_intent_id) == ("succeeded", "pi_memory1")
    assert session.client_secret == "pi_memory1_secret"
    assert await store.session(world.auth, session.id) == session
