"""A service without a web: every use case on one store, with a clock, ids and a provider that obey."""

from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec

from adapters.memory.store import MemoryStore
from application.catalog.apply_catalog import CatalogApplied
from application.causes import ApiRequest, CommandLine, InboundEvent, Task
from application.checkout.complete_free_checkout import BuyerConfirms, SellerConfirms
from application.checkout.expire_checkout_session import SellerAsked
from application.customers.create_customer import CustomerFound
from application.organizations.create_organization import NewOrganization
from application.payments.news import Booked, BuyerReturned, PayerReturned
from application.payments.refund_payment import RefundAsked, Refunded
from application.ports import PaymentRecord, Period
from domain.auth import Authenticated, ClientToken
from domain.cancellation import CancelAt, NewCancellation
from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    ProductFeatureEntry,
)
from domain.charging import AllCurrent, MethodChoice
from domain.checkout import BuyerDetails, CheckoutSession, NewCheckoutSession
from domain.customer import NewCustomer
from domain.effects import Effect, EndCheckoutSession
from domain.errors import Unavailable
from domain.ids import (
    CheckoutSessionId,
    IntakePaymentId,
    OrganizationId,
    PaymentId,
    PaymentMethodId,
    RequestId,
    SubscriptionId,
)
from domain.intake_payment import IntakePayment, NewIntakePayment
from domain.payment import Payment, PaymentFact
from domain.reversal import NewRefund, ReversalFact
from domain.setup import SetupFact
from domain.subscription import Subscription
from entrypoints.findings import Finding
from entrypoints.reconcile_reading import Run, Wanted
from tests.use_cases import StoreT, UseCases

CATALOG = CatalogDocument(
    features=(FeatureEntry(slug="seats", name="Seats", type="metered"),),
    pricing_models=(
        PricingModelEntry(
            slug="standard",
            name="Standard",
            is_default=True,
            products=(
                ProductEntry(
                    slug="free",
                    name="Free",
                    is_default=True,
                    prices=(
                        PriceEntry(
                            slug="free", type="subscription", amount=0, currency="usd", interval="month"
                        ),
                    ),
                    features=(ProductFeatureEntry(slug="seats", included=3, reset="month"),),
                ),
                ProductEntry(slug="forum", name="Forum", group="community", is_default=True),
                ProductEntry(
                    slug="book",
                    name="Book",
                    prices=(PriceEntry(slug="book", type="single_payment", amount=1500, currency="usd"),),
                ),
                ProductEntry(
                    slug="sample",
                    name="Sample",
                    prices=(PriceEntry(slug="sample", type="single_payment", amount=0, currency="usd"),),
                ),
                ProductEntry(
                    slug="pro",
                    name="Pro",
                    prices=(
                        PriceEntry(
                            slug="pro", type="subscription", amount=4900, currency="usd", interval="month"
                        ),
                        PriceEntry(
                            slug="pro-trial",
                            type="subscription",
                            amount=4900,
                            currency="usd",
                            interval="month",
                            trial_days=14,
                        ),
                        PriceEntry(
                            slug="pro-yearly",
                            type="subscription",
                            amount=49000,
                            currency="usd",
                            interval="year",
                        ),
                    ),
                ),
            ),
        ),
        PricingModelEntry(
            slug="wholesale",
            name="Wholesale",
            products=(
                ProductEntry(slug="trade", name="Trade", is_default=True),
                ProductEntry(
                    slug="book",
                    name="Book",
                    prices=(PriceEntry(slug="book", type="single_payment", amount=900, currency="usd"),),
                ),
            ),
        ),
    ),
)


