"""An invoice as a person reads it: on its page, and in the mail about it. Every amount is text, in full."""

from datetime import datetime

from msgspec import Struct

from application.ports import InvoiceRecord
from domain.invoice import BilledTo, Invoice, InvoiceLine, InvoiceStatus
from domain.money import display

_STANDING: dict[InvoiceStatus, str] = {
    "draft": "Not issued yet",
    "open": "To be paid",
    "paid": "Paid",
    "void": "Canceled",
    "partially_refunded": "Partly refunded",
    "refunded": "Refunded",
}


class PrintedLine(Struct, frozen=True):
    """`is_share`: a part of the period is billed, and so a part of the price."""

    description: str
    quantity: str
    unit_price: str
    amount: str
    is_share: bool


class PrintedInvoice(Struct, frozen=True, kw_only=True):
    """`billed_to` is whom it is made out to, line by line; `facts` are dates, `sums` amounts, each with its
    label."""

    number: str
    seller: str
    standing: str
    livemode: bool
    billed_to: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[PrintedLine, ...]
    sums: tuple[tuple[str, str], ...]


def printed(record: InvoiceRecord) -> PrintedInvoice:
    """The invoice, ready to be shown; it has its number."""
    invoice = record.invoice
    return PrintedInvoice(
        number=str(invoice.number),
        seller=record.seller,
        standing=_STANDING[invoice.status],
        livemode=invoice.livemode,
        billed_to=_addressee(invoice.billed_to),
        facts=_facts(invoice),
        lines=tuple(_line(line, invoice.currency) for line in invoice.lines),
        sums=_sums(invoice),
    )


def page_url(invoice: Invoice, public_url: str) -> str | None:
    """Where the invoice can be seen and printed by whoever has this address; None until it has its number."""
    if invoice.page_token is None:
        return None
    return f"{public_url}/invoices/{invoice.id}?token={invoice.page_token}"


def _addressee(to: BilledTo) -> tuple[str, ...]:
    address = to.address
    where: tuple[str | None, ...] = ()
    if address is not None:
        city = " ".join(filter(None, (address.postal_code, address.city)))
        place = ", ".join(filter(None, (city, address.state)))
        where = (address.line1, address.line2, place, address.country)
    return tuple(filter(None, (to.name, to.email, *where)))


def _facts(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    facts = [("Number", str(invoice.number)), ("Date", _day(invoice.finalized_at or invoice.created_at))]
    if invoice.period_start is not None and invoice.period_end is not None:
        facts.append(("Period", f"{_day(invoice.period_start)} to {_day(invoice.period_end)}"))
    if invoice.paid_at is not None:
        facts.append(("Paid on", _day(invoice.paid_at)))
    return tuple(facts)


def _line(line: InvoiceLine, currency: str) -> PrintedLine:
    return PrintedLine(
        description=line.description,
        quantity=f"{line.quantity:,}",
        unit_price=display(line.unit_amount, currency),
        amount=display(line.amount, currency),
        is_share=line.amount != line.quantity * line.unit_amount,
    )


def _sums(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    sums = [("Total", invoice.total), ("Paid", invoice.amount_paid)]
    if invoice.amount_refunded:
        sums.append(("Refunded", invoice.amount_refunded))
    sums.append(("Due", invoice.amount_due))
    return tuple((label, display(amount, invoice.currency)) for label, amount in sums)


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"
