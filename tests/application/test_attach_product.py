"""A product is given to a customer: what it is, to whom, at what price, and whether at once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.memory.store import MemoryStore
from application.checkout.attach_product import Attached
from application.organizations.update_organization import OrganizationChanges
from application.unit_of_work import UnitOfWork
from domain.attaching import NewAttachment
from domain.change import Change
from domain.checkout import CheckoutSession
from domain.customer import Customer, CustomerData
from domain.effects import RenewSubscription
from domain.errors import DomainError, Forbidden, NotFound, Rejected
from domain.events import Event
from domain.ids import OrganizationId
from domain.invoice import Invoice
from domain.subscription import Subscription
from tests.application.promises import check_books, of_kind
from tests.attachables import CATALOG, PRODUCTS
from tests.world import MemoryWorld, World

ADA = CustomerData(email="ada@example.test", name="Ada")


@pytest.fixture
async def world() -> AsyncIterator[MemoryWorld]:
    """With one customer, alice."""
    opened = await World.opened(MemoryStore(), CATALOG)
    await opened.customer("alice", email="alice@example.test")
    yield opened
    check_books(opened.store)


async def attach(world: MemoryWorld, customer: str = "alice", **asked: Any) -> Attached:
    return await world.attach_product(NewAttachment(customer=customer, **asked), world.auth, world.request())


async def refusal(
    world: MemoryWorld, kind: type[DomainError] = Rejected, **asked: Any
) -> tuple[str, str | None]:
    """How it is refused; nothing was stored, and Stripe heard nothing."""
    before = world.store.states, world.store.events
    with pytest.raises(kind) as refused:
        await attach(world, **asked)
    assert (world.store.states, world.store.events) == before
    assert world.gateway.calls == []
    return refused.value.code, refused.value.field


def plans(world: MemoryWorld) -> dict[str, str]:
    """The latest subscription to each product, and how it stands."""
    return {one.product_slug: one.status for one in of_kind(world.store, Subscription)}


async def over(world: MemoryWorld, slug: str) -> None:
    """The subscription to this product has ended."""
    (known,) = [one for one in of_kind(world.store, Subscription) if one.product_slug == slug]
    work = UnitOfWork(world.request(), world.auth, world.ids, world.clock.now())
    after = replace(known, status="canceled", canceled_at=world.clock.now(), cancellation_reason="requested")
    work.record(Change(after, (Event("subscription.canceled"),), known))
    await world.store.commit(work)


async def test_what_is_told_is_what_is_told_of_a_free_checkout(world: MemoryWorld) -> None:
    await world.customer("bob")
    before = len(world.store.events)
    await world.confirm((await world.session(price="starter", customer="bob")).id)
    as_checkout = [event.type for event in world.store.events[before:]]
    before = len(world.store.events)
    attached = await attach(world, product="starter")
    assert [event.type for event in world.store.events[before:]] == as_checkout
    assert {event.actor.type for event in world.store.events[before:]} == {"user"}
    assert (attached.session.status, attached.session.success_url) == ("succeeded", None)


async def test_a_new_customer_has_their_default_plan_for_a_moment_only(world: MemoryWorld) -> None:
    before = len(world.store.events)
    attached = await attach(world, "bob", price="starter", customer_data=ADA)
    told = [event.type for event in world.store.events[before:]]
    assert told[0] == "customer.created"
    assert told.count("subscription.created") == 2
    assert told.count("subscription.canceled") == 1
    bobs = [
        (one.product_slug, one.status)
        for one in of_kind(world.store, Subscription)
        if one.customer_id == attached.customer_id
    ]
    assert bobs == [("free", "canceled"), ("starter", "active")]
    (session,) = of_kind(world.store, CheckoutSession)
    assert (session.customer_email, session.customer_name) == ("ada@example.test", "Ada")


async def test_a_known_customer_stays_as_they_are(world: MemoryWorld) -> None:
    (alice,) = of_kind(world.store, Customer)
    await attach(world, product="starter", customer_data=CustomerData(email="other@example.test"))
    assert of_kind(world.store, Customer) == [alice]
    for reference in (alice.id, "alice"):
        assert (await attach(world, reference, product="sample")).customer_id == alice.id


async def test_a_trial_that_needs_no_card_goes_on_as_any_other(world: MemoryWorld) -> None:
    await attach(world, product="team")
    (team,) = [one for one in of_kind(world.store, Subscription) if one.product_slug == "team"]
    assert team.trial_ends_at == world.clock.now() + timedelta(days=7)
    (invoice,) = of_kind(world.store, Invoice)
    assert (invoice.total, invoice.status, invoice.lines[0].description) == (
        0,
        "paid",
        "Team: trial of 7 days",
    )
    assert [task.due_at for task in world.store.tasks if isinstance(task.effect, RenewSubscription)] == [
        team.trial_ends_at
    ]
    world.clock.advance(timedelta(days=8))
    await world.settle()
    (team,) = [one for one in of_kind(world.store, Subscription) if one.product_slug == "team"]
    assert (team.status, team.failure_code) == ("past_due", "payment_method_missing")


async def test_where_the_trial_was_had_there_is_something_to_collect(world: MemoryWorld) -> None:
    await attach(world, product="team")
    await over(world, "team")
    again = await attach(world, product="team")
    assert (again.session.collects, again.session.amount, again.subscription) == (
        "payment_method",
        2900,
        None,
    )
    assert again.session.setup_intent_id is not None


async def test_its_invoice_says_whether_the_organization_sends_receipts(world: MemoryWorld) -> None:
    await attach(world, product="sample")
    await world.update_organization(OrganizationChanges(sends_receipts=True), world.auth, world.command())
    await attach(world, product="sample")
    assert [one.receipt_email for one in of_kind(world.store, Invoice)] == [None, "alice@example.test"]


async def test_a_paid_plan_is_had_when_the_checkout_is_completed(world: MemoryWorld) -> None:
    urls = {"success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/basket"}
    attached = await attach(world, price="pro", quantity=3, **urls)
    session = attached.session
    assert (session.status, session.type, session.quantity, session.amount) == ("open", "product", 3, 14700)
    assert (session.success_url, session.cancel_url) == (urls["success_url"], urls["cancel_url"])
    assert [call.idempotency_key for call in world.gateway.calls] == [session.id]
    assert plans(world) == {"free": "active"}
    assert session.setup_intent_id is not None
    await world.report(world.gateway.succeed_setup(session.setup_intent_id))
    assert plans(world) == {"free": "canceled", "pro": "incomplete"}


@pytest.mark.parametrize(
    ("asked", "price"),
    [
        ({"product": "book"}, "book"),
        ({"product": "scale"}, "scale"),
        ({"price": "set-up"}, "set-up"),
        ({"price": "pro-trial"}, "pro-trial"),
    ],
)
async def test_a_products_only_recurring_price_or_its_only_one_is_meant(
    world: MemoryWorld, asked: dict[str, str], price: str
) -> None:
    catalog = await world.store.catalog(world.auth)
    (wanted,) = [one for one in catalog.prices if one.slug == price]
    assert (await attach(world, **asked)).session.price_id == wanted.id


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({}, "product_or_price", "product"),
        ({"product": "starter", "price": "starter"}, "product_or_price", "product"),
        ({"product": "gold"}, "product_not_found", "product"),
        ({"product": "prod_gold"}, "product_not_found", "product"),
        ({"product": "trade"}, "product_not_found", "product"),
        ({"price": "gold"}, "price_not_found", "price"),
        ({"product": "pro"}, "price_required", "price"),
        ({"product": "pack"}, "price_required", "price"),
        ({"product": "nothing"}, "price_not_purchasable", "product"),
        ({"product": "free"}, "already_subscribed", None),
        ({"product": "book", "quantity": 1_000_000}, "amount_too_large", "quantity"),
        ({"customer": "a b", "product": "starter"}, "invalid_external_id", "customer"),
        (
            {"customer": "a@b.c", "product": "starter", "customer_data": ADA},
            "invalid_external_id",
            "customer",
        ),
        ({"customer": "cus_é", "product": "starter"}, "invalid_external_id", "customer"),
        ({"entity": "seat 1", "product": "starter"}, "invalid_external_id", "entity"),
        ({"entity": "cus_1", "product": "starter"}, "invalid_external_id", "entity"),
    ],
)
async def test_what_cannot_be_attached_is_refused(
    world: MemoryWorld, asked: dict[str, Any], code: str, field: str | None
) -> None:
    for data in ({}, {"customer_data": ADA}):
        assert await refusal(world, **data | asked) == (code, field)


async def test_a_plan_that_is_held_is_not_attached_again(world: MemoryWorld) -> None:
    await attach(world, product="starter")
    assert await refusal(world, product="starter") == ("already_subscribed", None)
    await attach(world, product="team")
    for other in ("starter", "team", "free"):
        assert await refusal(world, product=other) == ("already_subscribed", None)
    assert plans(world) == {"free": "canceled", "starter": "canceled", "team": "trialing"}


async def test_an_add_on_takes_no_plans_place(world: MemoryWorld) -> None:
    await attach(world, product="plugin")
    assert plans(world) == {"free": "active", "plugin": "active"}


@pytest.mark.parametrize("customer", ["nobody", "cus_nobody", "anon_nobody"])
async def test_a_customer_whom_nobody_describes_is_not_found(world: MemoryWorld, customer: str) -> None:
    assert await refusal(world, NotFound, customer=customer, product="starter") == (
        "customer_not_found",
        None,
    )
    if "_" in customer:  # an id that we would have given
        asked: dict[str, Any] = {"customer": customer, "product": "starter", "customer_data": ADA}
        assert await refusal(world, NotFound, **asked) == ("customer_not_found", None)


async def test_a_customer_of_another_organization_is_not_made(world: MemoryWorld) -> None:
    data = CustomerData(organization_id=OrganizationId("org_other"))
    for customer in ("alice", "bob"):
        asked: dict[str, Any] = {"customer": customer, "product": "starter", "customer_data": data}
        assert await refusal(world, Forbidden, **asked) == ("organization_mismatch", "organization_id")


async def test_where_there_is_no_default_pricing_model_nobody_is_made(world: MemoryWorld) -> None:
    (standard, wholesale) = CATALOG.pricing_models
    await world.apply(replace(CATALOG, pricing_models=(replace(standard, is_default=False), wholesale)))
    asked: dict[str, Any] = {"customer": "bob", "product": "starter", "customer_data": ADA}
    assert await refusal(world, **asked) == ("no_default_pricing_model", None)
    catalog = await world.store.catalog(world.auth)
    (model,) = [one for one in catalog.pricing_models if one.slug == "wholesale"]
    data = CustomerData(pricing_model_id=model.id)
    attached = await attach(world, "bob", product="trade", customer_data=data)
    assert attached.session.status == "succeeded"


async def test_an_archived_plan_is_not_attached(world: MemoryWorld) -> None:
    catalog = await world.store.catalog(world.auth)
    (gone,) = [one for one in catalog.products if one.slug == "starter"]
    (price,) = [one for one in catalog.prices if one.slug == "starter"]
    standard, wholesale = CATALOG.pricing_models
    left = tuple(one for one in PRODUCTS if one.slug != "starter")
    await world.apply(replace(CATALOG, pricing_models=(replace(standard, products=left), wholesale)))
    assert await refusal(world, product=gone.id) == ("price_not_purchasable", "product")
    assert await refusal(world, price=price.id) == ("price_not_purchasable", "price")
    assert await refusal(world, product="starter") == ("product_not_found", "product")


async def test_a_checkout_of_a_trial_that_needs_no_card_is_only_confirmed(world: MemoryWorld) -> None:
    session = await world.session(price="team", customer="alice")
    assert (session.collects, session.amount, session.setup_intent_id) == ("nothing", 2900, None)
    assert world.gateway.calls == []
    await world.confirm(session.id)
    assert plans(world) == {"free": "canceled", "team": "trialing"}
    stranger = await world.session(price="team", customer_email="eve@example.test")
    assert (await world.buyer_confirms(stranger)).status == "succeeded"


async def test_a_trial_that_was_had_meanwhile_is_not_confirmed(world: MemoryWorld) -> None:
    session = await world.session(price="team", customer="alice")
    await attach(world, product="team")
    for code in ("already_subscribed", "checkout_session_not_free"):
        states = world.store.states
        with pytest.raises(Rejected) as refused:
            await world.confirm(session.id)
        assert refused.value.code == code
        assert world.store.states == states
        if code == "already_subscribed":
            await over(world, "team")
