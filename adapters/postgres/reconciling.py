"""What the books are held against Stripe for, in PostgreSQL: functions of sql/24_reconciling.sql."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from adapters.postgres.database import Database
from application.operator_ports import Unsettled
from domain.auth import AuthContext
from domain.ids import OrganizationId

_ORGANIZATIONS = msgspec.json.Decoder(list[OrganizationId])
_UNSETTLED = msgspec.json.Decoder(list[Unsettled])


class ReconcilingReads:
    """The part of the store that says what is to be compared."""

    database: Database

    async def organization_ids(self) -> Sequence[OrganizationId]:
        return _ORGANIZATIONS.decode(await self.database.call("resolve_organizations"))

    async def take_round(self, name: str, now: datetime, next_at: datetime) -> bool:
        taken: bool = await self.database.call("take_round", name, now, next_at)
        return taken

    async def unsettled(self, auth: AuthContext, limit: int, after: str | None = None) -> Sequence[Unsettled]:
        tenant = auth.organization_id, auth.livemode
        return _UNSETTLED.decode(await self.database.call("unsettled", *tenant, limit, after))
