"""A use case costs two round trips at most on a warm connection, three where Stripe's answer is replied."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.checkout.attach_product import Attached
from application.checkout.complete_free_checkout import BuyerConfirms, SellerConfirms
from application.checkout.expire_checkout_session import SellerAsked
from application.customers.create_customer import CustomerFound
from application.entities.create_entity import EntityFound
from application.payments.news import BuyerReturned, PayerReturned
from application.ports import CustomerFilter, DeliveryFilter, IntakeFilter, LeasedDelivery, UserFilter
from application.usage.check_feature import Checked, NewCheck
from application.usage.correct_balance import Corrected, CorrectionAsked
from application.usage.track_usage import NewTrack, Recorded
from domain.attaching import NewAttachment
from domain.auth import Authenticated, ClientToken
from domain.cancellation import NewCancellation
from domain.catalog_document import (
    CatalogDocument,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    document_of,
)
from domain.charging import AllCurrent, MethodChoice
from domain.checkout import BuyerDetails, CheckoutSession, NewPaymentMethodSession
from domain.customer import CustomerData, NewCustomer
from domain.customer_changes import CustomerChanges
from domain.delivery import Redelivery
from domain.effects import (
    CancelIntakeIntent,
    ChargeInvoice,
    CreateInvoiceIntent,
    CreateStripeCustomer,
    CreateStripeUser,
    DeleteStripeCustomer,
    Effect,
    FinalizeInvoices,
    RenewSubscription,
    UpdateStripeUser,
)
from domain.entity import EntityData, NewEntity
from domain.errors import Repeated
from domain.expansions import EXPANSIONS
from domain.granting import NewGrant
from domain.intake_payment import NewIntakePayment
from domain.intent import Attempt
from domain.payment import Payment
from domain.purchase import NewPurchase
from domain.sign_up import NewUser
from domain.subscription import Subscription
from domain.usage import Line
from domain.user_changes import UserChanges
from domain.webhook_endpoint import NewWebhookEndpoint, SecretRotation, WebhookEndpointChanges
from tests.contracts.test_reply_contract import ROUTE, named
from tests.contracts.worlds import REQUEST, World, fact_of, inbound
from tests.databases import Database
from tests.integration.wire import Wire, tapped


@dataclass
class CountedWorld:
    world: World
    auth: Authenticated
    api: Wire
    worker: Wire

    async def turns(self, call: Awaitable[object]) -> int:
        before = self.api.turns + self.worker.turns
        await call
        return self.api.turns + self.worker.turns - before


@pytest.fixture
async def counted(fresh_database: Database) -> AsyncIterator[CountedWorld]:
    """One warm connection for the API and one for the worker: connected, and each statement prepared once."""
    dsn = fresh_database.service_dsn
    async with (
        tapped(dsn) as api,
        tapped(dsn) as worker,
        open_pool(api.dsn, APP, max_size=1) as api_pool,
        open_pool(worker.dsn, WORKER, max_size=1) as worker_pool,
    ):
        world = World(PostgresStore(api_pool), PostgresStore(worker_pool), TypeIds())
        auth = await world.organization()
        await world.customer(auth, "warm")
        session = await world.session(auth)
        await world.report(fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded"), "evt_warm")
        await world.process_payment_intent(BuyerReturned(session.id, REQUEST))
        await world.store.session(auth, session.id)
        for task in await world.lease():
            await world.effects(task)
        yield CountedWorld(world, auth, api, worker)


async def test_creating_a_customer_takes_two(counted: CountedWorld) -> None:
    assert await counted.turns(counted.world.customer(counted.auth)) == 2


async def test_returning_a_known_customer_takes_one(counted: CountedWorld) -> None:
    await counted.world.customer(counted.auth)
    assert await counted.turns(counted.world.customer(counted.auth)) == 1


async def test_booking_a_strangers_payment_takes_two(counted: CountedWorld) -> None:
    session = await counted.world.session(counted.auth)
    fact = fact_of(session, Attempt("ch_2", "succeeded"), ending="succeeded")
    assert await counted.turns(counted.world.report(fact)) == 2
    assert await counted.turns(counted.world.report(fact)) == 1


async def test_keeping_what_does_not_fit_takes_two(counted: CountedWorld) -> None:
    session = await counted.world.session(counted.auth)
    fact = fact_of(session, Attempt("ch_2", "succeeded"), ending="succeeded")
    wrong = type(fact)(**{**{f: getattr(fact, f) for f in fact.__struct_fields__}, "amount": 1})
    assert await counted.turns(counted.world.report(wrong)) == 2


async def test_opening_a_checkout_takes_three_as_the_reply_needs_stripe(counted: CountedWorld) -> None:
    assert await counted.turns(counted.world.session(counted.auth)) == 3


async def test_a_buyers_return_takes_two(counted: CountedWorld) -> None:
    session = await counted.world.session(counted.auth)
    assert session.payment_intent_id is not None
    counted.world.gateway.succeed(session.payment_intent_id)
    assert await counted.turns(counted.world.process_payment_intent(BuyerReturned(session.id, REQUEST))) == 2


async def test_asking_by_email_takes_three_as_the_reply_needs_stripe_and_one_more_to_make_a_user_known(
    counted: CountedWorld,
) -> None:
    """As whoever has told Stripe of a user looks whether it still is so."""
    world, auth = counted.world, counted.auth

    def ask(email: str) -> Awaitable[object]:
        draft = NewIntakePayment(email=email, amount=2500, currency="usd", description="Consultation")
        return world.ask_for_payment(draft, auth, REQUEST)

    await ask("bob@example.test")
    assert await counted.turns(ask("bob@example.test")) == 3
    other = await world.organization("other")
    draft = NewIntakePayment(email="owner@other.example", amount=1, currency="usd", description="x")
    await world.ask_for_payment(draft, other, REQUEST)
    assert await counted.turns(ask("owner@acme.example")) == 4
    assert await counted.turns(ask("owner@acme.example")) == 3


async def test_what_becomes_of_an_intake_payment_takes_two(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth
    draft = NewIntakePayment(email="bob@example.test", amount=1, currency="usd", description="x")
    asked = [await world.ask_for_payment(draft, auth, REQUEST) for _ in range(6)]
    paid = [world.gateway.succeed(one.payment_intent_id or "") for one in asked[:4]]
    await world.report(paid[0], "evt_0")
    assert await counted.turns(world.report(paid[1], "evt_1")) == 2
    await world.process_payment_intent(PayerReturned(asked[2].id, REQUEST))
    assert await counted.turns(world.process_payment_intent(PayerReturned(asked[3].id, REQUEST))) == 2
    await world.cancel_intake_payment(asked[4].id, auth, REQUEST)
    assert await counted.turns(world.cancel_intake_payment(asked[5].id, auth, REQUEST)) == 2
    tasks = [task for task in await world.lease() if isinstance(task.effect, CancelIntakeIntent)]
    assert [await counted.turns(world.effects(task)) for task in tasks] == [1, 1]


async def test_reading_intake_payments_takes_one(counted: CountedWorld) -> None:
    store, auth = counted.world.store, counted.auth
    draft = NewIntakePayment(email="bob@example.test", amount=1, currency="usd", description="x")
    asked = await counted.world.ask_for_payment(draft, auth, REQUEST)
    for read in (
        lambda: store.bill(asked.id),
        lambda: store.intake_payment(auth, asked.id),
        lambda: store.intake_payments(auth, IntakeFilter(user=auth.user_id, status="open"), 10),
        lambda: store.payments(auth, 10, user=auth.user_id),
    ):
        await read()
        assert await counted.turns(read()) == 1


async def test_refunding_takes_three_as_the_reply_needs_stripe(counted: CountedWorld) -> None:
    payment = await _paid(counted)
    await counted.world.refund(counted.auth, payment.id, 100)
    assert await counted.turns(counted.world.refund(counted.auth, payment.id, 100)) == 3


async def test_booking_a_refund_of_the_dashboard_takes_two(counted: CountedWorld) -> None:
    payment = await _paid(counted)
    refund = counted.world.gateway.refund(payment.payment_intent_id, 100)
    assert await counted.turns(counted.world.report(refund, "evt_refund")) == 2


async def test_listing_takes_one(counted: CountedWorld) -> None:
    payment = await _paid(counted)
    store, auth = counted.world.store, counted.auth
    assert payment.customer_id is not None
    for page_of in (store.payments, store.purchases, store.subscriptions):
        await page_of(auth, 10)
        assert await counted.turns(page_of(auth, 10, customer=payment.customer_id)) == 1


async def _paid(counted: CountedWorld) -> Payment:
    session = await counted.world.session(counted.auth)
    assert session.payment_intent_id is not None
    await counted.world.report(counted.world.gateway.succeed(session.payment_intent_id), "evt_paid")
    (payment,) = await counted.world.store.payments(counted.auth, 1)
    return payment


async def test_applying_a_catalog_takes_two(counted: CountedWorld) -> None:
    document = document_of(await counted.world.store.catalog(counted.auth))
    assert await counted.turns(counted.world.apply_catalog(document, counted.auth, REQUEST)) == 1
    fewer = type(document)(features=document.features, pricing_models=document.pricing_models[:1])
    assert await counted.turns(counted.world.apply_catalog(fewer, counted.auth, REQUEST)) == 2


async def test_opening_an_organization_takes_one(counted: CountedWorld) -> None:
    turns = counted.api.turns
    auth = await counted.world.organization("other")
    # The organization, its key looked up, its catalog read and applied: the first of these four is the point.
    assert counted.api.turns - turns == 4
    assert auth.organization_id != counted.auth.organization_id


async def test_a_stripe_customer_takes_two(counted: CountedWorld) -> None:
    found: CustomerFound = await counted.world.customer(counted.auth)
    assert found.created
    (task,) = await counted.world.lease()
    assert await counted.turns(counted.world.effects(task)) == 2


async def test_changing_a_customer_takes_two_and_telling_stripe_three(counted: CountedWorld) -> None:
    """As whoever has told Stripe looks whether it still is so."""
    world, auth = counted.world, counted.auth

    def renamed(name: str) -> Awaitable[object]:
        return world.update_customer("warm", CustomerChanges(name=name), auth, REQUEST)

    await renamed("First")
    (first,) = await world.lease()
    await world.effects(first)
    assert await counted.turns(renamed("Second")) == 2
    assert await counted.turns(renamed("Second")) == 1
    (second,) = await world.lease()
    assert await counted.turns(world.effects(second)) == 3


async def test_signing_up_takes_two_and_becoming_known_to_stripe_three(counted: CountedWorld) -> None:
    """As whoever has told Stripe looks whether it still is so."""
    world, auth = counted.world, counted.auth

    async def signed_up(name: str) -> int:
        draft = NewUser(email=f"{name}@example.test", external_id=name)
        return await counted.turns(world.sign_up(draft, auth, REQUEST))

    async def done(kind: type[Effect]) -> int:
        (task,) = [task for task in await world.lease() if isinstance(task.effect, kind)]
        return await counted.turns(world.effects(task))

    async def renamed(name: str) -> int:
        return await counted.turns(world.update_user("first", UserChanges(name=name), auth, REQUEST))

    await signed_up("first")
    await done(CreateStripeUser)
    assert [await signed_up("second"), await signed_up("second")] == [2, 1]
    assert await done(CreateStripeUser) == 3
    await renamed("First")
    await done(UpdateStripeUser)
    assert [await renamed("Second"), await renamed("Second")] == [2, 1]
    assert await done(UpdateStripeUser) == 3


async def test_reading_users_takes_one(counted: CountedWorld) -> None:
    store, auth = counted.world.store, counted.auth
    for read in (
        lambda: store.user(auth, "warm"),
        lambda: store.user_page(auth, UserFilter(email="ada@example.test"), 10),
        lambda: store.users_without_stripe_customer(auth, 10),
    ):
        await read()
        assert await counted.turns(read()) == 1


async def test_deleting_a_customer_takes_two_and_having_stripe_delete_them_one(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth
    for name in ("first", "second"):
        await world.customer(auth, name)
        await world.session(auth, customer=name)
    for task in await world.lease():
        await world.effects(task)
    await world.delete_customer("first", auth, REQUEST)
    assert await counted.turns(world.delete_customer("second", auth, REQUEST, in_stripe=True)) == 2
    (forgetting,) = [task for task in await world.lease() if isinstance(task.effect, DeleteStripeCustomer)]
    assert await counted.turns(world.effects(forgetting)) == 1


async def test_reading_customers_takes_one(counted: CountedWorld) -> None:
    store, auth = counted.world.store, counted.auth
    for read in (
        lambda: store.customer_page(auth, CustomerFilter(search="w"), 10),
        lambda: store.expanded(auth, "warm", EXPANSIONS, counted.world.clock.now()),
        lambda: store.billing_overview(auth, "warm", counted.world.clock.now()),
    ):
        await read()
        assert await counted.turns(read()) == 1


async def test_creating_with_what_else_is_asked_for_takes_two(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth
    draft = NewCustomer(external_id="more", expand=EXPANSIONS)
    assert await counted.turns(world.create_customer(draft, auth, REQUEST)) == 2
    await world.create_customer(draft, auth, REQUEST)
    assert await counted.turns(world.create_customer(draft, auth, REQUEST)) == 2


async def test_ending_a_session_takes_two(counted: CountedWorld) -> None:
    session = await counted.world.session(counted.auth)
    asked = SellerAsked(session.id, counted.auth, REQUEST)
    assert await counted.turns(counted.world.expire_checkout_session(asked)) == 2
    assert await counted.turns(counted.world.expire_checkout_session(asked)) == 1


async def test_showing_the_hosted_page_takes_one(counted: CountedWorld) -> None:
    session = await counted.world.session(counted.auth)
    await counted.world.store.offer(session.id)
    assert await counted.turns(counted.world.store.offer(session.id)) == 1


async def test_opening_a_free_checkout_takes_two_and_completing_it_two(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth
    assert await counted.turns(world.session(auth, price="lesson")) == 2
    first, second = [await world.session(auth, price="lesson") for _ in range(2)]
    asked = SellerConfirms(first.id, auth, REQUEST)
    assert await counted.turns(world.complete_free_checkout(asked)) == 2
    assert await counted.turns(world.complete_free_checkout(asked)) == 1
    details = BuyerDetails(customer_email="bob@example.test")
    taken = BuyerConfirms(second.id, ClientToken(second.client_token), details, REQUEST)
    assert await counted.turns(world.complete_free_checkout(taken)) == 2


async def test_saying_who_buys_takes_two(counted: CountedWorld) -> None:
    session = await counted.world.session(counted.auth)
    await counted.world.store.offer(session.id)
    for email, by in (
        ("a@example.test", counted.auth),
        ("b@example.test", ClientToken(session.client_token)),
    ):
        said = BuyerDetails(customer_email=email)
        assert await counted.turns(counted.world.update_checkout_session(session.id, said, by, REQUEST)) == 2


async def test_a_named_request_takes_no_more_and_its_repetition_three(counted: CountedWorld) -> None:
    """Read, refused at the commit, and looked up: the first time is the one that counts."""
    world, auth = counted.world, counted.auth
    draft = NewCustomer(external_id="named")
    assert await counted.turns(world.create_customer(draft, auth, named())) == 2
    with pytest.raises(Repeated):
        await world.create_customer(draft, auth, named(request="req_2"))
    await world.store.kept_reply(auth, ROUTE, "k1")
    assert await counted.turns(world.store.kept_reply(auth, ROUTE, "k1")) == 1


async def test_a_subscription_takes_two_to_book_two_to_charge_and_two_to_renew(counted: CountedWorld) -> None:
    """And the buyer's return three, as only Stripe says what was set up."""
    world, auth = counted.world, counted.auth

    async def left(number: int) -> CheckoutSession:
        session = await world.session(auth, price="pro")
        world.gateway.succeed_setup(session.setup_intent_id or "")
        return session

    async def done(kind: type[Effect]) -> int:
        (task,) = [task for task in await world.lease() if isinstance(task.effect, kind)]
        return await counted.turns(world.effects(task))

    warm = await left(0)
    await world.process_setup_intent(BuyerReturned(warm.id, REQUEST))
    for _ in range(3):
        for task in await world.lease():
            await world.effects(task)
    for charged in world.gateway.charged():
        await world.report(await world.gateway.payment_intent(charged, livemode=False), "evt_warm_charge")
    session = await left(1)
    assert await counted.turns(world.process_setup_intent(BuyerReturned(session.id, REQUEST))) == 3
    for kind in (CreateStripeCustomer, FinalizeInvoices, CreateInvoiceIntent, ChargeInvoice):
        assert await done(kind) == 2, kind
        world.clock.advance(timedelta(minutes=2))  # the leases of the others end
    paid = await world.gateway.payment_intent(world.gateway.charged()[-1], livemode=False)
    assert await counted.turns(world.report(paid, "evt_charged")) == 2
    other = await left(2)
    fact = await world.gateway.setup_intent(other.setup_intent_id or "", livemode=False)
    assert await counted.turns(world.report(fact, "evt_left")) == 2
    world.clock.advance(timedelta(days=31))
    renewing = [task for task in await world.lease() if isinstance(task.effect, RenewSubscription)]
    # The first one prepares its statement.
    assert [await counted.turns(world.effects(task)) for task in renewing] == [3, 2]


