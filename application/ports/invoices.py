"""Invoices, and what is charged for them."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import AuthContext, Authenticated
from domain.catalog import Price, Product
from domain.customer import Customer
from domain.defaults import Standby
from domain.ids import (
    InvoiceId,
    PaymentId,
    SubscriptionId,
)
from domain.invoice import Invoice, InvoiceStatus
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription, SubscriptionItem


class ChargeContext(Struct, frozen=True):
    """What charging for an invoice is decided on; null what is not there."""

    invoice: Invoice
    customer: Customer
    subscription: Subscription
    payment_method: PaymentMethod | None


class RenewalContext(Struct, frozen=True):
    """What renewing a subscription is decided on: its item's price and product, whose it is, and what they
    have without it."""

    subscription: Subscription
    item: SubscriptionItem
    price: Price | None
    product: Product
    customer: Customer
    standby: Standby | None
    sends_receipts: bool


class BillingRepository(Protocol):
    """What the customer is charged for without being there."""

    async def charge_context(self, auth: AuthContext, id: InvoiceId) -> ChargeContext | None:
        """By the id of a subscription's invoice."""

    async def renewal_context(self, auth: AuthContext, id: SubscriptionId) -> RenewalContext | None:
        """By the id of a subscription; of its items, the first."""


class Numbering(Struct, frozen=True):
    """What giving numbers to invoices is decided on: the last one that was given (0 for none), and the
    invoices that wait for one, in the order of ids."""

    last: int
    waiting: tuple[Invoice, ...]


class InvoiceRecord(Struct, frozen=True):
    """An invoice, with the name of the organization that made it out, and the payments made for it, oldest
    first."""

    invoice: Invoice
    seller: str
    payments: tuple[PaymentId, ...]


class InvoiceRepository(Protocol):
    """Invoices, as they are numbered, sent and read."""

    async def numbering(self, auth: AuthContext, id: InvoiceId, limit: int) -> Numbering:
        """With at most so many that wait, oldest first; and this one, if it waits, in any case."""

    async def invoice(self, auth: AuthContext, id: InvoiceId) -> InvoiceRecord | None:
        """By id."""

    async def shown_invoice(self, id: InvoiceId) -> InvoiceRecord | None:
        """By the public id of an invoice that has its page, whosever it is."""

    async def invoices(
        self,
        auth: Authenticated,
        limit: int,
        before: InvoiceId | None = None,
        *,
        customer: str | None = None,
        status: InvoiceStatus | None = None,
    ) -> Sequence[Invoice]:
        """As payments are; those with one status, if it is given. Raises Rejected `customer_not_found`."""
