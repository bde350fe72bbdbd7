"""What is published of each state: in replies and, the same, in events. Add fields, never rename.

Secrets, hashes, versions and what only the books need are not in a view.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from application.account_views import ApiKeyView, OrganizationView, UserView
from application.catalog_views import CatalogView, FeatureView, PriceView, PricingModelView, ProductView
from application.intake_views import IntakePaymentView
from domain.account import ApiKey, Organization
from domain.address import Address
from domain.balance import Balance
from domain.catalog import (
    CatalogHead,
    Feature,
    Price,
    PricingModel,
    Product,
    ResetInterval,
)
from domain.change import State
from domain.checkout import CheckoutSession, CheckoutSessionStatus, CheckoutSessionType, Collects
from domain.customer import Customer
from domain.entity import Entity
from domain.events import Subject
from domain.ids import (
    BalanceId,
    CheckoutSessionId,
    CustomerId,
    EntityId,
    FeatureId,
    IntakePaymentId,
    InvoiceId,
    PaymentMethodId,
    PriceId,
    PricingModelId,
    ProductId,
    PurchaseId,
    SetupId,
    SubscriptionId,
    UserId,
)
from domain.intake_payment import IntakePayment
from domain.intent import IntentStatus
from domain.invoice import BilledTo, Invoice, InvoiceLine, InvoiceStatus
from domain.payment import Payment, PaymentStatus
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase, PurchaseStatus
from domain.reversal import Dispute, Refund
from domain.setup import Setup
from domain.subscription import (
    CancellationReason,
    Overdue,
    Subscription,
    SubscriptionItem,
    SubscriptionStatus,
)
from domain.user import User


class CustomerView(Struct, frozen=True, kw_only=True):
    id: CustomerId
    external_id: str | None
    email: str | None
    name: str | None
    livemode: bool
    user_id: UserId | None
    pricing_model_id: PricingModelId
    stripe_customer_id: str | None
    fingerprint: str | None
    metadata: dict[str, str]
    billing_address: Address | None
    created_at: datetime


class PaymentMethodView(Struct, frozen=True, kw_only=True):
    id: PaymentMethodId
    customer_id: CustomerId
    stripe_payment_method_id: str
    type: str
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    livemode: bool
    created_at: datetime


class EntityView(Struct, frozen=True, kw_only=True):
    """`external_id` is the application's own, `feature_id` what it counts against."""

    id: EntityId
    customer_id: CustomerId
    external_id: str
    name: str | None
    feature_id: FeatureId | None
    livemode: bool
    created_at: datetime
    deleted_at: datetime | None


class SubscriptionView(Struct, frozen=True, kw_only=True):
    id: str
    customer_id: CustomerId
    entity_id: EntityId | None
    pricing_model_id: PricingModelId
    product_id: ProductId
    product_slug: str
    group: str
    is_add_on: bool
    is_free: bool
    status: SubscriptionStatus
    trial_ends_at: datetime | None
    current_period_start: datetime
    current_period_end: datetime | None
    payment_method_id: PaymentMethodId | None
    failure_code: str | None
    failure_message: str | None
    overdue: tuple[Overdue, ...]
    canceled_at: datetime | None
    cancellation_reason: CancellationReason | None
    cancel_at_period_end: bool
    replaced_by: SubscriptionId | None
    created_at: datetime


class SubscriptionItemView(Struct, frozen=True, kw_only=True):
    id: str
    subscription_id: str
    product_id: ProductId
    price_id: PriceId | None
    quantity: int
    created_at: datetime


class CheckoutSessionView(Struct, frozen=True, kw_only=True):
    """Amounts in minor units of `currency`."""

    id: CheckoutSessionId
    type: CheckoutSessionType
    collects: Collects
    status: CheckoutSessionStatus
    livemode: bool
    price_id: PriceId | None
    quantity: int
    amount: int
    currency: str | None
    customer_id: CustomerId | None
    entity_id: EntityId | None
    customer_email: str | None
    customer_name: str | None
    billing_address: Address | None
    success_url: str | None
    cancel_url: str | None
    metadata: dict[str, str]
    preserve_billing_cycle: bool
    all_subscriptions: bool
    payment_intent_id: str | None
    setup_intent_id: str | None
    purchase_id: PurchaseId | None
    subscription_id: SubscriptionId | None
    expires_at: datetime
    created_at: datetime


