"""Default products: a trial once for each fingerprint; whoever owes something is known to Stripe."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from application.customers.create_customer import CustomerFound
from application.organizations.update_organization import OrganizationChanges
from domain.auth import Authenticated
from domain.catalog_document import (
    CatalogDocument,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    document_of,
)
from domain.customer import NewCustomer
from domain.effects import CreateStripeCustomer, RenewSubscription
from domain.errors import Rejected
from domain.invoice import Invoice
from domain.text import fingerprint_key
from tests.contracts.worlds import COMMAND, REQUEST, World, set_up

DEVICE = "device-7"


def monthly(slug: str, amount: int, **more: Any) -> PriceEntry:
    return PriceEntry(slug=slug, type="subscription", amount=amount, currency="usd", interval="month", **more)


def default(price: PriceEntry, **more: Any) -> ProductEntry:
    return ProductEntry(slug=price.slug, name=price.slug, is_default=True, prices=(price,), **more)


FREE = default(monthly("free", 0))
TRIAL = default(monthly("tried", 4900, trial_days=14, trial_requires_card=False))
PAID = default(monthly("paid", 2900), force_paid_default=True)


def selling(*products: ProductEntry) -> CatalogDocument:
    model = PricingModelEntry(slug="standard", name="Standard", is_default=True, products=products)
    return CatalogDocument(pricing_models=(model,))


async def create(world: World, auth: Authenticated, external_id: str, **draft: Any) -> CustomerFound:
    return await world.create_customer(NewCustomer(external_id=external_id, **draft), auth, REQUEST)


def held(found: CustomerFound) -> list[tuple[str, str]]:
    return [(one.subscription.product_slug, one.subscription.status) for one in found.record.subscriptions]


async def invoices(world: World, auth: Authenticated) -> list[Invoice]:
    return list(await world.store.invoices(auth, 100))


async def test_one_default_of_each_kind_may_stand_in_a_group_and_they_may_trade_places(world: World) -> None:
    auth = await world.organization(catalog=selling(FREE, PAID, TRIAL))
    swapped = selling(
        replace(FREE, prices=(monthly("free", 900),), force_paid_default=True),
        replace(PAID, prices=(monthly("paid", 0),)),
        TRIAL,
    )
    applied = await world.apply_catalog(swapped, auth, REQUEST)
    assert applied.changes
    kinds = {product.slug: product.default_kind for product in (await world.store.catalog(auth)).products}
    assert kinds == {"free": "paid", "paid": "free", "tried": "trial"}
    document = document_of(await world.store.catalog(auth))
    assert (await world.apply_catalog(document, auth, REQUEST)).changes == ()


async def test_a_trial_comes_before_what_is_paid_and_that_before_what_is_free(world: World) -> None:
    auth = await world.organization(catalog=selling(FREE, PAID, TRIAL))
    first = await create(world, auth, "ada", fingerprint=DEVICE)
    second = await create(world, auth, "eve", fingerprint=DEVICE)
    assert (held(first), held(second)) == ([("tried", "trialing")], [("paid", "incomplete")])
    await world.apply_catalog(selling(FREE, TRIAL), auth, REQUEST)
    third = await create(world, auth, "mal", fingerprint=DEVICE)
    assert held(third) == [("free", "active")]
    assert held(await create(world, auth, "bob", fingerprint="another")) == [("tried", "trialing")]
    assert held(await create(world, auth, "joe")) == [("tried", "trialing")]


async def test_a_fingerprint_of_another_organization_or_mode_takes_no_trial_away(world: World) -> None:
    catalog = selling(FREE, TRIAL)
    auth, other = await world.organization(catalog=catalog), await world.organization("b", catalog=catalog)
    live = replace(auth, livemode=True)
    await world.apply_catalog(catalog, live, REQUEST)
    for tenant in (auth, other, live):
        assert held(await create(world, tenant, "ada", fingerprint=DEVICE)) == [("tried", "trialing")]


async def test_of_eight_customers_at_once_with_one_fingerprint_one_has_the_trial(world: World) -> None:
    auth = await world.organization(catalog=selling(FREE, TRIAL))
    found = await asyncio.gather(*(create(world, auth, f"c{n}", fingerprint=DEVICE) for n in range(8)))
    assert Counter(one for each in found for one in held(each)) == {
        ("tried", "trialing"): 1,
        ("free", "active"): 7,
    }
    types = Counter(await world.event_types(auth))
    assert (types["customer.created"], types["subscription.created"]) == (8, 8)


async def test_a_trial_renews_when_it_is_over(world: World) -> None:
    auth = await world.organization(catalog=selling(TRIAL))
    (trial,) = (await create(world, auth, "ada")).record.subscriptions
    ends = trial.subscription.trial_ends_at
    assert ends is not None
    world.clock.advance(ends - world.clock.now())
    (task,) = [task for task in await world.lease() if isinstance(task.effect, RenewSubscription)]
    await world.effects(task)
    (invoice,) = await invoices(world, auth)
    assert (invoice.total, invoice.period_start) == (4900, ends)
    renewed = await world.store.subscription(auth, trial.subscription.id)
    assert renewed is not None
    assert renewed.subscription.status == "active"


async def test_a_fingerprint_that_becomes_known_later_counts_for_the_trial_that_was_had(world: World) -> None:
    auth = await world.organization(catalog=selling(FREE, TRIAL))
    draft = NewCustomer(external_id=None, email="ada@example.test")
    assert held(await world.create_customer(draft, auth, REQUEST)) == [("tried", "trialing")]
    claimed = await create(world, auth, "ada", email="ada@example.test", fingerprint=DEVICE)
    assert claimed.record.subscriptions[0].subscription.trial_fingerprint == fingerprint_key(DEVICE)
    assert held(await create(world, auth, "eve", fingerprint=DEVICE)) == [("free", "active")]


async def test_a_trial_that_is_bought_is_given_once_for_a_fingerprint_too(world: World) -> None:
    on_trial = ProductEntry(slug="pro", name="Pro", prices=(monthly("pro", 4900, trial_days=14),))
    auth = await world.organization(catalog=selling(on_trial))
    for name in ("ada", "eve"):
        await create(world, auth, name, fingerprint=DEVICE)
    sessions = [await world.session(auth, price="pro", customer=name) for name in ("ada", "eve")]
    booked = await asyncio.gather(
        *(world.report(set_up(session), f"evt_{n}") for n, session in enumerate(sessions))
    )
    assert [one.refusal for one in booked] == [None, None]
    offers = [await world.store.offer(session.id) for session in sessions]
    assert [offer.trial_used for offer in offers if offer] == [True, True]
    subscriptions = await world.store.subscriptions(auth, 10)
    assert sorted(one.subscription.status for one in subscriptions) == ["incomplete", "trialing"]


async def test_who_got_no_trial_may_buy_the_product_and_pays_from_the_first_day(world: World) -> None:
    auth = await world.organization(catalog=selling(FREE, TRIAL))
    for name in ("ada", "eve"):
        await create(world, auth, name, fingerprint=DEVICE)
    with pytest.raises(Rejected) as refused:
        await world.session(auth, price="tried", customer="ada")
    assert refused.value.code == "already_subscribed"
    with pytest.raises(Rejected) as refused:
        await world.session(auth, price="free", customer="eve")
    assert refused.value.code == "already_subscribed"
    session = await world.session(auth, price="tried", customer="eve")
    assert (await world.report(set_up(session))).refusal is None
    (bought,) = await world.store.subscriptions(auth, 10, customer="eve", status="incomplete")
    assert (bought.subscription.product_slug, bought.subscription.trial_ends_at) == ("tried", None)


async def test_who_owes_something_is_answered_with_who_they_are_at_stripe(world: World) -> None:
    auth = await world.organization(catalog=selling(PAID))
    found = await create(world, auth, "ada", email="ada@example.test", name="Ada")
    (at_stripe,) = world.gateway.customers
    assert (held(found), found.record.customer.stripe_customer_id) == ([("paid", "incomplete")], at_stripe.id)
    (invoice,) = await invoices(world, auth)
    assert invoice.receipt_email is None
    assert (invoice.amount_due, invoice.subscription_id) == (
        2900,
        found.record.subscriptions[0].subscription.id,
    )
    (task,) = [task for task in await world.lease() if isinstance(task.effect, CreateStripeCustomer)]
    await world.effects(task)
    assert len(world.gateway.customers) == 1
    assert (await world.event_types(auth)).count("customer.updated") == 1


async def test_a_receipt_for_a_paid_default_is_sent_where_the_organization_wants_it(world: World) -> None:
    auth = await world.organization(catalog=selling(PAID))
    wanted = OrganizationChanges(sends_receipts=True)
    await world.update_organization(wanted, replace(auth, livemode=True), COMMAND)
    await create(world, auth, "ada", email="ada@example.test")
    (invoice,) = await invoices(world, auth)
    assert invoice.receipt_email == "ada@example.test"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_where_stripe_does_not_answer_the_reply_is_given_and_the_worker_goes_on(
    world: World, when: Any
) -> None:
    auth = await world.organization(catalog=selling(PAID))
    world.gateway.fail_next(when)
    found = await create(world, auth, "ada")
    assert (found.created, found.record.customer.stripe_customer_id) == (True, None)
    for task in await world.lease():
        if isinstance(task.effect, CreateStripeCustomer):
            await world.effects(task)
    record = await world.store.customer(auth, "ada")
    assert record is not None
    assert record.customer.stripe_customer_id == world.gateway.customers[0].id
    assert len(world.gateway.customers) == 1


async def test_whoever_finds_it_undone_does_it(world: World) -> None:
    auth = await world.organization(catalog=selling(PAID))
    world.gateway.fail_next("after")
    await create(world, auth, "ada")
    again = await create(world, auth, "ada")
    (at_stripe,) = world.gateway.customers
    assert (again.created, again.record.customer.stripe_customer_id) == (False, at_stripe.id)


async def test_a_claim_asks_stripe_for_whom_it_found(world: World) -> None:
    """Else the worker, who asks with the same key, would be refused."""
    auth = await world.organization(catalog=selling(PAID))
    world.gateway.fail_next("before")
    draft = NewCustomer(external_id=None, email="ada@example.test")
    await world.create_customer(draft, auth, REQUEST)
    claimed = await create(world, auth, "ada", email="ada@example.test", name="Ada")
    (at_stripe,) = world.gateway.customers
    assert (at_stripe.customer.external_id, claimed.record.customer.stripe_customer_id) == (
        None,
        at_stripe.id,
    )
    for task in await world.lease():
        if isinstance(task.effect, CreateStripeCustomer):
            await world.effects(task)
    assert len(world.gateway.customers) == 1


async def test_a_claim_that_says_who_somebody_is_at_stripe_asks_for_nobody(world: World) -> None:
    auth = await world.organization(catalog=selling(PAID))
    world.gateway.fail_next("before")
    draft = NewCustomer(external_id=None, email="ada@example.test")
    await world.create_customer(draft, auth, REQUEST)
    claimed = await create(world, auth, "ada", email="ada@example.test", stripe_customer_id="cus_S1")
    assert claimed.record.customer.stripe_customer_id == "cus_S1"
    for task in await world.lease():
        if isinstance(task.effect, CreateStripeCustomer):
            await world.effects(task)
    assert world.gateway.customers == []


async def test_once_the_customer_has_changed_only_the_worker_asks_stripe(world: World) -> None:
    """It alone knows what was asked for with the key; whoever asks for something else takes the key away."""
    auth = await world.organization(catalog=selling(PAID))
    email = "ada@example.test"
    for draft in (NewCustomer(external_id=None, email=email), NewCustomer(external_id="ada", email=email)):
        world.gateway.fail_next("before")
        await world.create_customer(draft, auth, REQUEST)
    asked = len(world.gateway.calls)
    again = await create(world, auth, "ada")
    assert (again.record.customer.stripe_customer_id, len(world.gateway.calls)) == (None, asked)
    (task,) = [task for task in await world.lease() if isinstance(task.effect, CreateStripeCustomer)]
    await world.effects(task)
    assert (await create(world, auth, "ada")).record.customer.stripe_customer_id is not None


async def test_of_eight_at_once_all_are_answered_with_one_customer_at_stripe(world: World) -> None:
    auth = await world.organization(catalog=selling(PAID))
    found = await asyncio.gather(*(create(world, auth, "ada", email="ada@example.test") for _ in range(8)))
    (at_stripe,) = world.gateway.customers
    assert {one.record.customer.stripe_customer_id for one in found} == {at_stripe.id}
    assert sum(one.created for one in found) == 1
    types = Counter(await world.event_types(auth))
    for once in ("customer.created", "subscription.created", "invoice.created", "customer.updated"):
        assert types[once] == 1, once


async def test_creating_and_claiming_at_once_makes_one_customer_at_stripe(world: World) -> None:
    auth = await world.organization(catalog=selling(PAID))
    email = "ada@example.test"
    await world.create_customer(NewCustomer(external_id=None, email=email), auth, REQUEST)
    drafts = (NewCustomer(external_id=ref, email=email, name=ref) for ref in ("ada", None) * 4)
    found = await asyncio.gather(*(world.create_customer(draft, auth, REQUEST) for draft in drafts))
    for task in await world.lease():
        if isinstance(task.effect, CreateStripeCustomer):
            await world.effects(task)
    by_customer = {one.record.customer.id for one in found}
    assert len(world.gateway.customers) == len(by_customer)
