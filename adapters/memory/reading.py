"""What the repositories' queries find in the books of one organization, in one mode."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from msgspec.structs import replace

from adapters.memory.books import Books
from domain.account import Organization
from domain.catalog import Catalog, CatalogHead, Feature, Plan, Price, PricingModel, Product
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer, CustomerRecord, NewCustomer, no_such
from domain.defaults import CustomerTerms
from domain.identity import CustomerContext
from domain.ids import (
    CheckoutSessionId,
    CustomerId,
    OrganizationId,
    PriceId,
    PricingModelId,
    ProductId,
)
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.purchase import Purchase
from domain.subscription import Subscription, SubscriptionItem, SubscriptionRecord
from domain.text import email_key, fingerprint_key
from domain.user import User, no_such_user

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
        plans = (
            Plan(product, tuple(price for price in prices if price.product_id == product.id))
            for product in sorted(defaults, key=lambda product: (product.group, product.slug))
        )
        is_paid = any(product.default_kind == "paid" for product in defaults)
        return CustomerTerms(model, tuple(plans), (), is_paid and self.sends_receipts())

    def creation(self, draft: NewCustomer) -> CustomerContext:
        """What a draft makes of a customer is decided on."""
        known = self.customer(draft.external_id) if draft.external_id is not None else None
        if known is None and draft.email is not None:
            key = email_key(draft.email)
            known = self.first(Customer, lambda row: row.external_id is None and row.email_key == key)
            if known is not None and _is_of_another_account(known, draft):
                known = None
        named = draft.pricing_model_id
        terms = self.terms(self.pricing_model(named) if named is not None else self.default_pricing_model())
        stripe_id = draft.stripe_customer_id
        taken = self.first(Customer, lambda row: row.stripe_customer_id == stripe_id) if stripe_id else None
        return CustomerContext(
            existing=self.customer_record(known),
            terms=replace(terms, trials_used=self._trials_used(draft.fingerprint)),
            user_is_known=draft.user_id is None or self.get(User, draft.user_id) is not None,
            stripe_customer_is_taken=taken is not None and taken != known,
        )

    def _trials_used(self, fingerprint: str | None) -> tuple[ProductId, ...]:
        key = fingerprint_key(fingerprint) if fingerprint is not None else None
        rows = self.rows(Subscription) if key is not None else []
        return tuple(row.product_id for row in rows if row.trial_fingerprint == key)

    def sends_receipts(self) -> bool:
        """Whether the organization wants its buyers to get receipts."""
        organization_id, _ = self._tenant
        return any(
            row.sends_receipts
            for row in self._books.states.values()
            if isinstance(row, Organization) and row.id == organization_id
        )

    def customer(self, reference: str) -> Customer | None:
        """By id or external id, unless they were deleted."""
        if reference.startswith("cus_"):
            known = self.get(Customer, CustomerId(reference))
            return known if known is None or known.deleted_at is None else None
        return self.customer_by_external_id(reference)

    def customer_by_external_id(self, external_id: str) -> Customer | None:
        """By the application's own id."""
        return self.first(Customer, lambda customer: customer.external_id == external_id)

    def user(self, reference: str) -> User | None:
        """By id or external id."""
        if reference.startswith("usr_"):
            return self.get(User, reference)
        return self.first(User, lambda user: user.external_id == reference)

    def named_user(self, reference: str) -> User:
        """By id or external id. Raises Rejected `user_not_found`."""
        known = self.user(reference)
        if known is None:
            raise no_such_user(reference)
        return known

    def payments_of_user(self, reference: str, limit: int, before: str | None) -> list[Payment]:
        """Of their customers, and of what was asked of them; newest first."""
        user = self.named_user(reference)
        customers = {row.id for row in self.rows(Customer) if row.user_id == user.id}
        asked = {row.id for row in self.rows(IntakePayment) if row.user_id == user.id}
        found = (
            row
            for row in reversed(self.rows(Payment))
            if (before is None or row.id < before)
            and (row.customer_id in customers or row.intake_payment_id in asked)
        )
        return list(islice(found, limit))

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

    def subscriptions(self, customer: Customer | None) -> tuple[Subscription, ...]:
        """The customer's current ones, in the order of ids."""
        return tuple(
            row
            for row in self.rows(Subscription)
            if customer is not None and row.customer_id == customer.id and row.status != "canceled"
        )

    def price(self, reference: str, model_id: PricingModelId | None) -> Price | None:
        """By id, archived ones too; else by slug among the current ones of the pricing model."""
        if reference.startswith("price_"):
            return self.get(Price, PriceId(reference))
        return next(
            (p for p in self.current(Price) if p.slug == reference and p.pricing_model_id == model_id), None
        )


def sessions_whosever(books: Books) -> dict[CheckoutSessionId, CheckoutSession]:
    """Every organization's: a session's public id says not whose it is."""
    return {row.id: row for row in books.states.values() if isinstance(row, CheckoutSession)}


def _is_of_another_account(known: Customer, draft: NewCustomer) -> bool:
    """Who is linked to one account is not given the external id of another one's."""
    if draft.external_id is None or draft.user_id is None or known.user_id is None:
        return False
    return known.user_id != draft.user_id