class World(UseCases[StoreT]):
    """The use cases, and short ways of saying what happens. `auth` is the owner in test mode, once opened."""

    auth: Authenticated
    live: Authenticated

    def __init__(self, store: StoreT, worker_store: StoreT | None = None, **outside: Any) -> None:
        super().__init__(store, worker_store, **outside)
        self._inbound_ids = count(1)

    @classmethod
    async def opened(cls, store: StoreT, catalog: CatalogDocument | None = CATALOG) -> "World[StoreT]":
        """With an organization, and its catalog in test mode."""
        world = cls(store)
        world.auth, world.live = await world.organization("Acme")
        if catalog is not None:
            await world.apply(catalog)
        return world

    async def organization(self, name: str) -> tuple[Authenticated, Authenticated]:
        """One more organization; who acts for it in test mode and in live mode."""
        made = await self.create_organization(
            NewOrganization(name=name, owner_email="ada@example.test"), self.command()
        )
        test, live = (
            Authenticated(made.user_id, made.organization_id, livemode=livemode) for livemode in (False, True)
        )
        return test, live

    async def apply(self, catalog: CatalogDocument, auth: Authenticated | None = None) -> CatalogApplied:
        """The catalog becomes this."""
        return await self.apply_catalog(catalog, auth or self.auth, self.request())

    async def customer(self, external_id: str = "alice", **draft: Any) -> CustomerFound:
        """An application introduces a customer."""
        wanted = NewCustomer(external_id=external_id, **draft)
        return await self.create_customer(wanted, self.auth, self.request())

    async def session(self, **draft: Any) -> CheckoutSession:
        """A stranger is to pay for a book, unless the draft says otherwise."""
        wanted: dict[str, Any] = {"type": "product", "price": "book", "anonymous": "customer" not in draft}
        return await self.open(**wanted | draft)

    async def open(self, **draft: Any) -> CheckoutSession:
        """A session of any type."""
        return await self.open_checkout_session(
            msgspec.convert(draft, NewCheckoutSession), self.auth, self.request()
        )

    async def free_session(self, **draft: Any) -> CheckoutSession:
        """A stranger is to get a sample, for nothing."""
        return await self.session(price="sample", **draft)

    async def confirm(self, id: CheckoutSessionId, auth: Authenticated | None = None) -> CheckoutSession:
        """The application completes a session with nothing to pay."""
        return await self.complete_free_checkout(SellerConfirms(id, auth or self.auth, self.request()))

    async def buyer_confirms(self, session: CheckoutSession, **details: Any) -> CheckoutSession:
        """The buyer does, on the hosted page."""
        token = ClientToken(session.client_token)
        return await self.complete_free_checkout(
            BuyerConfirms(session.id, token, BuyerDetails(**details), self.request())
        )

    async def ask(self, email: str = "bob@example.test", **draft: Any) -> IntakePayment:
        """Somebody is to pay 25 dollars, unless the draft says otherwise, and is asked by e-mail."""
        return await self.ask_for_payment(self.intake(email, **draft), self.auth, self.request())

    def intake(self, email: str = "bob@example.test", **draft: Any) -> NewIntakePayment:
        """What an application says of that."""
        wanted: dict[str, Any] = {"amount": 2500, "currency": "usd", "description": "Consultation"}
        return NewIntakePayment(email=email, **wanted | draft)

    async def asked(self, id: IntakePaymentId) -> IntakePayment:
        """As it stands in the books."""
        record = await self.store.intake_payment(self.auth, id)
        assert record is not None
        return record.asked

    async def take_back(self, id: IntakePaymentId, auth: Authenticated | None = None) -> IntakePayment:
        """The seller asks no longer."""
        return await self.cancel_intake_payment(id, auth or self.auth, self.request())

    async def payer_returns(self, id: IntakePaymentId) -> Booked:
        """The browser of somebody who was asked is back from paying."""
        return await self.process_payment_intent(PayerReturned(id, self.request()))

    async def report(
        self, fact: PaymentFact | SetupFact | ReversalFact, event_id: str | None = None
    ) -> Booked:
        """Stripe's webhook brings this fact, in a new event or in the one named."""
        ours = None if isinstance(fact, ReversalFact) else fact.organization_id
        cause = InboundEvent(
            id=event_id or f"evt_stripe{next(self._inbound_ids)}",
            type=f"{type(fact).__struct_config__.tag}.updated",
            organization_id=ours or OrganizationId(""),
            livemode=fact.livemode,
            received_at=self.clock.now(),
        )
        return await self.news(fact, cause)

    async def reconcile(
        self, *, apply: bool = False, only: OrganizationId | None = None, livemode: bool = False
    ) -> list[Finding]:
        """The books are held against the last day at Stripe."""
        now = self.clock.now()
        period = Period(now - timedelta(days=1), now + timedelta(seconds=1))
        wanted = Wanted(period, livemode, only, apply, pause_seconds=0)
        return [finding async for finding in self.reconciliation(Run(wanted))]

    async def paid(self, **draft: Any) -> Payment:
        """A stranger pays for a book, unless the draft says otherwise, and Stripe reports it."""
        session = await self.session(**draft)
        assert session.payment_intent_id is not None
        await self.report(self.gateway.succeed(session.payment_intent_id))
        (payment, *_) = await self.store.payments(self.auth, 1)
        return payment

    async def refund(
        self, id: PaymentId, amount: int | None = None, auth: Authenticated | None = None, **draft: Any
    ) -> Refunded:
        """The seller gives so much back, or all that is left."""
        wanted = NewRefund(amount=amount, **draft)
        return await self.refund_payment(RefundAsked(id, wanted, auth or self.auth, self.request()))

    async def payment(self, id: PaymentId) -> PaymentRecord:
        """As it stands in the books."""
        record = await self.store.payment(self.auth, id)
        assert record is not None
        return record

    async def buyer_returns(self, session_id: CheckoutSessionId) -> Booked:
        """The buyer's browser is back from paying."""
        returned = BuyerReturned(session_id, self.request())
        session = await self.store.session(self.auth, session_id)
        if session is not None and session.setup_intent_id is not None:
            return await self.process_setup_intent(returned)
        return await self.process_payment_intent(returned)

    async def subscribed(self, price: str = "pro", **draft: Any) -> CheckoutSession:
        """Somebody leaves a card for a subscription, and Stripe reports it."""
        session = await self.session(price=price, **draft)
        assert session.setup_intent_id is not None
        booked = await self.report(self.gateway.succeed_setup(session.setup_intent_id))
        assert booked.session is not None, booked
        return booked.session

    async def cancel(self, held: Subscription, at: CancelAt = "period_end") -> Subscription:
        """Somebody does not want it any more."""
        wanted = NewCancellation(at=at)
        record = await self.cancel_subscription(held.id, wanted, self.auth, self.request())
        return record.subscription

    async def resume(self, held: Subscription) -> Subscription:
        """They want it after all."""
        return (await self.resume_subscription(held.id, self.auth, self.request())).subscription

    async def pay_by(self, wanted: SubscriptionId | AllCurrent, method: PaymentMethodId) -> None:
        """They choose by what they are charged for it."""
        choice = MethodChoice(payment_method_id=method)
        await self.choose_payment_method(wanted, choice, self.auth, self.request())

    async def settle(self) -> None:
        """The worker does all there is to do, and Stripe reports what came of the charges."""
        for _ in range(5):
            await self.worker_drains()
            for charged in self.gateway.charged():
                await self.report(await self.gateway.payment_intent(charged, livemode=False))

    async def worker_drains_until(self, kind: type[Effect]) -> None:
        """Whatever else is due, until there is a task of this kind, which waits."""
        for _ in range(5):
            for task in await self.worker_store.lease(1000, self.clock.now(), timedelta(seconds=0)):
                if not isinstance(task.effect, kind):
                    with suppress(Unavailable):
                        await self.effects(task)

    async def worker_drains(self) -> None:
        """Whatever is due, until nothing is; what has to wait for something else is tried again after it."""
        waiting: list[Task] = []
        while tasks := [*await self.worker_store.lease(1000, self.clock.now(), timedelta(hours=1)), *waiting]:
            waiting = []
            for task in tasks:
                try:
                    await self.effects(task)
                except Unavailable:
                    waiting.append(task)
            if len(waiting) == len(tasks):
                raise AssertionError(f"nothing gets on: {waiting}")

    async def perform(self, task: Task) -> None:
        """The worker performs a task's effect."""
        await self.effects(task)

    async def time_is_up(self) -> None:
        """A day passes, and what was to end with it ends; whatever else is due waits."""
        self.clock.advance(timedelta(hours=24))
        for task in await self.worker_store.lease(1000, self.clock.now(), timedelta(seconds=60)):
            if isinstance(task.effect, EndCheckoutSession):
                await self.effects(task)

    async def perform_due(self) -> None:
        """The worker performs whatever is due."""
        for task in await self.worker_store.lease(1000, self.clock.now(), timedelta(seconds=60)):
            await self.effects(task)

    async def expire(self, id: CheckoutSessionId, auth: Authenticated | None = None) -> CheckoutSession:
        """The seller takes the offer back."""
        return await self.expire_checkout_session(SellerAsked(id, auth or self.auth, self.request()))

    def request(self) -> ApiRequest:
        """Somebody calls the API."""
        return ApiRequest(self.ids.new(RequestId))

    def command(self) -> CommandLine:
        """Somebody uses the command line."""
        return CommandLine("test", self.ids.new(RequestId))


MemoryWorld = World[MemoryStore]
