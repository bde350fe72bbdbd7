"""Invoices: what was bought, told to the buyer with a number, and whether it is paid.

One for each purchase, and one for each period that a subscription is billed for. The number is given when the
invoice is finalized: without gaps, per organization and mode.
"""

import hmac
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from domain.address import Address
from domain.change import Change
from domain.events import Event
from domain.ids import CustomerId, Ids, InvoiceId, OrganizationId, PriceId, PurchaseId, SubscriptionId
from domain.intent import IntentStatus

InvoiceStatus = Literal["draft", "open", "paid", "void", "partially_refunded", "refunded"]
"""`draft` until it has a number, unless it is paid before that."""


class InvoiceLine(Struct, frozen=True):
    """`quantity` of something at `unit_amount`; `amount` is what that comes to, or a share of it where only a
    part of a period is billed. In minor units."""

    description: str
    quantity: int
    unit_amount: int
    amount: int
    price_id: PriceId | None = None


class BilledTo(Struct, frozen=True):
    """Whom the invoice is made out to, as they were known then."""

    name: str | None = None
    email: str | None = None
    address: Address | None = None


class Billed(Struct, frozen=True, kw_only=True):
    """What an invoice is about. With a period, a subscription is billed for it; a `receipt_email` is given
    where the organization wants a receipt to be sent once it is paid."""

    organization_id: OrganizationId
    livemode: bool
    customer_id: CustomerId
    billed_to: BilledTo
    currency: str
    lines: tuple[InvoiceLine, ...]
    purchase_id: PurchaseId | None = None
    subscription_id: SubscriptionId | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    receipt_email: str | None = None


class Invoice(Struct, frozen=True):
    """What a customer owes, or has paid. Amounts in minor units of `currency`; the lines sum to the total.

    `number` counts from 1 per organization and mode, without gaps, in the order of finalizing; null until
    then, as is `page_token`, the secret of whoever may see its page. `payment_intent_id` is that of the
    charge we make for it, as often as `charge_attempts` says.
    """

    id: InvoiceId
    organization_id: OrganizationId
    livemode: bool
    customer_id: CustomerId
    purchase_id: PurchaseId | None
    subscription_id: SubscriptionId | None
    period_start: datetime | None
    period_end: datetime | None
    billed_to: BilledTo
    receipt_email: str | None
    currency: str
    lines: tuple[InvoiceLine, ...]
    total: int
    amount_paid: int
    amount_refunded: int
    status: InvoiceStatus
    number: int | None
    payment_intent_id: str | None
    charge_attempts: int
    created_at: datetime
    finalized_at: datetime | None = None
    paid_at: datetime | None = None
    page_token: str | None = None
    version: int = 0

    @property
    def amount_due(self) -> int:
        """What is still to be paid."""
        return 0 if self.status == "void" else max(0, self.total - self.amount_paid)


def issue(
    billed: Billed, payment: IntentStatus, refunded: int, ids: Ids, now: datetime, *, to_charge: bool = False
) -> Change[Invoice]:
    """A new invoice, whose payment stands so; `to_charge`: we are to charge for it ourselves.

    One over nothing is paid at once.
    """
    total = sum(line.amount for line in billed.lines)
    blank = Invoice(
        id=ids.new(InvoiceId),
        organization_id=billed.organization_id,
        livemode=billed.livemode,
        customer_id=billed.customer_id,
        purchase_id=billed.purchase_id,
        subscription_id=billed.subscription_id,
        period_start=billed.period_start,
        period_end=billed.period_end,
        billed_to=billed.billed_to,
        receipt_email=billed.receipt_email,
        currency=billed.currency,
        lines=billed.lines,
        total=total,
        amount_paid=0,
        amount_refunded=0,
        status="draft",
        number=None,
        payment_intent_id=None,
        charge_attempts=0,
        created_at=now,
    )
    after = _paid(blank, "succeeded" if total == 0 else payment, refunded, now)
    events = (Event("invoice.created"), *_events(blank, after))
    if to_charge and after.amount_due:
        after = replace(after, charge_attempts=1)
        events = (*events, Event("invoice.charge_due", "1"))
    return Change(after, events)


def follow_payment(
    invoice: Invoice, payment: IntentStatus, refunded: int, now: datetime
) -> Change[Invoice] | None:
    """The invoice after its payment, of which so much was refunded; None when nothing is new."""
    after = _paid(invoice, payment, refunded, now)
    if after == invoice:
        return None
    return Change(after, _events(invoice, after) or (Event("invoice.updated"),), invoice)


def waits_for_number(invoice: Invoice) -> bool:
    """Whether it is to be finalized. What was void before was never told to anybody, and gets no number."""
    return invoice.number is None and invoice.status != "void"


def finalize(invoice: Invoice, number: int, page_token: str, now: datetime) -> Change[Invoice]:
    """The invoice with its number and its page: nothing of what is owed will change."""
    assert waits_for_number(invoice), "an invoice has one number, for good"
    status = "open" if invoice.status == "draft" else invoice.status
    after = replace(invoice, number=number, page_token=page_token, status=status, finalized_at=now)
    return Change(after, (Event("invoice.finalized", "finalized"),), invoice)


def may_see_page(invoice: Invoice, token: str) -> bool:
    """Whether whoever has this token may see the invoice's page."""
    own = invoice.page_token
    return own is not None and hmac.compare_digest(own.encode(), token.encode())


def charge_again(invoice: Invoice) -> Change[Invoice] | None:
    """Try once more to charge for it, as there is a new means of payment; None when nothing is due."""
    if not invoice.amount_due:
        return None
    after = replace(invoice, charge_attempts=invoice.charge_attempts + 1)
    return Change(after, (Event("invoice.charge_due", str(after.charge_attempts)),), invoice)


def attach_intent(invoice: Invoice, payment_intent_id: str) -> Change[Invoice] | None:
    """Stripe's payment intent for this invoice is known now; None when one was known already: it stays."""
    if invoice.payment_intent_id is not None:
        return None
    after = replace(invoice, payment_intent_id=payment_intent_id)
    return Change(after, (Event("invoice.payment_intent_created"),), invoice)


def _paid(invoice: Invoice, payment: IntentStatus, refunded: int, now: datetime) -> Invoice:
    is_paid = payment == "succeeded"
    refunded = refunded if is_paid else 0
    return replace(
        invoice,
        amount_paid=invoice.total if is_paid else 0,
        amount_refunded=refunded,
        status=_status(invoice, payment, refunded),
        paid_at=invoice.paid_at or (now if is_paid else None),
    )


def _status(invoice: Invoice, payment: IntentStatus, refunded: int) -> InvoiceStatus:
    if payment == "succeeded":
        if not refunded:
            return "paid"
        return "refunded" if refunded >= invoice.total else "partially_refunded"
    if payment == "canceled":
        return "void"
    return "draft" if invoice.number is None else "open"


def _events(before: Invoice, after: Invoice) -> tuple[Event, ...]:
    events: list[Event] = []
    if after.paid_at is not None and before.paid_at is None:
        events.append(Event("invoice.paid", "paid"))
    if after.status != before.status and after.status in ("void", "refunded", "partially_refunded"):
        match after.status:
            case "void":
                events.append(Event("invoice.voided"))
            case "refunded":
                events.append(Event("invoice.refunded"))
            case "partially_refunded":
                events.append(Event("invoice.partially_refunded"))
    return tuple(events)
