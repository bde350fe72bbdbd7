"""What can be done about cards and about what is bought with them, as values (see operations.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from msgspec.structs import replace

from application.causes import InboundEvent
from application.payments.news import StripeReported
from domain.checkout import (
    BuyerDetails,
    CheckoutSession,
    NewActivationSession,
    NewCheckoutSession,
    NewPaymentMethodSession,
    NewProductSession,
    NewPurchaseSession,
)
from domain.ids import CheckoutSessionId, OrganizationId, PurchaseId, SubscriptionId
from domain.intent import Attempt
from domain.payment_method import StoredMethod
from domain.purchase import NewPurchase
from domain.setup import SetupFact
from tests.machine.known import Known
from tests.machine.operations import request
from tests.machine.service import Service

SetupNews = Literal["created", "processing", "failed", "succeeded", "canceled", "abandoned"]
SetupFlaw = Literal["session", "nobody", "mode", "intent", "shared intent", "customer", "method", "no method"]
Kind = Literal["purchase", "add_payment_method", "activate_subscription"]


@dataclass(frozen=True)
class OpenPlan:
    """Somebody is to leave a card for a subscription: to a price by slug, or to the newest that is sold."""

    tenant: int
    price: str | None
    customer: str | None
    quantity: int = 1
    keeps_cycle: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        price = known.plan_on_sale(auth) if self.price is None else None
        draft = NewProductSession(
            price=self.price or (price.id if price else "price_none"),
            quantity=self.quantity,
            customer=self.customer,
            anonymous=self.customer is None,
            preserve_billing_cycle=self.keeps_cycle,
        )
        return await service.open_checkout_session(draft, auth, request(service))


@dataclass(frozen=True)
class OpenFor:
    """A session for a purchase or a subscription that there may be, or for a customer's means of payment."""

    tenant: int
    kind: Kind
    pick: int
    customer: str
    for_all: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        purchase, plan = known.purchase(self.pick), known.subscription(self.pick)
        plan_id = plan.id if plan else SubscriptionId("sub_none")
        return await service.open_checkout_session(
            self._draft(purchase.id if purchase else PurchaseId("pur_none"), plan_id), auth, request(service)
        )

    def _draft(self, purchase_id: PurchaseId, plan_id: SubscriptionId) -> NewCheckoutSession:
        match self.kind:
            case "purchase":
                return NewPurchaseSession(purchase=purchase_id)
            case "activate_subscription":
                return NewActivationSession(subscription=plan_id)
            case "add_payment_method":
                return NewPaymentMethodSession(
                    customer=self.customer,
                    subscription=plan_id if self.pick and not self.for_all else None,
                    all_subscriptions=self.for_all,
                )
            case _:
                assert_never(self.kind)


@dataclass(frozen=True)
class Agree:
    """An application makes a purchase, to be paid later: of a price by slug, or of what is on sale."""

    tenant: int
    price: str | None
    customer: str
    quantity: int

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        price = known.on_sale(auth) if self.price is None else None
        draft = NewPurchase(
            customer=self.customer,
            price=self.price or (price.id if price else "price_none"),
            quantity=self.quantity,
        )
        return await service.make_purchase(draft, auth, request(service))


@dataclass(frozen=True)
class ChangeQuantity:
    """The application says that the buyer wants so many."""

    tenant: int
    session: int
    quantity: int

    async def __call__(self, service: Service, known: Known) -> object:
        session = known.session(self.session)
        wanted = session.id if session else CheckoutSessionId("cs_none")
        details = BuyerDetails(quantity=self.quantity)
        return await service.update_checkout_session(
            wanted, details, known.tenant(self.tenant), request(service)
        )


@dataclass(frozen=True)
class ReportSetup:
    """Stripe's webhook brings news of a session's setup intent, of which something may not fit."""

    session: int
    news: SetupNews
    attempt: int = 1
    flaw: SetupFlaw | None = None
    event: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        fact = _told(known.session(self.session), self.news, self.attempt)
        if self.flaw is not None:
            fact = _flawed(fact, self.flaw, known)
        cause = InboundEvent(
            id=self.event or f"evt_of_{request(service).request_id}",
            type=f"setup_intent.{self.news}",
            organization_id=fact.organization_id or OrganizationId(""),
            livemode=fact.livemode,
            received_at=service.clock.now(),
        )
        return await service.process_setup_intent(StripeReported(fact, cause))


@dataclass(frozen=True)
class LeaveCard:
    """The setup intent moves at the provider, and nobody is told."""

    session: int
    news: SetupNews

    async def __call__(self, service: Service, known: Known) -> object:
        session = known.session(self.session)
        if session is not None and session.setup_intent_id is not None:
            service.provider.put_setup(_told(session, self.news, 1))
        return None


def _told(session: CheckoutSession | None, news: SetupNews, attempt: int) -> SetupFact:
    if session is None:
        return SetupFact("seti_none", False)
    fact = SetupFact(
        setup_intent_id=session.setup_intent_id or f"seti_for_{session.id}",
        livemode=session.livemode,
        organization_id=session.organization_id,
        checkout_session_id=session.id,
    )
    tried = f"setatt_{attempt}"
    match news:
        case "created":
            return fact
        case "processing":
            return replace(fact, attempts=(Attempt(tried, "pending"),))
        case "failed":
            return replace(fact, attempts=(Attempt(tried, "failed", "card_declined", "No."),))
        case "succeeded":
            return replace(
                fact,
                attempts=(Attempt(tried, "succeeded"),),
                ending="succeeded",
                payment_method=StoredMethod(card_of(session), "card", "visa", "4242", 12, 2034),
            )
        case "canceled" | "abandoned":
            return replace(fact, ending=news)


def card_of(session: CheckoutSession) -> str:
    """The card that is left in a session."""
    return f"pm_of_{session.id}"


def _flawed(fact: SetupFact, flaw: SetupFlaw, known: Known) -> SetupFact:
    """The same with one thing wrong; "no method" is how every webhook comes."""
    somebodys = StoredMethod(f"pm_of_{known.sessions}", "card", "visa", "4242", 12, 2034)
    other: Mapping[SetupFlaw, dict[str, object]] = {
        "session": {"checkout_session_id": CheckoutSessionId("cs_none")},
        "nobody": {"organization_id": None, "checkout_session_id": None},
        "mode": {"livemode": not fact.livemode},
        "intent": {"setup_intent_id": f"{fact.setup_intent_id}_other"},
        "shared intent": {"setup_intent_id": f"seti_of_{known.sessions}"},
        "customer": {"stripe_customer_id": "cus_of_somebody_else"},
        "method": {"payment_method": somebodys if fact.payment_method else None},
        "no method": {"payment_method": None},
    }
    return replace(fact, **other[flaw])
