"""What must be unique and what must exist: the constraints that PostgreSQL's tables have, for rows in memory.

Every unique key starts with organization and mode, but for the two by which a tenant is found.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from domain.account import ApiKey, Organization
from domain.balance import Balance
from domain.catalog import CatalogHead, Feature, Price, PricingModel, Product
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.entity import Entity
from domain.ids import OrganizationId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.setup import Setup
from domain.subscription import Subscription, SubscriptionItem
from domain.user import User

RowKey = tuple[type, OrganizationId, bool, str]
UniqueKey = tuple[Any, ...]
Declared = TypeVar("Declared", "_Unique", "_Reference")


def unique_keys(state: State) -> Iterator[UniqueKey]:
    """The keys that this row takes, and no other row may have. As in SQL, a null takes none."""
    for rule in _UNIQUE.get(type(state), ()):
        values = tuple(getattr(state, column) for column in rule.columns)
        if None not in values and rule.among(state):
            tenant = () if rule.across_tenants else (state.organization_id, state.livemode)
            yield (rule.name, *tenant, *values)


def references(state: State) -> Iterator[RowKey]:
    """The rows, of the same organization and mode, that must exist for this one to make sense."""
    for rule in _REFERENCES.get(type(state), ()):
        referred = getattr(state, rule.column)
        if referred is not None:
            yield rule.to, state.organization_id, state.livemode, referred


def _always(_: State) -> bool:
    return True


def _current(row: PricingModel | Feature | Product | Price) -> bool:
    return row.archived_at is None


def _current_default(row: PricingModel) -> bool:
    return row.is_default and row.archived_at is None


def _not_deleted(row: Entity) -> bool:
    return row.deleted_at is None


def _without_id(row: Customer) -> bool:
    return row.external_id is None


def _current_plan(row: Subscription) -> bool:
    return row.status != "canceled" and not row.is_add_on


class _Unique(Struct, frozen=True):
    of: type
    columns: tuple[str, ...]
    among: Callable[[Any], bool] = _always
    across_tenants: bool = False

    @property
    def name(self) -> str:
        """Two rules of one kind differ by their columns."""
        return f"{self.of.__name__}({', '.join(self.columns)})"


class _Reference(Struct, frozen=True):
    of: type
    column: str
    to: type


def _by_kind(declared: tuple[Declared, ...]) -> Mapping[type, list[Declared]]:
    by_kind: dict[type, list[Declared]] = defaultdict(list)
    for rule in declared:
        by_kind[rule.of].append(rule)
    return by_kind


_UNIQUE = _by_kind(
    (
        _Unique(Organization, ("slug",), across_tenants=True),
        _Unique(User, ("external_id",)),
        _Unique(User, ("email_key", "email_verified")),
        _Unique(User, ("stripe_customer_id",)),
        _Unique(ApiKey, ("secret_hash",), across_tenants=True),
        _Unique(CatalogHead, ()),
        _Unique(PricingModel, ("slug",), _current),
        _Unique(PricingModel, (), _current_default),
        _Unique(Feature, ("slug",), _current),
        _Unique(Product, ("pricing_model_id", "slug"), _current),
        _Unique(Product, ("pricing_model_id", "group", "default_kind"), _current),
        _Unique(Price, ("pricing_model_id", "slug"), _current),
        _Unique(Customer, ("external_id",)),
        _Unique(Customer, ("email_key",), _without_id),
        _Unique(Customer, ("stripe_customer_id",)),
        _Unique(Entity, ("customer_id", "external_id"), _not_deleted),
        _Unique(Subscription, ("holder", "group"), _current_plan),
        _Unique(Subscription, ("product_id", "trial_fingerprint")),
        _Unique(CheckoutSession, ("payment_intent_id",)),
        _Unique(CheckoutSession, ("setup_intent_id",)),
        _Unique(PaymentMethod, ("stripe_payment_method_id",)),
        _Unique(Purchase, ("checkout_session_id",)),
        _Unique(Setup, ("setup_intent_id",)),
        _Unique(Invoice, ("number",)),
        _Unique(Invoice, ("purchase_id",)),
        _Unique(Invoice, ("subscription_id", "period_end")),
        _Unique(IntakePayment, ("payment_intent_id",)),
        _Unique(Payment, ("payment_intent_id",)),
    )
)

_REFERENCES = _by_kind(
    (
        _Reference(Product, "pricing_model_id", PricingModel),
        _Reference(Price, "pricing_model_id", PricingModel),
        _Reference(Price, "product_id", Product),
        _Reference(Customer, "pricing_model_id", PricingModel),
        _Reference(Entity, "customer_id", Customer),
        _Reference(Entity, "feature_id", Feature),
        _Reference(Customer, "user_id", User),
        _Reference(Subscription, "customer_id", Customer),
        _Reference(Subscription, "product_id", Product),
        _Reference(Subscription, "entity_id", Entity),
        _Reference(Subscription, "payment_method_id", PaymentMethod),
        _Reference(Subscription, "replaced_by", Subscription),
        _Reference(SubscriptionItem, "subscription_id", Subscription),
        _Reference(PaymentMethod, "customer_id", Customer),
        _Reference(CheckoutSession, "price_id", Price),
        _Reference(CheckoutSession, "customer_id", Customer),
        _Reference(CheckoutSession, "entity_id", Entity),
        _Reference(CheckoutSession, "purchase_id", Purchase),
        _Reference(CheckoutSession, "subscription_id", Subscription),
        _Reference(Purchase, "checkout_session_id", CheckoutSession),
        _Reference(Purchase, "customer_id", Customer),
        _Reference(Purchase, "price_id", Price),
        _Reference(Setup, "checkout_session_id", CheckoutSession),
        _Reference(Setup, "customer_id", Customer),
        _Reference(Setup, "payment_method_id", PaymentMethod),
        _Reference(Invoice, "customer_id", Customer),
        _Reference(Invoice, "purchase_id", Purchase),
        _Reference(Invoice, "subscription_id", Subscription),
        _Reference(Payment, "checkout_session_id", CheckoutSession),
        _Reference(Payment, "invoice_id", Invoice),
        _Reference(Payment, "intake_payment_id", IntakePayment),
        _Reference(IntakePayment, "user_id", User),
        _Reference(IntakePayment, "payment_id", Payment),
        _Reference(Balance, "customer_id", Customer),
        _Reference(Balance, "feature_id", Feature),
        _Reference(Balance, "subscription_id", Subscription),
        _Reference(Balance, "purchase_id", Purchase),
    )
)
