"""Whoever has paid an invoice is told so by mail: the effect of its being paid and having its number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from application.causes import Task
from application.invoices.printed import PrintedInvoice, page_url, printed
from application.ports import Clock, EventOutbox, InvoiceRepository, Mail, Mailer
from application.unit_of_work import UnitOfWork
from domain.auth import Anonymous
from domain.effects import SendReceipt
from domain.errors import NotFound
from domain.ids import Ids


class Wording(Struct, frozen=True):
    """What is said in a mail: the same in text and in HTML."""

    subject: str
    text: str
    html: str


class ReceiptWriter(Protocol):
    """Puts receipts into words."""

    def receipt(self, invoice: PrintedInvoice, url: str | None) -> Wording:
        """To whoever has paid it; `url` is where they can see and print it."""


@dataclass(frozen=True, slots=True)
class MailReceipt:
    """Mail a receipt for an invoice to where it is to go.

    At least once: whoever crashes between handing the mail over and the commit has it sent again, as the same
    message with the same Message-ID, made of the invoice's id. What is no longer to be sent is not.
    """

    invoices: InvoiceRepository
    writer: ReceiptWriter
    mailer: Mailer
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    public_url: Callable[[], str]

    async def __call__(self, effect: SendReceipt, task: Task) -> None:
        """Raises NotFound `invoice_not_found`, and what `Mailer` does."""
        books = Anonymous(task.organization_id, task.livemode)
        record = await self.invoices.invoice(books, effect.invoice_id)
        if record is None:
            raise NotFound("invoice_not_found", f"There is no invoice '{effect.invoice_id}'.")
        if record.invoice.receipt_email is not None:
            url = page_url(record.invoice, self.public_url())
            said = self.writer.receipt(printed(record), url)
            await self.mailer.send(
                Mail(
                    id=f"receipt.{effect.invoice_id}",
                    to=record.invoice.receipt_email,
                    subject=said.subject,
                    text=said.text,
                    html=said.html,
                )
            )
        await self.outbox.commit(UnitOfWork(task, None, self.ids, self.clock.now()))