async def test_canceling_resuming_and_choosing_a_card_take_two_and_one_where_nothing_changes(
    counted: CountedWorld,
) -> None:
    world, auth = counted.world, counted.auth
    plans = []
    for who in ("first", "second"):
        await world.customer(auth, who)
        session = await world.session(auth, price="pro-trial", customer=who)
        world.gateway.succeed_setup(session.setup_intent_id or "")
        await world.process_setup_intent(BuyerReturned(session.id, REQUEST))
        asked = NewPaymentMethodSession(customer=who)
        added = await world.open_checkout_session(asked, auth, REQUEST)
        world.gateway.succeed_setup(added.setup_intent_id or "")
        await world.process_setup_intent(BuyerReturned(added.id, REQUEST))
        (record, *_) = await world.store.subscriptions(auth, 1, customer=who)
        plans.append(record.subscription)

    async def turns(plan: Subscription) -> list[int]:
        overview = await world.store.billing_overview(auth, plan.customer_id, world.clock.now())
        assert overview is not None
        newest, *_ = overview.payment_methods
        choice = MethodChoice(payment_method_id=newest.id)
        return [
            await counted.turns(asked)
            for asked in (
                *[world.cancel_subscription(plan.id, NewCancellation(), auth, REQUEST) for _ in range(2)],
                *[world.resume_subscription(plan.id, auth, REQUEST) for _ in range(2)],
                *[world.choose_payment_method(plan.id, choice, auth, REQUEST) for _ in range(2)],
                world.choose_payment_method(AllCurrent(plan.customer_id), choice, auth, REQUEST),
            )
        ]

    await turns(plans[0])  # prepares the statements
    assert await turns(plans[1]) == [2, 1, 2, 1, 2, 1, 1]


