"""What is read of invoices in PostgreSQL: functions of sql/15_invoices.sql."""

import msgspec

from adapters.postgres.database import Database
from application.ports import InvoiceRecord, Numbering
from domain.auth import AuthContext
from domain.ids import InvoiceId

_NUMBERING = msgspec.json.Decoder(Numbering)
_RECORD = msgspec.json.Decoder(InvoiceRecord)


class InvoiceReads:
    """The part of the store that reads invoices one by one."""

    database: Database

    async def numbering(self, auth: AuthContext, id: InvoiceId, limit: int) -> Numbering:
        tenant = auth.organization_id, auth.livemode
        return _NUMBERING.decode(await self.database.call("invoice_numbering", *tenant, id, limit))

    async def invoice(self, auth: AuthContext, id: InvoiceId) -> InvoiceRecord | None:
        found = await self.database.call("invoice", auth.organization_id, auth.livemode, id)
        return None if found is None else _RECORD.decode(found)

    async def shown_invoice(self, id: InvoiceId) -> InvoiceRecord | None:
        found = await self.database.call("resolve_invoice", id)
        return None if found is None else _RECORD.decode(found)
