"""The ids of everything in the books: TypeIDs, a prefix and a UUIDv7 (https://github.com/jetify-com/typeid)."""

from collections.abc import Callable, Mapping
from typing import NewType, Protocol, TypeVar

OrganizationId = NewType("OrganizationId", str)
UserId = NewType("UserId", str)
ApiKeyId = NewType("ApiKeyId", str)
CatalogId = NewType("CatalogId", str)
PricingModelId = NewType("PricingModelId", str)
ProductId = NewType("ProductId", str)
PriceId = NewType("PriceId", str)
FeatureId = NewType("FeatureId", str)
CustomerId = NewType("CustomerId", str)
EntityId = NewType("EntityId", str)
SubscriptionId = NewType("SubscriptionId", str)
SubscriptionItemId = NewType("SubscriptionItemId", str)
BalanceId = NewType("BalanceId", str)
UsageId = NewType("UsageId", str)
CheckoutSessionId = NewType("CheckoutSessionId", str)
PurchaseId = NewType("PurchaseId", str)
IntakePaymentId = NewType("IntakePaymentId", str)
PaymentId = NewType("PaymentId", str)
RefundId = NewType("RefundId", str)
InvoiceId = NewType("InvoiceId", str)
PaymentMethodId = NewType("PaymentMethodId", str)
SetupId = NewType("SetupId", str)
AccessRequestId = NewType("AccessRequestId", str)
PortalSessionId = NewType("PortalSessionId", str)
EventId = NewType("EventId", str)
TaskId = NewType("TaskId", str)
RequestId = NewType("RequestId", str)

PREFIXES: Mapping[Callable[[str], str], str] = {
    OrganizationId: "org",
    UserId: "usr",
    ApiKeyId: "key",
    CatalogId: "cat",
    PricingModelId: "pm",
    ProductId: "prod",
    PriceId: "price",
    FeatureId: "feat",
    CustomerId: "cus",
    SubscriptionId: "sub",
    SubscriptionItemId: "si",
    EntityId: "ent",
    BalanceId: "bal",
    UsageId: "usage",
    CheckoutSessionId: "cs",
    PurchaseId: "pur",
    IntakePaymentId: "intake",
    PaymentId: "pay",
    RefundId: "rfd",
    InvoiceId: "inv",
    PaymentMethodId: "pmeth",
    SetupId: "setup",
    AccessRequestId: "areq",
    PortalSessionId: "psn",
    EventId: "evt",
    TaskId: "task",
    RequestId: "req",
}

AnyId = TypeVar("AnyId", bound=str)


def id_pattern(kind: Callable[[str], str]) -> str:
    """What every id of this kind looks like, for ids that are given to us."""
    return rf"\A{PREFIXES[kind]}_[0-9a-z]{{26}}\Z"


class Ids(Protocol):
    """Where new ids come from; handed in, so that every run can be replayed."""

    def new(self, kind: Callable[[str], AnyId]) -> AnyId:
        """A new id of this kind, later in order than those given before it."""
