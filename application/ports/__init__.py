"""Every port, by what it is about: what the use cases need from the world, and what is promised to them.
(Those of who runs and watches it are in `application.operator_ports`; kept replies are in
`application.idempotency`.)

Repositories only read; `EventOutbox.commit` is the only way to write. Each read is one query, as of one
moment. The contract suite (tests/contracts) holds every adapter to these words.
"""

from application.ports.checkout import CheckoutRepository, Offer, PurchaseRepository
from application.ports.customers import (
    CatalogRepository,
    CustomerContext,
    CustomerFilter,
    CustomerRepository,
    DeletionContext,
    SubscriptionRepository,
    UpdateContext,
)
from application.ports.deciding import Clock, EventOutbox, Secrets, Tenants
from application.ports.events import EventFeed, EventFilter, EventSequencer, TaskQueue
from application.ports.expanding import Expanded, ExpandedCustomer
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
from application.ports.provider import OffSessionCharge, PaymentGateway, WebhookNotice, WebhookReader

__all__ = [
    "BillingOverview",
    "BillingRepository",
    "BookingContext",
    "CatalogRepository",
    "ChargeContext",
    "CheckoutRepository",
    "Clock",
    "CustomerContext",
    "CustomerFilter",
    "CustomerRepository",
    "DeletionContext",
    "EventFeed",
    "EventFilter",
    "EventOutbox",
    "EventSequencer",
    "Expanded",
    "ExpandedCustomer",
    "HeldPlan",
    "InvoiceRecord",
    "InvoiceRepository",
    "Mail",
    "Mailer",
    "Numbering",
    "OffSessionCharge",
    "Offer",
    "PaymentGateway",
    "PaymentRecord",
    "PaymentRepository",
    "PurchaseRepository",
    "RenewalContext",
    "Secrets",
    "SubscriptionRepository",
    "TaskQueue",
    "Tenants",
    "UpdateContext",
    "WebhookNotice",
    "WebhookReader",
]
