"""What the repositories promise: what one decision needs, of one tenant, as of one moment."""

import asyncio
from collections import Counter
from functools import partial
from itertools import permutations

import pytest
from msgspec.structs import replace

from application.ports import EventFilter
from domain.auth import Authenticated
from domain.catalog_document import CatalogDocument, PriceEntry, ProductEntry
from domain.checkout import CheckoutSession, NewProductSession
from domain.customer import NewCustomer
from domain.errors import Unavailable
from domain.events import RecordedEvent
from domain.ids import CheckoutSessionId, PricingModelId
from domain.intent import Attempt
from domain.payment import PaymentFact
from tests import builders
from tests.contracts.worlds import CATALOG, REQUEST, World, fact_of

DECLINED = Attempt("ch_1", "failed", "card_declined", "Your card was declined.")


async def test_an_unknown_key_is_nobodys(world: World) -> None:
    await world.organization()
    assert await world.store.by_api_key("0" * 64) is None


async def test_a_customer_is_found_by_id_and_by_external_id(world: World) -> None:
    auth = await world.organization()
    ada = (await world.customer(auth)).record.customer
    by_id, by_external_id = await world.store.customer(auth, ada.id), await world.store.customer(auth, "ada")
    assert by_id == by_external_id
    assert by_id is not None
    assert await world.store.customer(auth, "bob") is None


async def test_terms_are_those_of_the_named_pricing_model_else_of_the_default(world: World) -> None:
    auth = await world.organization()
    models = {model.slug: model for model in (await world.store.catalog(auth)).pricing_models}
    default = (await world.store.creation_context(auth, NewCustomer(external_id="ada"))).terms
    named = (
        await world.store.creation_context(
            auth, NewCustomer(external_id="ada", pricing_model_id=models["partner"].id)
        )
    ).terms
    unknown = (
        await world.store.creation_context(
            auth, NewCustomer(external_id="ada", pricing_model_id=PricingModelId("pm_none"))
        )
    ).terms
    assert default.pricing_model == models["standard"]
    assert [plan.product.slug for plan in default.defaults] == ["free"]
    assert [price.slug for price in default.defaults[0].prices] == ["free-monthly"]
    assert (named.pricing_model, named.defaults) == (models["partner"], ())
    assert unknown.pricing_model is None


async def test_what_is_archived_is_not_offered(world: World) -> None:
    auth = await world.organization()
    models = {model.slug: model for model in (await world.store.catalog(auth)).pricing_models}
    course = next(p for p in (await world.store.catalog(auth)).prices if p.slug == "course")
    await world.apply_catalog(CatalogDocument(), auth, REQUEST)
    catalog = await world.store.catalog(auth)
    assert (catalog.pricing_models, catalog.products, catalog.prices, catalog.features) == ((), (), (), ())
    assert (
        await world.store.creation_context(auth, NewCustomer(external_id="ada"))
    ).terms.pricing_model is None
    assert (
        await world.store.creation_context(
            auth, NewCustomer(external_id="ada", pricing_model_id=models["standard"].id)
        )
    ).terms.pricing_model is None
    assert (await world.store.opening_context(auth, builders.asked("course"))).price is None
    by_id = await world.store.opening_context(auth, builders.asked(course.id))
    assert by_id.price is not None
    assert by_id.price.archived_at is not None


async def test_a_slug_is_looked_up_in_the_buyers_pricing_model(world: World) -> None:
    auth = await world.organization()
    standard, partner = CATALOG.pricing_models
    cheaper = replace(
        standard.products[1],
        prices=(PriceEntry(slug="course", type="single_payment", amount=999, currency="usd"),),
    )
    document = replace(CATALOG, pricing_models=(standard, replace(partner, products=(cheaper,))))
    await world.apply_catalog(document, auth, REQUEST)
    model = next(m for m in (await world.store.catalog(auth)).pricing_models if m.slug == "partner")
    await world.create_customer(NewCustomer(external_id="ada", pricing_model_id=model.id), auth, REQUEST)
    for_ada = await world.store.opening_context(auth, builders.asked("course", "ada"))
    for_anybody = await world.store.opening_context(auth, builders.asked("course"))
    for_nobody = await world.store.opening_context(auth, builders.asked("course", "bob"))
    assert for_ada.price is not None
    assert for_ada.product is not None
    assert for_anybody.price is not None
    assert (for_ada.price.amount, for_anybody.price.amount) == (999, 1999)
    assert for_ada.product.id == for_ada.price.product_id
    assert (for_nobody.customer, for_nobody.price) == (None, None)


