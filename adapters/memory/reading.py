"""What the repositories' queries find in the books of one organization, in one mode."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar, assert_never

from msgspec.structs import replace

from adapters.memory.books import Books
from application.ports import BookingContext, ChargeContext, Offer, RenewalContext
from domain.account import Organization
from domain.catalog import Catalog, CatalogHead, Feature, Plan, Price, PricingModel, Product
from domain.change import State
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.completion import Ground
from domain.customer import Customer, CustomerRecord, CustomerTerms, no_such
from domain.ids import (
    CheckoutSessionId,
    CustomerId,
    InvoiceId,
    OrganizationId,
    PriceId,
    PricingModelId,
    ProductId,
    SubscriptionId,
)
from domain.invoice import Invoice
from domain.payment import Payment, PaymentFact
from domain.payment_method import PaymentMethod, StoredMethod
from domain.purchase import Purchase
from domain.setup import Setup, SetupFact
from domain.subscription import Subscription, SubscriptionItem, SubscriptionRecord

S = TypeVar("S", bound=State)
Entry = TypeVar("Entry", PricingModel, Product, Price, Feature)
Listed = TypeVar("Listed", Invoice, Payment, Purchase, Subscription)


class TenantBooks:
    """The rows of one organization in one mode: no query sees any others."""

    def __init__(self, books: Books, organization_id: OrganizationId, *, livemode: bool) -> None:
        self._books = books
        self._tenant = organization_id, livemode

    def get(self, kind: type[S], id: str | None) -> S | None:
        """By id."""
        found = self._books.states.get((kind, *self._tenant, id)) if id is not None else None
        assert found is None or isinstance(found, kind)
        return found

    def first(self, kind: type[S], holds: Callable[[S], bool]) -> S | None:
        """The one row that a unique key names."""
        return next((row for row in self.rows(kind) if holds(row)), None)

    def rows(self, kind: type[S]) -> list[S]:
        """All of a kind, in the order of ids."""
        mine = (
            row
            for (of, *tenant, _), row in self._books.states.items()
            if of is kind and (*tenant,) == self._tenant and isinstance(row, kind)
        )
        return sorted(mine, key=lambda row: row.id)

    def current(self, kind: type[Entry]) -> list[Entry]:
        """All of a kind of catalog entry that are not archived, in the order of slugs."""
        entries = [entry for entry in self.rows(kind) if entry.archived_at is None]
        return sorted(entries, key=lambda entry: entry.slug)

    def catalog(self) -> Catalog:
        """All that is not archived."""
        return Catalog(
            head=self.first(CatalogHead, lambda _: True),
            pricing_models=tuple(self.current(PricingModel)),
            products=tuple(self.current(Product)),
            prices=tuple(self.current(Price)),
            features=tuple(self.current(Feature)),
        )

    def default_pricing_model(self) -> PricingModel | None:
        """The one that a customer gets for whom none is named."""
        return next((model for model in self.current(PricingModel) if model.is_default), None)

    def pricing_model(self, id: PricingModelId | None) -> PricingModel | None:
        """By id, unless it is archived."""
        model = self.get(PricingModel, id)
        return model if model is not None and model.archived_at is None else None

    def terms(self, model: PricingModel | None) -> CustomerTerms:
        """What a customer with this pricing model starts with."""
        if model is None:
            return CustomerTerms(None)
        prices = [price for price in self.current(Price) if price.type == "subscription"]
        defaults = [
            product
            for product in self.current(Product)
            if product.is_default and product.pricing_model_id == model.id
        ]
        return CustomerTerms(
            model,
            tuple(
                Plan(product, tuple(price for price in prices if price.product_id == product.id))
                for product in sorted(defaults, key=lambda product: (product.group, product.slug))
            ),
        )

    def customer(self, reference: str) -> Customer | None:
        """By id or external id."""
        if reference.startswith("cus_"):
            return self.get(Customer, CustomerId(reference))
        return self.customer_by_external_id(reference)

    def customer_by_external_id(self, external_id: str) -> Customer | None:
        """By the application's own id."""
        return self.first(Customer, lambda customer: customer.external_id == external_id)

    def customer_record(self, customer: Customer | None) -> CustomerRecord | None:
        """The customer with current subscriptions and their items, in the order of ids."""
        if customer is None:
            return None
        return CustomerRecord(
            customer,
            tuple(
                self.subscription_record(subscription)
                for subscription in self.rows(Subscription)
                if subscription.customer_id == customer.id and subscription.status != "canceled"
            ),
        )

    def subscription_record(self, subscription: Subscription) -> SubscriptionRecord:
        """The subscription with its items, in the order of ids."""
        items = self.rows(SubscriptionItem)
        return SubscriptionRecord(
            subscription, tuple(item for item in items if item.subscription_id == subscription.id)
        )

    def page(
        self, kind: type[Listed], limit: int, before: str | None, customer: str | None, status: str | None
    ) -> list[Listed]:
        """Newest first. Raises Rejected `customer_not_found`."""
        buyer = self.customer(customer) if customer is not None else None
        if buyer is None and customer is not None:
            raise no_such(customer)
        found = (
            row
            for row in reversed(self.rows(kind))
            if (before is None or row.id < before)
            and (buyer is None or row.customer_id == buyer.id)
            and (status is None or row.status == status)
        )
        return list(islice(found, limit))

    def opening(self, draft: NewCheckoutSession) -> OpeningContext:
        """What opening a checkout session is decided on."""
        asked_customer, asked, purchase_id, subscription_id = (
            getattr(draft, name, None) for name in ("customer", "price", "purchase", "subscription")
        )
        purchase, named = self.get(Purchase, purchase_id), self.get(Subscription, subscription_id)
        of = purchase or named
        reference = asked_customer or (of.customer_id if of else None)
        if reference is None:
            customer = None
            model = self.default_pricing_model()
            model_id = model.id if model else None
        else:
            customer = self.customer(reference)
            if customer is None:
                return OpeningContext(None, None, None)
            model_id = customer.pricing_model_id
        asked = purchase.price_id if purchase else asked
        price = self._price(asked, model_id) if asked is not None else None
        is_theirs = named is not None and customer is not None and named.customer_id == customer.id
        return OpeningContext(
            customer=customer,
            price=price,
            product=self.get(Product, price.product_id) if price else None,
            purchase=purchase,
            subscription=named if is_theirs else None,
            current=self.subscriptions(customer) if price and price.type == "subscription" else (),
        )

    def subscriptions(self, customer: Customer | None) -> tuple[Subscription, ...]:
        """The customer's current ones, in the order of ids."""
        return tuple(
            row
            for row in self.rows(Subscription)
            if customer is not None and row.customer_id == customer.id and row.status != "canceled"
        )

    def _price(self, reference: str, model_id: PricingModelId | None) -> Price | None:
        if reference.startswith("price_"):
            return self.get(Price, PriceId(reference))
        return next(
            (p for p in self.current(Price) if p.slug == reference and p.pricing_model_id == model_id), None
        )

    def offer(self, session: CheckoutSession) -> Offer:
        """What the hosted page of this session shows."""
        price = self.get(Price, session.price_id)
        (seller,) = [
            row.name
            for row in self._books.states.values()
            if isinstance(row, Organization) and row.id == session.organization_id
        ]
        return Offer(
            session=session,
            product=self.get(Product, price.product_id) if price else None,
            price=price,
            seller=seller,
            payment=self.payment_of(session.payment_intent_id),
            setup=self.setup_of(session.setup_intent_id),
            trial_used=self._trial_used(session, price.product_id if price else None),
        )

    def _trial_used(self, session: CheckoutSession, product_id: ProductId | None) -> bool:
        return any(
            row.customer_id == session.customer_id
            and row.product_id == product_id
            and row.trial_ends_at is not None
            for row in self.rows(Subscription)
        )

    def payment_of(self, payment_intent_id: str | None) -> Payment | None:
        """By Stripe's intent."""
        if payment_intent_id is None:
            return None
        return self.first(Payment, lambda row: row.payment_intent_id == payment_intent_id)

    def setup_of(self, setup_intent_id: str | None) -> Setup | None:
        """By Stripe's intent."""
        if setup_intent_id is None:
            return None
        return self.first(Setup, lambda row: row.setup_intent_id == setup_intent_id)

    def booking(
        self, fact: PaymentFact | SetupFact, session: CheckoutSession | None, *, handled: bool
    ) -> BookingContext:
        """What this fact is decided on."""
        match fact:
            case PaymentFact(payment_intent_id=intent_id, invoice_id=invoice_id):
                payment, setup, method = self.payment_of(intent_id), None, None
            case SetupFact(setup_intent_id=intent_id, payment_method=method):
                payment, setup, invoice_id = None, self.setup_of(intent_id), None
            case _:
                assert_never(fact)
        by_intent = self.first(CheckoutSession, lambda row: row.intent_id == intent_id)
        return BookingContext(
            handled=handled,
            session=session,
            completing=by_intent.id if by_intent else None,
            payment=payment,
            setup=setup,
            ground=self._ground(session, method) if session else self._invoice_ground(invoice_id),
        )

    def completing(self, session: CheckoutSession) -> BookingContext:
        """What completing this session is decided on, by its own intent."""
        return BookingContext(
            handled=False,
            session=session,
            completing=session.id if session.intent_id is not None else None,
            payment=self.payment_of(session.payment_intent_id),
            setup=self.setup_of(session.setup_intent_id),
            ground=self._ground(session, None),
        )

    def _ground(self, session: CheckoutSession, method: StoredMethod | None) -> Ground:
        price = self.get(Price, session.price_id)
        model = self.pricing_model(price.pricing_model_id if price else None)
        purchase = self.get(Purchase, session.purchase_id)
        ground = Ground(
            customer=self.get(Customer, session.customer_id),
            price=price,
            product=self.get(Product, price.product_id) if price else None,
            purchase=purchase,
            invoice=self.first(Invoice, lambda row: row.purchase_id == purchase.id) if purchase else None,
            terms=self.terms(model or self.default_pricing_model()),
            sends_receipts=self.sends_receipts(),
        )
        if session.collects == "payment":
            return ground
        return replace(
            ground,
            subscription=self.get(Subscription, session.subscription_id),
            owed=self._owed(session.subscription_id),
            current=self.subscriptions(ground.customer),
            trial_used=self._trial_used(session, price.product_id if price else None),
            payment_method=self.first(
                PaymentMethod,
                lambda row: (
                    method is not None and row.stripe_payment_method_id == method.stripe_payment_method_id
                ),
            ),
        )

    def sends_receipts(self) -> bool:
        """Whether the organization wants its buyers to get receipts."""
        organization_id, _ = self._tenant
        return any(
            row.sends_receipts
            for row in self._books.states.values()
            if isinstance(row, Organization) and row.id == organization_id
        )

    def _owed(self, subscription_id: SubscriptionId | None) -> Invoice | None:
        unpaid = [
            row
            for row in self.rows(Invoice)
            if row.subscription_id == subscription_id and row.period_end is not None
            if row.paid_at is None and row.status != "void"
        ]
        return max(unpaid, key=lambda row: row.period_end or row.created_at, default=None)

    def _invoice_ground(self, invoice_id: InvoiceId | None) -> Ground:
        invoice = self.get(Invoice, invoice_id)
        if invoice is None:
            return Ground()
        return Ground(
            invoice=invoice,
            purchase=self.get(Purchase, invoice.purchase_id),
            subscription=self.get(Subscription, invoice.subscription_id),
            customer=self.get(Customer, invoice.customer_id),
        )

    def charging(self, id: InvoiceId) -> ChargeContext | None:
        """What charging for a subscription's invoice is decided on."""
        invoice = self.get(Invoice, id)
        subscription = self.get(Subscription, invoice.subscription_id) if invoice else None
        customer = self.get(Customer, invoice.customer_id) if invoice else None
        if invoice is None or subscription is None or customer is None:
            return None
        method = self.get(PaymentMethod, subscription.payment_method_id)
        return ChargeContext(invoice, customer, subscription, method)

    def renewing(self, id: SubscriptionId) -> RenewalContext | None:
        """What renewing a subscription is decided on."""
        subscription = self.get(Subscription, id)
        item = self.first(SubscriptionItem, lambda row: row.subscription_id == id)
        if subscription is None or item is None:
            return None
        customer = self.get(Customer, subscription.customer_id)
        product = self.get(Product, subscription.product_id)
        assert customer is not None, "customers are never deleted"
        assert product is not None, "products are never deleted"
        return RenewalContext(
            subscription, item, self.get(Price, item.price_id), product, customer, self.sends_receipts()
        )


def sessions_whosever(books: Books) -> dict[CheckoutSessionId, CheckoutSession]:
    """Every organization's: a session's public id says not whose it is."""
    return {row.id: row for row in books.states.values() if isinstance(row, CheckoutSession)}
