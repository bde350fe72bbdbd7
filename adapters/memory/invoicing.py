"""What is read of invoices in memory; the promises stand in `application.ports`."""

import asyncio

from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from application.ports import InvoiceRecord, Numbering
from domain.account import Organization
from domain.auth import AuthContext
from domain.ids import InvoiceId, OrganizationId
from domain.invoice import Invoice, waits_for_number
from domain.payment import Payment


class InvoiceReads:
    """The part of the store that reads invoices one by one."""

    _books: Books

    async def numbering(self, auth: AuthContext, id: InvoiceId, limit: int) -> Numbering:
        invoices = TenantBooks(self._books, auth.organization_id, livemode=auth.livemode).rows(Invoice)
        waiting = [invoice for invoice in invoices if waits_for_number(invoice)]
        found = Numbering(
            last=max((invoice.number or 0 for invoice in invoices), default=0),
            waiting=(*waiting[:limit], *(invoice for invoice in waiting[limit:] if invoice.id == id)),
        )
        answer = copied(found)
        await asyncio.sleep(0)
        return answer

    async def invoice(self, auth: AuthContext, id: InvoiceId) -> InvoiceRecord | None:
        found = self._record(auth.organization_id, id, livemode=auth.livemode)
        await asyncio.sleep(0)
        return found

    async def shown_invoice(self, id: InvoiceId) -> InvoiceRecord | None:
        known = next(
            (row for row in self._books.states.values() if isinstance(row, Invoice) and row.id == id), None
        )
        shown = known is not None and known.page_token is not None
        found = self._record(known.organization_id, id, livemode=known.livemode) if known and shown else None
        await asyncio.sleep(0)
        return found

    def _record(
        self, organization_id: OrganizationId, id: InvoiceId, *, livemode: bool
    ) -> InvoiceRecord | None:
        books = TenantBooks(self._books, organization_id, livemode=livemode)
        seller = TenantBooks(self._books, organization_id, livemode=True).get(Organization, organization_id)
        invoice = books.get(Invoice, id)
        if invoice is None or seller is None:
            return None
        payments = tuple(payment.id for payment in books.rows(Payment) if payment.invoice_id == id)
        return copied(InvoiceRecord(invoice, seller.name, payments))