async def test_nothing_of_another_organization_or_mode_is_seen(world: World) -> None:
    acme = await world.organization()
    ada = (await world.customer(acme)).record.customer
    session = await world.session(acme, customer="ada")
    await world.report(fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded"))
    await world.events(acme)
    other = await world.organization("other", catalog=CatalogDocument())
    for stranger in (other, replace(acme, livemode=True)):
        await _sees_nothing(world, stranger, ada.id, session)


async def _sees_nothing(
    world: World, stranger: Authenticated, customer_id: str, session: CheckoutSession
) -> None:
    assert await world.store.customer(stranger, customer_id) is None
    assert await world.store.customer(stranger, "ada") is None
    assert await world.store.session(stranger, session.id) is None
    assert (await world.store.catalog(stranger)).prices == ()
    assert (await world.store.opening_context(stranger, builders.asked(session.price_id or ""))).price is None
    assert (await world.store.creation_context(stranger, NewCustomer(external_id="ada"))).existing is None
    events = await world.store.page(stranger, EventFilter(limit=1000))
    assert not any(event.subject.id in (customer_id, session.id) for event in events)
    fact = replace(fact_of(session), organization_id=stranger.organization_id, livemode=stranger.livemode)
    context = await world.store.fact_context(fact, "evt_1")
    assert (context.handled, context.session, context.payment, context.ground.purchase) == (
        False,
        None,
        None,
        None,
    )


async def test_a_buyer_is_offered_the_terms_of_the_price_they_bought_while_those_are_sold(
    world: World,
) -> None:
    auth = await world.organization()
    standard, partner = CATALOG.pricing_models
    sold = ProductEntry(
        slug="course",
        name="Course",
        prices=(PriceEntry(slug="course", type="single_payment", amount=999, currency="usd"),),
    )
    given = ProductEntry(slug="trade", name="Trade", group="trade", is_default=True)
    partners = replace(partner, products=(sold, given))
    await world.apply_catalog(replace(CATALOG, pricing_models=(standard, partners)), auth, REQUEST)
    models = {model.slug: model.id for model in (await world.store.catalog(auth)).pricing_models}
    price = next(
        p for p in (await world.store.catalog(auth)).prices if p.pricing_model_id == models["partner"]
    )
    draft = NewProductSession(price=price.id, anonymous=True)
    fact = fact_of(await world.open_checkout_session(draft, auth, REQUEST))
    bought = (await world.store.fact_context(fact, "evt_1")).ground.terms
    assert bought.pricing_model is not None
    assert (bought.pricing_model.slug, [plan.product.slug for plan in bought.defaults]) == (
        "partner",
        ["trade"],
    )
    await world.apply_catalog(
        CatalogDocument(pricing_models=(replace(standard, products=()),)), auth, REQUEST
    )
    fallback = (await world.store.fact_context(fact, "evt_1")).ground.terms
    assert fallback.pricing_model is not None
    assert (fallback.pricing_model.slug, fallback.defaults) == ("standard", ())


async def test_a_fact_that_names_nobody_finds_nothing(world: World) -> None:
    await world.organization()
    fact = PaymentFact("pi_1", False, 100, "usd")
    context = await world.store.fact_context(fact, "evt_1")
    assert (context.handled, context.session, context.ground.terms.pricing_model) == (False, None, None)
    assert (await world.report(fact)).refusal == "payment_intent_not_ours"
    assert not (await world.store.fact_context(fact, "evt_1")).handled


async def test_an_intent_that_pays_one_session_does_not_pay_another(world: World) -> None:
    auth = await world.organization()
    paid = await world.session(auth)
    world.gateway.fail_next("before")
    with pytest.raises(Unavailable):
        await world.session(auth)
    unpaid = CheckoutSessionId((await world.events(auth))[-1].subject.id)
    assert unpaid != paid.id
    fact = replace(
        fact_of(paid, Attempt("ch_1", "succeeded"), ending="succeeded"), checkout_session_id=unpaid
    )
    assert (await world.store.fact_context(fact, "evt_1")).completing == paid.id
    assert (await world.report(fact)).refusal == "payment_intent_mismatch"
    session = await world.store.session(auth, unpaid)
    assert session is not None
    assert (session.status, session.payment_intent_id) == ("open", None)


async def test_a_session_is_found_by_its_public_id_whosever_it_is(world: World) -> None:
    session = await world.session(await world.organization())
    await world.organization("other")
    context = await world.store.return_context(session.id)
    assert context is not None
    assert context.session == session
    assert context.ground.terms.pricing_model is not None
    assert await world.store.return_context(CheckoutSessionId("cs_none")) is None


async def test_what_is_offered_is_found_by_the_sessions_public_id(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth, quantity=2)
    await world.organization("other")
    offer = await world.store.offer(session.id)
    assert offer is not None
    assert offer.product is not None
    assert (offer.session, offer.product.name, offer.seller) == (session, "Course", "acme")
    assert (offer.payment, offer.refusal) == (None, None)
    await world.report(fact_of(session, DECLINED))
    refused = await world.store.offer(session.id)
    assert refused is not None
    assert refused.refusal == "Your card was declined."
    assert await world.store.offer(CheckoutSessionId("cs_none")) is None


async def test_a_stranger_pays_and_everything_is_in_the_books(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth, quantity=3)
    start = len(await world.events(auth))
    booked = await world.report(fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded"))
    assert booked.session is not None
    assert booked.session.customer_id is not None
    record = await world.store.customer(auth, booked.session.customer_id)
    assert record is not None
    assert [r.subscription.product_slug for r in record.subscriptions] == ["free"]
    assert await world.event_types(auth, after=start) == [
        "customer.created",
        "subscription.created",
        "subscription_item.created",
        "balance.granted",
        "purchase.created",
        "purchase.completed",
        "invoice.created",
        "invoice.paid",
        "payment.succeeded",
        "checkout_session.succeeded",
    ]


async def test_every_order_of_facts_ends_in_one_state(world: World) -> None:
    """Each permutation of created, processing, failed and succeeded, with each of them told twice."""
    auth = await world.organization()
    orders = sorted({order for again in range(4) for order in permutations((0, 1, 2, 3, again))})
    assert len(orders) == 240
    sessions = [await world.session(auth) for _ in orders]
    for n in range(0, len(orders), 12):
        await asyncio.gather(*map(partial(_told, world), sessions[n : n + 12], orders[n : n + 12]))
    told: Counter[tuple[str, str]] = Counter(
        (event.subject.id, event.type) for event in await _all_events(world, auth)
    )
    assert {await _outcome(world, session, told) for session in sessions} == {
        ("succeeded", "succeeded", ("failed", "succeeded"), "paid", (1, 1, 1, 1))
    }


async def _told(world: World, session: CheckoutSession, order: tuple[int, ...]) -> None:
    facts = (
        fact_of(session),
        fact_of(session, Attempt("ch_2", "pending")),
        fact_of(session, DECLINED),
        fact_of(session, Attempt("ch_2", "succeeded"), ending="succeeded"),
    )
    for kind in order:
        await world.report(facts[kind], f"evt_{session.id}_{kind}")


async def _all_events(world: World, auth: Authenticated) -> list[RecordedEvent]:
    events: list[RecordedEvent] = []
    while page := await world.events(auth, after=events[-1].sequence if events else 0):
        events += page
    return events


async def _outcome(
    world: World, session: CheckoutSession, told: Counter[tuple[str, str]]
) -> tuple[str, str, tuple[str, ...], str, tuple[int, ...]]:
    context = await world.store.return_context(session.id)
    assert context is not None
    now, payment, purchase, customer = (
        context.session,
        context.payment,
        context.ground.purchase,
        context.ground.customer,
    )
    assert now is not None
    assert payment is not None
    assert purchase is not None
    assert customer is not None
    assert payment.customer_id == purchase.customer_id == now.customer_id == customer.id
    assert payment.purchase_id == now.purchase_id == purchase.id
    once = (
        told[customer.id, "customer.created"],
        told[purchase.id, "purchase.completed"],
        told[payment.id, "payment.failed"],
        told[payment.id, "payment.succeeded"],
    )
    attempts = tuple(attempt.status for attempt in payment.attempts)
    return now.status, payment.status, attempts, purchase.status, once


async def test_twenty_deliveries_at_once_book_one_payment(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth)
    succeeded = fact_of(session, Attempt("ch_2", "succeeded"), ending="succeeded")
    deliveries = [(succeeded, "evt_3")] * 20
    deliveries += [
        (fact_of(session, Attempt("ch_2", "pending")), "evt_2"),
        (fact_of(session, DECLINED), "evt_1"),
    ]
    await asyncio.gather(*(world.report(fact, event_id) for fact, event_id in deliveries))
    types = await world.event_types(auth)
    for once in (
        "customer.created",
        "purchase.created",
        "purchase.completed",
        "payment.succeeded",
        "payment.failed",
    ):
        assert types.count(once) == 1, once
