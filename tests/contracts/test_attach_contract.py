"""What is attached: once, and with its customer, however many ask at once; on every store."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from application.checkout.attach_product import Attached
from application.checkout.complete_free_checkout import SellerConfirms
from application.organizations.update_organization import OrganizationChanges
from domain.attaching import NewAttachment
from domain.auth import Authenticated
from domain.change import Change
from domain.customer import CustomerData
from domain.entity import Entity, NewEntity
from domain.errors import NotFound, Rejected
from domain.events import Event
from domain.ids import SubscriptionId
from domain.subscription import Subscription
from tests.attachables import CATALOG
from tests.contracts.worlds import COMMAND, REQUEST, World, set_up

ADA = CustomerData(email="ada@example.test", name="Ada")


async def attach(world: World, auth: Authenticated, customer: str = "ada", **asked: Any) -> Attached:
    return await world.attach_product(NewAttachment(customer=customer, **asked), auth, REQUEST)


async def opened(world: World, slug: str = "acme") -> Authenticated:
    return await world.organization(slug, catalog=CATALOG)


async def held(world: World, auth: Authenticated, customer: str = "ada") -> list[Subscription]:
    record = await world.store.customer(auth, customer)
    assert record is not None
    return [one.subscription for one in record.subscriptions]


async def end(world: World, auth: Authenticated, known: Subscription) -> None:
    """The subscription is over."""
    work = world.work(auth)
    after = replace(known, status="canceled", canceled_at=world.clock.now(), cancellation_reason="requested")
    work.record(Change(after, (Event("subscription.canceled"),), known))
    await world.store.commit(work)


async def test_what_is_free_is_had_at_once_in_place_of_the_plan_that_was_given(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    (free,) = await held(world, auth)
    attached = await attach(world, auth, product="starter", quantity=2)
    assert attached.session.status == "succeeded"
    assert attached.subscription is not None
    starter = attached.subscription.subscription
    assert [one.id for one in await held(world, auth)] == [starter.id]
    assert (starter.product_slug, starter.status, starter.is_free) == ("starter", "active", True)
    assert [item.quantity for item in attached.subscription.items] == [2]
    replaced = await world.store.subscription(auth, free.id)
    assert replaced is not None
    assert (replaced.subscription.status, replaced.subscription.replaced_by) == ("canceled", starter.id)
    session = await world.store.session(auth, attached.session.id)
    assert session == attached.session
    assert session.purchase_id is not None
    purchase = await world.store.purchase(auth, session.purchase_id)
    assert purchase is not None
    assert (purchase.status, purchase.amount, purchase.quantity) == ("paid", 0, 2)
    assert world.gateway.calls == []


async def test_of_any_number_at_once_one_attaches_it_and_the_others_are_told(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    for wanted in ({"product": "starter"}, {"price": "team"}):
        answers = await asyncio.gather(
            *(attach(world, auth, **wanted) for _ in range(10)), return_exceptions=True
        )
        (attached,) = [one for one in answers if isinstance(one, Attached)]
        assert {one.code for one in answers if isinstance(one, Rejected)} == {"already_subscribed"}
        assert attached.subscription is not None
        assert [one.id for one in await held(world, auth)] == [attached.subscription.subscription.id]
    assert Counter(await world.event_types(auth))["subscription.created"] == 3


async def test_a_customer_whom_nobody_knows_is_made_in_the_same_commit_once(world: World) -> None:
    auth = await opened(world)
    answers = await asyncio.gather(
        *(attach(world, auth, product="starter", customer_data=ADA) for _ in range(8)),
        *(attach(world, auth, product="sample", customer_data=ADA) for _ in range(4)),
        return_exceptions=True,
    )
    attached = [one for one in answers if isinstance(one, Attached)]
    assert len(attached) == 5
    assert len({one.session.customer_id for one in attached}) == 1
    record = await world.store.customer(auth, "ada")
    assert record is not None
    assert (record.customer.email, record.customer.name) == ("ada@example.test", "Ada")
    assert [one.product_slug for one in await held(world, auth)] == ["starter"]
    events = Counter(await world.event_types(auth))
    assert (events["customer.created"], events["subscription.created"]) == (1, 2)
    assert events["purchase.completed"] == 5


async def test_who_is_refused_is_not_made_either(world: World) -> None:
    auth = await opened(world)
    for wanted in ({"product": "pack"}, {"price": "nothing"}, {"product": "nobody-sells-this"}):
        with pytest.raises(Rejected):
            await attach(world, auth, customer_data=ADA, **wanted)
    assert await world.store.customer(auth, "ada") is None
    with pytest.raises(NotFound) as refused:
        await attach(world, auth, product="starter")
    assert refused.value.code == "customer_not_found"


async def test_a_trial_that_needs_no_card_begins_at_once_and_once(world: World) -> None:
    auth = await opened(world)
    attached = await attach(world, auth, product="team", customer_data=ADA)
    assert attached.subscription is not None
    team = attached.subscription.subscription
    assert (team.status, team.is_free, team.payment_method_id) == ("trialing", False, None)
    assert team.trial_ends_at == team.current_period_end
    with pytest.raises(Rejected) as refused:
        await attach(world, auth, product="team")
    assert refused.value.code == "already_subscribed"
    (known,) = await held(world, auth)
    await end(world, auth, known)
    again = await attach(world, auth, product="team")
    assert (again.session.status, again.session.collects) == ("open", "payment_method")
    assert again.subscription is None


async def test_a_checkout_of_a_trial_that_needs_no_card_collects_nothing_once(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    first, second = [await world.session(auth, price="team", customer="ada") for _ in range(2)]
    assert (first.collects, second.collects) == ("nothing", "nothing")
    await world.complete_free_checkout(SellerConfirms(first.id, auth, REQUEST))
    (team,) = await held(world, auth)
    assert (team.product_slug, team.status) == ("team", "trialing")
    await end(world, auth, team)
    with pytest.raises(Rejected) as refused:
        await world.complete_free_checkout(SellerConfirms(second.id, auth, REQUEST))
    assert refused.value.code == "checkout_session_not_free"
    third = await world.session(auth, price="team", customer="ada")
    assert (third.collects, third.amount) == ("payment_method", 2900)


async def test_what_costs_something_is_opened_as_a_checkout_which_makes_the_plan(world: World) -> None:
    auth = await opened(world)
    attached = await attach(world, auth, price="pro", customer_data=ADA)
    assert (attached.session.status, attached.session.collects) == ("open", "payment_method")
    assert attached.session == await world.store.session(auth, attached.session.id)
    assert [one.product_slug for one in await held(world, auth)] == ["free"]
    await world.report(set_up(attached.session))
    assert [one.product_slug for one in await held(world, auth)] == ["pro"]
    once = await attach(world, auth, product="book")
    assert (once.session.collects, once.session.amount) == ("payment", 1500)
    assert once.session.payment_intent_id is not None


async def test_a_plan_that_everybody_is_given_can_be_taken_by_who_has_lost_it(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    (free,) = await held(world, auth)
    with pytest.raises(Rejected) as refused:
        await attach(world, auth, product="free")
    assert refused.value.code == "already_subscribed"
    await end(world, auth, free)
    attached = await attach(world, auth, product="free")
    assert attached.subscription is not None
    assert [one.product_slug for one in await held(world, auth)] == ["free"]


async def test_a_free_plan_takes_no_paid_ones_place(world: World) -> None:
    auth = await opened(world)
    attached = await attach(world, auth, price="pro", customer_data=ADA)
    await world.report(set_up(attached.session))
    for wanted in ("starter", "free", "team"):
        with pytest.raises(Rejected) as refused:
            await attach(world, auth, product=wanted)
        assert refused.value.code == "already_subscribed"


async def test_what_is_asked_for_is_found_by_id_or_slug_of_the_customers_pricing_model(world: World) -> None:
    auth = await opened(world)
    catalog = await world.store.catalog(auth)
    wholesale = next(model for model in catalog.pricing_models if model.slug == "wholesale")
    trade = next(one for one in catalog.products if one.slug == "trade")
    (price,) = [one for one in catalog.prices if one.product_id == trade.id]
    await world.customer(auth)

    async def context(customer: str = "ada", data: CustomerData | None = None, **asked: Any) -> Any:
        wanted = NewAttachment(customer=customer, customer_data=data, **asked)
        return await world.store.attach_context(auth, wanted)

    of_wholesale = CustomerData(pricing_model_id=wholesale.id)
    for asked in ({"product": "trade"}, {"product": trade.id}, {"price": "trade"}, {"price": price.id}):
        new = await context("bob", of_wholesale, **asked)
        assert (new.product, new.prices) == (trade, (price,))
        assert (new.customer.existing, new.customer.terms.pricing_model) == (None, wholesale)
        known = await context("ada", of_wholesale, **asked)
        is_by_id = "_" in next(iter(asked.values()))
        assert (known.product, known.prices) == ((trade, (price,)) if is_by_id else (None, ()))
        assert known.customer.existing == await world.store.customer(auth, "ada")
        nobody = await context("bob", **asked)
        assert (nobody.customer.existing, nobody.product, nobody.prices) == (None, None, ())
    pack = await context(product="pack")
    assert [one.slug for one in pack.prices] == ["hundred", "ten"]
    assert not pack.sends_receipts
    await world.update_organization(OrganizationChanges(sends_receipts=True), auth, COMMAND)
    assert (await context(product="pack")).sends_receipts
    await world.apply_catalog(replace(CATALOG, pricing_models=CATALOG.pricing_models[:1]), auth, REQUEST)
    for asked in ({"product": trade.id}, {"price": price.id}):
        with pytest.raises(Rejected) as refused:
            await attach(world, auth, **asked)
        assert refused.value.code == "price_not_purchasable"


async def seat(world: World, auth: Authenticated, entity_id: str = "seat-1", customer: str = "ada") -> Entity:
    """An entity of the customer."""
    draft = NewEntity(entity_id=entity_id)
    return (await world.create_entity(customer, draft, auth, REQUEST)).entity


async def test_an_entity_has_plans_of_its_own_beside_the_customers_and_other_entities(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    one, other = await seat(world, auth), await seat(world, auth, "seat-2")
    await attach(world, auth, product="free", entity="seat-1")
    for entity in (one.id, "seat-2"):
        attached = await attach(world, auth, product="starter", entity=entity)
        assert attached.subscription is not None
    mine = await attach(world, auth, product="starter")
    assert (mine.session.entity_id, attached.session.entity_id) == (None, other.id)
    now = {(known.product_slug, known.entity_id) for known in await held(world, auth)}
    assert now == {("starter", None), ("starter", one.id), ("starter", other.id)}
    replacing = await attach(world, auth, product="free", entity="seat-1")
    assert replacing.subscription is not None
    now = {(known.product_slug, known.entity_id) for known in await held(world, auth)}
    assert now == {("starter", None), ("free", one.id), ("starter", other.id)}
    with pytest.raises(Rejected) as refused:
        await attach(world, auth, product="free", entity="seat-1")
    assert refused.value.code == "already_subscribed"


async def test_of_any_number_at_once_for_one_entity_one_attaches_it(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    entity = await seat(world, auth)
    answers = await asyncio.gather(
        *(attach(world, auth, product="starter", entity="seat-1") for _ in range(10)),
        attach(world, auth, product="starter"),
        return_exceptions=True,
    )
    assert len([one for one in answers if isinstance(one, Attached)]) == 2
    assert {one.code for one in answers if isinstance(one, Rejected)} == {"already_subscribed"}
    assert sorted(str(one.entity_id) for one in await held(world, auth)) == sorted(["None", entity.id])


async def test_what_an_entity_is_to_pay_for_is_its_own_when_the_checkout_is_completed(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    entity = await seat(world, auth)
    attached = await attach(world, auth, price="pro", entity="seat-1")
    assert attached.session.entity_id == entity.id
    await world.report(set_up(attached.session))
    now = {(known.product_slug, known.entity_id) for known in await held(world, auth)}
    assert now == {("free", None), ("pro", entity.id)}


async def test_with_an_entity_its_plans_end_and_nobody_elses(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    first = await seat(world, auth)
    await seat(world, auth, "seat-2")
    for entity in ("seat-1", "seat-2"):
        await attach(world, auth, product="starter", entity=entity)
        await attach(world, auth, product="plugin", entity=entity)
    await world.delete_entity("ada", "seat-1", auth, REQUEST)
    ended = [
        one.subscription
        for one in await world.store.subscriptions(auth, 10, status="canceled")
        if one.subscription.entity_id == first.id
    ]
    assert sorted(one.product_slug for one in ended) == ["plugin", "starter"]
    assert {(one.cancellation_reason, one.canceled_at) for one in ended} == {
        ("entity_deleted", world.clock.now())
    }
    left = [one.product_slug for one in await held(world, auth) if one.entity_id is not None]
    assert sorted(left) == ["plugin", "starter"]
    for gone in ("seat-1", first.id):
        with pytest.raises(NotFound) as refused:
            await attach(world, auth, product="sample", entity=gone)
        assert refused.value.code == "entity_not_found"


async def test_attached_and_deleted_at_once_no_plan_is_left_to_what_is_gone(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    for number in range(8):
        gone = await seat(world, auth, f"seat-{number}")
        attached, deleted = await asyncio.gather(
            attach(world, auth, product="starter", entity=gone.id),
            world.delete_entity("ada", gone.id, auth, REQUEST),
            return_exceptions=True,
        )
        assert isinstance(deleted, Entity)
        assert isinstance(attached, Attached | NotFound)
        ended = [event.type for event in await world.events(auth, subject=gone.id)]
        assert ended[-1] == "entity.deleted"
        assert ("entity.attached" in ended) == isinstance(attached, Attached)
    assert [one.entity_id for one in await held(world, auth)] == [None]


async def test_nothing_is_attached_to_what_is_no_entity_of_the_customer(world: World) -> None:
    auth = await opened(world)
    await world.customer(auth)
    await world.customer(auth, "bob")
    theirs = await seat(world, auth, customer="bob")
    for customer, entity in (("ada", "seat-1"), ("ada", theirs.id), ("cyd", theirs.id), ("ada", "ent_none")):
        with pytest.raises(NotFound) as refused:
            await attach(world, auth, customer, product="starter", entity=entity, customer_data=ADA)
        assert refused.value.code == "entity_not_found"
    assert await world.store.customer(auth, "cyd") is None


async def test_another_organization_or_mode_attaches_nothing_of_ours(world: World) -> None:
    auth, other = await opened(world), await opened(world, "other")
    ada = (await world.customer(auth)).record.customer
    (starter,) = [one for one in (await world.store.catalog(auth)).prices if one.slug == "starter"]
    await world.customer(other)
    for stranger in (other, replace(auth, livemode=True)):
        with pytest.raises(NotFound):
            await attach(world, stranger, ada.id, price="starter")
    with pytest.raises(Rejected) as refused:
        await attach(world, other, "ada", price=starter.id)
    assert refused.value.code == "price_not_found"
    assert await world.store.subscription(other, SubscriptionId("sub_none")) is None
