"""What `EventOutbox.commit` promises: everything or nothing, and never on something stale."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain import customer
from domain.catalog_document import CatalogDocument, PricingModelEntry, ProductEntry
from domain.change import Change, stored
from domain.customer import Customer, NewCustomer
from domain.defaults import CustomerTerms
from domain.errors import Conflict, StaleState
from domain.events import Event
from domain.ids import PricingModelId, ProductId
from domain.intent import Attempt
from tests.contracts.worlds import CATALOG, REQUEST, World, fact_of, inbound


def renamed(known: Customer, name: str) -> Change[Customer]:
    return Change(replace(known, name=name), (Event("customer.updated"),), known)


async def test_state_and_events_are_stored_together(world: World) -> None:
    auth = await world.organization()
    before = len(await world.events(auth))
    found = await world.customer(auth)
    assert found.created
    record = await world.store.customer(auth, "ada")
    assert record is not None
    assert record.customer == stored(found.record.customer)
    assert await world.event_types(auth, after=before) == [
        "customer.created",
        "subscription.created",
        "subscription_item.created",
        "balance.granted",
    ]


async def test_what_is_read_is_what_was_stored_in_every_field(world: World) -> None:
    auth = await world.organization()
    draft = NewCustomer(
        external_id="ada", email="Ada@Example.com", name="Ada ✓", metadata={"a": "1", "ü": '"'}
    )
    made = (await world.create_customer(draft, auth, REQUEST)).record
    record = await world.store.customer(auth, made.customer.id)
    assert record is not None
    assert record.customer == stored(made.customer)
    assert [r.subscription for r in record.subscriptions] == [
        stored(r.subscription) for r in made.subscriptions
    ]
    assert [r.items for r in record.subscriptions] == [
        tuple(map(stored, r.items)) for r in made.subscriptions
    ]
    session = await world.session(auth, quantity=2, customer="ada")
    assert await world.store.session(auth, session.id) == session
    fact = fact_of(session, Attempt("ch_1", "failed", "card_declined", "No."), Attempt("ch_2", "pending"))
    await world.report(fact)
    context = await world.store.fact_context(fact, "evt_1")
    assert context.payment is not None
    assert context.payment.attempts == fact.attempts
    assert context.ground.purchase is not None
    assert (context.ground.purchase.quantity, context.ground.purchase.amount) == (2, 3998)
    assert context.session is not None
    assert context.session.purchase_id == context.ground.purchase.id
    catalog = await world.store.catalog(auth)
    (seats,) = [f for p in catalog.products for f in p.features]
    assert (seats.included, seats.reset) == (1, "month")


async def test_a_stale_change_stores_nothing(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)
    work = world.work(auth)
    work.record(renamed(known, "first"))
    await world.store.commit(work)
    count = len(await world.events(auth))

    terms = (await world.store.creation_context(auth, NewCustomer(external_id="bob"))).terms
    stale = world.work(auth)
    creation, _ = customer.create(NewCustomer(external_id="bob"), auth, terms, world.ids, world.clock.now())
    stale.record(creation)
    stale.record(renamed(known, "second"))
    with pytest.raises(StaleState):
        await world.store.commit(stale)
    assert await world.store.customer(auth, "bob") is None
    record = await world.store.customer(auth, "ada")
    assert record is not None
    assert record.customer.name == "first"
    assert len(await world.events(auth)) == count
    assert len(await world.lease()) == 1


async def test_a_taken_key_stores_nothing(world: World) -> None:
    auth = await world.organization()
    terms = (await world.store.creation_context(auth, NewCustomer(external_id="ada"))).terms
    await world.customer(auth)
    count = len(await world.events(auth))
    work = world.work(auth)
    for external_id in ("bob", "ada"):
        creation, _ = customer.create(
            NewCustomer(external_id=external_id), auth, terms, world.ids, world.clock.now()
        )
        work.record(creation)
    with pytest.raises(Conflict):
        await world.store.commit(work)
    assert await world.store.customer(auth, "bob") is None
    assert len(await world.events(auth)) == count


async def test_a_reference_to_nothing_is_refused_whole(world: World) -> None:
    auth = await world.organization()
    terms = (await world.store.creation_context(auth, NewCustomer(external_id="ada"))).terms
    assert terms.pricing_model is not None
    other = replace(terms.pricing_model, id=world.ids.new(PricingModelId))
    creation, _ = customer.create(
        NewCustomer(external_id="ada"), auth, CustomerTerms(other), world.ids, world.clock.now()
    )
    work = world.work(auth)
    work.record(creation)
    with pytest.raises(Exception, match=r".*"):
        await world.store.commit(work)
    assert await world.store.customer(auth, "ada") is None


async def test_only_one_of_many_changes_of_one_state_is_stored(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)

    async def rename(name: str) -> bool:
        work = world.work(auth)
        work.record(renamed(known, name))
        try:
            await world.store.commit(work)
        except StaleState:
            return False
        return True

    assert sum(await asyncio.gather(*(rename(str(n)) for n in range(12)))) == 1
    assert (await world.event_types(auth)).count("customer.updated") == 1


async def test_eight_racing_creations_make_one_customer(world: World) -> None:
    auth = await world.organization()
    found = await asyncio.gather(*(world.customer(auth) for _ in range(8)))
    assert len({f.record.customer.id for f in found}) == 1
    assert sum(f.created for f in found) == 1
    types = await world.event_types(auth)
    assert types.count("customer.created") == types.count("subscription.created") == 1
    assert len(await world.lease()) == 1


async def test_racing_catalogs_do_not_mix(world: World) -> None:
    auth = await world.organization(catalog=CatalogDocument())
    documents = [
        CatalogDocument(pricing_models=(PricingModelEntry(slug=f"m{n}", name=f"M{n}"),)) for n in range(4)
    ]
    await asyncio.gather(*(world.apply_catalog(document, auth, REQUEST) for document in documents))
    assert len((await world.store.catalog(auth)).pricing_models) == 1


async def test_the_default_can_change_hands_in_one_commit(world: World) -> None:
    auth = await world.organization()
    standard, partner = CATALOG.pricing_models
    swapped = CatalogDocument(
        features=CATALOG.features,
        pricing_models=(
            replace(standard, is_default=False),
            replace(partner, is_default=True),
        ),
    )
    await world.apply_catalog(swapped, auth, REQUEST)
    await world.apply_catalog(CATALOG, auth, REQUEST)
    replaced = replace(CATALOG, pricing_models=(replace(standard, slug="new"),))
    await world.apply_catalog(replaced, auth, REQUEST)
    (model,) = (await world.store.catalog(auth)).pricing_models
    assert (model.slug, model.is_default) == ("new", True)


async def test_default_products_can_trade_groups_in_one_commit(world: World) -> None:
    def catalog(first: str, second: str) -> CatalogDocument:
        products = tuple(
            ProductEntry(slug=slug, name=slug, group=group, is_default=True)
            for slug, group in (("p", first), ("q", second))
        )
        model = PricingModelEntry(slug="standard", name="Standard", is_default=True, products=products)
        return CatalogDocument(pricing_models=(model,))

    auth = await world.organization(catalog=catalog("a", "b"))
    for first, second in (("b", "a"), ("a", "c"), ("c", "b")):
        await world.apply_catalog(catalog(first, second), auth, REQUEST)
        products = (await world.store.catalog(auth)).products
        assert [product.group for product in products] == [first, second]


async def test_two_default_products_of_one_group_are_refused(world: World) -> None:
    auth = await world.organization()
    free = next(product for product in (await world.store.catalog(auth)).products if product.is_default)
    twin = replace(free, id=world.ids.new(ProductId), slug="twin", version=0)
    work = world.work(auth)
    work.record(Change(twin, (Event("product.created"),)))
    with pytest.raises(Conflict):
        await world.store.commit(work)
    assert len((await world.store.catalog(auth)).products) == 3


async def test_an_inbound_event_is_handled_once(world: World) -> None:
    auth = await world.organization()
    session = await world.session(auth)
    fact = fact_of(session)
    assert not (await world.store.fact_context(fact, "evt_9")).handled
    await world.store.commit(world.work(auth, inbound(fact, "evt_9", refusal="not_yet")))
    assert not (await world.store.fact_context(fact, "evt_9")).handled
    await world.store.commit(world.work(auth, inbound(fact, "evt_9")))
    assert (await world.store.fact_context(fact, "evt_9")).handled
    with pytest.raises(StaleState):
        await world.store.commit(world.work(auth, inbound(fact, "evt_9")))


async def test_a_handled_inbound_event_takes_the_whole_work_with_it(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)
    fact = fact_of(await world.session(auth))
    await world.store.commit(world.work(auth, inbound(fact)))
    work = world.work(auth, inbound(fact))
    work.record(renamed(known, "twice"))
    with pytest.raises(StaleState):
        await world.store.commit(work)
    assert "customer.updated" not in await world.event_types(auth)


async def test_a_task_ends_with_the_work_it_caused(world: World) -> None:
    auth = await world.organization()
    known = stored((await world.customer(auth)).record.customer)
    (task,) = await world.lease()
    work = world.work(auth, task)
    work.record(renamed(known, "done"))
    await world.worker_store.commit(work)
    world.clock.advance(timedelta(hours=1))
    assert await world.lease() == []
    again = world.work(auth, task)
    again.record(renamed(stored(known), "done again"))
    with pytest.raises(StaleState):
        await world.worker_store.commit(again)
    await world.worker_store.commit(world.work(auth, task))


async def test_one_work_may_span_both_modes_and_is_still_whole(world: World) -> None:
    auth = await world.organization()
    live = replace(auth, livemode=True)
    await world.apply_catalog(CATALOG, live, REQUEST)
    known = stored((await world.customer(auth)).record.customer)
    terms = (await world.store.creation_context(live, NewCustomer(external_id="ada"))).terms
    work = world.work(live)
    creation, _ = customer.create(NewCustomer(external_id="ada"), live, terms, world.ids, world.clock.now())
    work.record(creation)
    work.record(renamed(replace(known, version=7), "stale"))
    with pytest.raises(StaleState):
        await world.store.commit(work)
    assert await world.store.customer(live, "ada") is None


async def test_an_id_is_used_once(world: World) -> None:
    auth = await world.organization()
    known = (await world.customer(auth)).record.customer
    work = world.work(auth)
    work.record(Change(replace(known, external_id="other"), (Event("customer.created"),)))
    with pytest.raises(Conflict):
        await world.store.commit(work)
