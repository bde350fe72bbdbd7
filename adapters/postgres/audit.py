"""Who did what, in PostgreSQL: a function of sql/24_audit.sql."""

import msgspec
from msgspec import Struct

from adapters.postgres.database import Database
from application.ports.audit import LOOKED_AT, AuditFilter, AuditPage
from domain.auth import Authenticated
from domain.events import RecordedEvent


class _Page(Struct):
    events: list[RecordedEvent]
    next_before: int | None


_PAGE = msgspec.json.Decoder(_Page)


class AuditReads:
    """The part of the store that tells who did what."""

    database: Database

    async def audit(
        self, auth: Authenticated, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        asked = msgspec.json.encode(wanted).decode()
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("audit_page", *tenant, before, limit, LOOKED_AT, asked)
        page = _PAGE.decode(found)
        return AuditPage(page.events, page.next_before)