async def test_a_purchase_takes_two_and_another_quantity_two(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth
    draft = NewPurchase(customer="warm", price="course")
    await world.make_purchase(draft, auth, REQUEST)
    assert await counted.turns(world.make_purchase(draft, auth, REQUEST)) == 2
    session = await world.session(auth)
    wanted = BuyerDetails(quantity=2)
    assert await counted.turns(world.update_checkout_session(session.id, wanted, auth, REQUEST)) == 2


async def test_an_entity_takes_two_to_make_and_two_to_delete_and_one_to_find(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth

    async def make(entity_id: str) -> EntityFound:
        return await world.create_entity("warm", NewEntity(entity_id=entity_id), auth, REQUEST)

    await make("warm")
    await world.delete_entity("warm", "warm", auth, REQUEST)
    assert await counted.turns(make("seat-1")) == 2
    assert await counted.turns(make("seat-1")) == 1
    await world.store.entities(auth, "warm", 10)
    assert await counted.turns(world.store.entities(auth, "warm", 10)) == 1
    assert await counted.turns(world.delete_entity("warm", "seat-1", auth, REQUEST)) == 2


async def test_attaching_takes_two_with_its_customer_too_and_three_where_stripe_is_asked(
    counted: CountedWorld,
) -> None:
    world, auth = counted.world, counted.auth

    async def attach(customer: str, price: str) -> Attached:
        asked = NewAttachment(customer=customer, price=price, customer_data=CustomerData())
        return await world.attach_product(asked, auth, REQUEST)

    await attach("warm", "lesson")
    for customer in ("warm", "new"):
        assert await counted.turns(attach(customer, "lesson")) == 2
    for customer in ("warm", "newer"):
        assert await counted.turns(attach(customer, "course")) == 3


async def test_introducing_somebody_takes_two_and_three_as_the_reply_needs_stripe(
    counted: CountedWorld,
) -> None:
    world, auth = counted.world, counted.auth

    async def turns(external_id: str | None, email: str) -> int:
        draft = NewCustomer(external_id=external_id, email=email)
        return await counted.turns(world.create_customer(draft, auth, REQUEST))

    assert await turns(None, "ada@example.test") == 2
    assert await turns(None, "ada@example.test") == 1
    assert await turns("ada", "ada@example.test") == 2
    price = PriceEntry(slug="paid", type="subscription", amount=4900, currency="usd", interval="month")
    paid = ProductEntry(slug="paid", name="Paid", is_default=True, force_paid_default=True, prices=(price,))
    model = PricingModelEntry(slug="standard", name="Standard", is_default=True, products=(paid,))
    await world.apply_catalog(CatalogDocument(pricing_models=(model,)), auth, REQUEST)
    assert await turns(None, "eve@example.test") == 3
    assert await turns(None, "eve@example.test") == 1
    world.gateway.fail_next("before")
    await turns(None, "bob@example.test")
    assert await turns("bob", "bob@example.test") == 2


async def test_check_track_and_correct_take_one_and_giving_takes_two(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth

    async def check(customer: str = "warm", **more: Any) -> Checked:
        return await world.check_feature(NewCheck(customer=customer, feature="seats", **more), auth, REQUEST)

    async def track(customer: str = "warm", **more: Any) -> Recorded:
        return await world.track_usage(NewTrack(customer=customer, feature="seats", **more), auth, REQUEST)

    async def grant() -> Line:
        draft = NewGrant(customer="warm", feature="seats", amount=10)
        return await world.grant_balance(draft, auth, REQUEST)

    async def correct(key: str | None) -> Corrected:
        asked = CorrectionAsked(amount=1)
        return await world.correct_balance(given.balance.id, asked, key, auth, REQUEST)

    given = await grant()
    assert await counted.turns(grant()) == 2
    await check()
    assert await counted.turns(check()) == 1
    await track(idempotency_key="k-0")
    for _ in range(2):  # the second one is answered with what was kept of the first
        assert await counted.turns(track(amount=3, idempotency_key="k-1")) == 1
    assert await counted.turns(track(amount=100)) == 1
    assert await counted.turns(track(amount=-100)) == 1
    await correct(None)
    for _ in range(2):
        assert await counted.turns(correct("k-2")) == 1
    now = world.clock.now()
    await world.store.balances(auth, "warm", None, now)
    assert await counted.turns(world.store.balances(auth, "warm", None, now)) == 1
    await world.store.usages(auth, "warm", 10)
    assert await counted.turns(world.store.usages(auth, "warm", 10)) == 1
    await world.store.entries(auth, given.balance.id, None, 10)
    assert await counted.turns(world.store.entries(auth, given.balance.id, None, 10)) == 1


async def test_whoever_is_asked_about_first_is_found_missing_made_in_two_and_asked_about_again(
    counted: CountedWorld,
) -> None:
    world, auth = counted.world, counted.auth
    data, entity = CustomerData(name="New"), EntityData(name="Seat")
    checks = [
        NewCheck(customer=name, feature="seats", customer_data=data) for name in ("warmer", "new", "new")
    ]
    turns = [await counted.turns(world.check_feature(asked, auth, REQUEST)) for asked in checks]
    assert turns[1:] == [4, 1]
    tracks = [
        NewTrack(customer=name, feature="seats", entity="seat-1", customer_data=data, entity_data=entity)
        for name in ("warmest", "newer", "newer")
    ]
    turns = [await counted.turns(world.track_usage(asked, auth, REQUEST)) for asked in tracks]
    assert turns[1:] == [6, 1]


async def test_endpoints_take_two_and_their_deliveries_one(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth
    draft = NewWebhookEndpoint(url="https://example.com", event_types=("webhook_endpoint.*",))
    to = (await world.create_webhook_endpoint(draft, auth, REQUEST)).id
    names = count()

    def changed() -> Awaitable[object]:
        changes = WebhookEndpointChanges(description=f"{next(names)}")
        return world.update_webhook_endpoint(to, changes, auth, REQUEST)

    def leased() -> Awaitable[Sequence[LeasedDelivery]]:
        return world.worker_store.lease_deliveries(1, 9, {}, world.clock.now(), timedelta(minutes=1))

    calls: tuple[tuple[Callable[[], Awaitable[object]], int], ...] = (
        (lambda: world.create_webhook_endpoint(draft, auth, REQUEST), 2),
        (lambda: world.store.webhook_endpoint(auth, to), 1),
        (lambda: world.store.webhook_endpoints(auth, 10), 1),
        (changed, 2),
        (lambda: world.rotate_webhook_secret(to, SecretRotation(), auth, REQUEST), 2),
        (lambda: world.send_test_event(to, auth, REQUEST), 2),
        (lambda: world.worker_store.sequence(1000), 1),
        (lambda: world.store.deliveries(auth, to, DeliveryFilter(status="pending"), 10), 1),
        (lambda: world.redeliver_events(to, Redelivery(failed=True), auth), 2),
        (leased, 1),
    )
    for call, turns in calls:
        await call()
        assert await counted.turns(call()) == turns
    for turns in (2, 1):  # the first time its statement is prepared
        (one,) = await leased()
        assert await counted.turns(world.deliver_event(one)) == turns
    await world.store.delivery(auth, one.delivery.id)
    assert await counted.turns(world.store.delivery(auth, one.delivery.id)) == 1
    assert await counted.turns(world.delete_webhook_endpoint(to, auth, REQUEST)) == 2


async def test_comparing_takes_one_and_so_do_the_reads_beside_it(counted: CountedWorld) -> None:
    world, auth = counted.world, counted.auth
    fact = fact_of(await world.session(auth), Attempt("ch_1", "succeeded"), ending="succeeded")
    await world.reconciliation.compare(fact, inbound(fact, "evt_warm"))
    assert await counted.turns(world.reconciliation.compare(fact, inbound(fact, "evt_new"))) == 1
    await world.store.unsettled(auth, 10)
    assert await counted.turns(world.store.unsettled(auth, 10)) == 1
    await world.worker_store.organization_ids()
    assert await counted.turns(world.worker_store.organization_ids()) == 1
    now = world.clock.now()
    await world.worker_store.take_round("warm", now, now)
    assert await counted.turns(world.worker_store.take_round("new", now, now)) == 1
