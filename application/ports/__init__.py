"""Every port, by what it is about: what the use cases need from the world, and what is promised to them.
(Those of who runs and watches it are in `application.operator_ports`; kept replies are in
`application.idempotency`.)

Repositories only read; `EventOutbox.commit` is the only way to write. Each read is one query, as of one
moment. The contract suite (tests/contracts) holds every adapter to these words.
"""

from application.ports.attaching import AttachContext, AttachmentRepository
from application.ports.checkout import CheckoutRepository, Offer, PurchaseRepository
from application.ports.customers import (
    CatalogRepository,
    CustomerFilter,
    CustomerRepository,
    DeletionContext,
    ManagedContext,
    SubscriptionRepository,
    UpdateContext,
)
from application.ports.deciding import Clock, EventOutbox, Secrets, Tenants
from application.ports.entities import EntityContext, EntityRepository
from application.ports.events import EventFeed, EventFilter, EventSequencer, EventShelf, TaskQueue
from application.ports.expanding import Expanded, ExpandedCustomer
from application.ports.history import (
    CustomerAtStripe,
    HistoryKind,
    HistoryPage,
    Period,
    StripeHistory,
    ToldByStripe,
)
from application.ports.intake import Bill, IntakeFilter, IntakeRecord, IntakeRepository
from application.ports.invoices import (
    BillingRepository,
    ChargeContext,
    InvoiceRecord,
    InvoiceRepository,
    Numbering,
    RenewalContext,
)
from application.ports.mail import Mail, Mailer
from application.ports.overview import BillingOverview, HeldPlan
from application.ports.payments import BookingContext, PaymentRecord, PaymentRepository
from application.ports.provider import (
    OffSessionCharge,
    PaymentGateway,
    PaymentMethodUnusable,
    WebhookNotice,
    WebhookReader,
)
from application.ports.usage import (
    BalanceContext,
    FeatureAsked,
    FeatureContext,
    NewCorrection,
    NewUsage,
    Tracked,
    UsageLedger,
)
from application.ports.users import UserFilter, UserRepository, UserUpdateContext
from application.ports.webhooks import (
    DeliveryFeed,
    DeliveryFilter,
    DeliveryQueue,
    DeliveryRecord,
    EndpointNotice,
    EndpointRecord,
    LeasedDelivery,
    Sent,
    WebhookEndpointRepository,
    WebhookSender,
)

__all__ = [
    "AttachContext",
    "AttachmentRepository",
    "BalanceContext",
    "Bill",
    "BillingOverview",
    "BillingRepository",
    "BookingContext",
    "CatalogRepository",
    "ChargeContext",
    "CheckoutRepository",
    "Clock",
    "CustomerAtStripe",
    "CustomerFilter",
    "CustomerRepository",
    "DeletionContext",
    "DeliveryFeed",
    "DeliveryFilter",
    "DeliveryQueue",
    "DeliveryRecord",
    "EndpointNotice",
    "EndpointRecord",
    "EntityContext",
    "EntityRepository",
    "EventFeed",
    "EventFilter",
    "EventOutbox",
    "EventSequencer",
    "EventShelf",
    "Expanded",
    "ExpandedCustomer",
    "FeatureAsked",
    "FeatureContext",
    "HeldPlan",
    "HistoryKind",
    "HistoryPage",
    "IntakeFilter",
    "IntakeRecord",
    "IntakeRepository",
    "InvoiceRecord",
    "InvoiceRepository",
    "LeasedDelivery",
    "Mail",
    "Mailer",
    "ManagedContext",
    "NewCorrection",
    "NewUsage",
    "Numbering",
    "OffSessionCharge",
    "Offer",
    "PaymentGateway",
    "PaymentMethodUnusable",
    "PaymentRecord",
    "PaymentRepository",
    "Period",
    "PurchaseRepository",
    "RenewalContext",
    "Secrets",
    "Sent",
    "StripeHistory",
    "SubscriptionRepository",
    "TaskQueue",
    "Tenants",
    "ToldByStripe",
    "Tracked",
    "UpdateContext",
    "UsageLedger",
    "UserFilter",
    "UserRepository",
    "UserUpdateContext",
    "WebhookEndpointRepository",
    "WebhookNotice",
    "WebhookReader",
    "WebhookSender",
]