class PurchaseView(Struct, frozen=True, kw_only=True):
    """Amounts in minor units of `currency`."""

    id: PurchaseId
    checkout_session_id: CheckoutSessionId | None
    customer_id: CustomerId
    price_id: PriceId
    quantity: int
    amount: int
    currency: str
    status: PurchaseStatus
    livemode: bool
    created_at: datetime
    completed_at: datetime | None


class PaymentView(Struct, frozen=True, kw_only=True):
    """Amounts in minor units of `currency`. The failure is given while the payment has failed.

    `refunded_amount` is the sum of the refunds that have neither failed nor been canceled.
    """

    id: str
    payment_intent_id: str
    checkout_session_id: CheckoutSessionId | None
    customer_id: CustomerId | None
    purchase_id: PurchaseId | None
    invoice_id: InvoiceId | None
    amount: int
    currency: str
    status: PaymentStatus
    failure_code: str | None
    failure_message: str | None
    refunded_amount: int
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    intake_payment_id: IntakePaymentId | None
    livemode: bool
    created_at: datetime


class SetupView(Struct, frozen=True, kw_only=True):
    """The failure is given while the setup has failed."""

    id: SetupId
    setup_intent_id: str
    checkout_session_id: CheckoutSessionId
    customer_id: CustomerId | None
    payment_method_id: PaymentMethodId | None
    status: IntentStatus
    failure_code: str | None
    failure_message: str | None
    livemode: bool
    created_at: datetime


class InvoiceView(Struct, frozen=True, kw_only=True):
    """Amounts in minor units of `currency`. `number` is null until the invoice is finalized."""

    id: InvoiceId
    number: int | None
    status: InvoiceStatus
    customer_id: CustomerId
    purchase_id: PurchaseId | None
    subscription_id: SubscriptionId | None
    period_start: datetime | None
    period_end: datetime | None
    billed_to: BilledTo
    currency: str
    lines: tuple[InvoiceLine, ...]
    total: int
    amount_paid: int
    amount_refunded: int
    amount_due: int
    payment_intent_id: str | None
    charge_attempts: int
    livemode: bool
    created_at: datetime
    finalized_at: datetime | None
    paid_at: datetime | None


class BalanceView(Struct, frozen=True, kw_only=True):
    """The terms on which a customer may use a feature; `granted` units in each `reset` interval."""

    id: BalanceId
    customer_id: CustomerId
    feature_id: FeatureId
    feature: str
    subscription_id: SubscriptionId | None
    purchase_id: PurchaseId | None
    entity_id: EntityId | None
    granted: int | None
    unlimited: bool
    overage: bool
    per_entity: bool
    reset: ResetInterval
    expires_at: datetime | None
    thresholds: tuple[int, ...]
    livemode: bool
    created_at: datetime


_VIEWS: Mapping[type, tuple[str, type[Struct]]] = {
    Organization: ("organization", OrganizationView),
    User: ("user", UserView),
    ApiKey: ("api_key", ApiKeyView),
    CatalogHead: ("catalog", CatalogView),
    PricingModel: ("pricing_model", PricingModelView),
    Feature: ("feature", FeatureView),
    Product: ("product", ProductView),
    Price: ("price", PriceView),
    Customer: ("customer", CustomerView),
    Entity: ("entity", EntityView),
    Subscription: ("subscription", SubscriptionView),
    SubscriptionItem: ("subscription_item", SubscriptionItemView),
    CheckoutSession: ("checkout_session", CheckoutSessionView),
    Purchase: ("purchase", PurchaseView),
    Payment: ("payment", PaymentView),
    IntakePayment: ("intake_payment", IntakePaymentView),
    PaymentMethod: ("payment_method", PaymentMethodView),
    Setup: ("setup", SetupView),
    Invoice: ("invoice", InvoiceView),
    Balance: ("balance", BalanceView),
}


def subject_of(state: State) -> Subject:
    """What an event about this state is about."""
    return Subject(_VIEWS[type(state)][0], state.id)


def view_of(state: State) -> Struct:
    """The state as it is published. A view's fields are attributes of its state, under the same names."""
    view = _VIEWS[type(state)][1]
    return view(**{name: getattr(state, name) for name in view.__struct_fields__})


def snapshot_of(state: State) -> dict[str, Any]:
    """The view as plain JSON values, as events carry it."""
    # Not `to_builtins`: it leaves tuples as they are, and what comes back from the books has lists.
    snapshot: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(view_of(state)))
    return snapshot


def previous_of(before: State, after: State) -> dict[str, Any]:
    """The fields of the view that a change has changed, as they were before it."""
    now = snapshot_of(after)
    return {name: value for name, value in snapshot_of(before).items() if now[name] != value}
