"""What those who run the service ask of the books in PostgreSQL: functions of sql/11_operating.sql,
sql/12_backlog.sql and sql/15_inbox.sql.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from adapters.postgres.database import Database
from application.inbox_tries import GIVEN_UP_AFTER, LONGEST_PAUSE, SHORTEST_PAUSE
from application.operator_ports import Backlog, InboxPlace, InboxRow
from domain.account import ApiKey, Organization
from domain.auth import Authenticated
from domain.ids import ApiKeyId

_AUTHENTICATED = msgspec.json.Decoder(Authenticated)
_API_KEYS = msgspec.json.Decoder(list[ApiKey])
_BACKLOG = msgspec.json.Decoder(Backlog)
_ORGANIZATION = msgspec.json.Decoder(Organization)
_INBOX = msgspec.json.Decoder(list[InboxRow])


class OperatorReads:
    """The part of the store that is for those who run the service."""

    database: Database

    async def owner(self, organization: str | None, *, livemode: bool) -> Authenticated | None:
        found = await self.database.call("resolve_organization", organization, livemode)
        return None if found is None else _AUTHENTICATED.decode(found)

    async def database_time(self) -> datetime:
        time: datetime = await self.database.call("clock_timestamp")
        return time

    async def organization(self, auth: Authenticated) -> Organization | None:
        found = await self.database.call("organization", auth.organization_id, auth.livemode)
        return None if found is None else _ORGANIZATION.decode(found)

    async def api_keys(self, auth: Authenticated) -> Sequence[ApiKey]:
        return await self._keys(auth, None)

    async def api_key(self, auth: Authenticated, id: ApiKeyId) -> ApiKey | None:
        return next(iter(await self._keys(auth, id)), None)

    async def _keys(self, auth: Authenticated, id: ApiKeyId | None) -> list[ApiKey]:
        return _API_KEYS.decode(
            await self.database.call("api_keys_of", auth.organization_id, auth.livemode, id)
        )

    async def unhandled(self, limit: int, after: InboxRow | None = None) -> Sequence[InboxRow]:
        place = (after.received_at, after.organization_id, after.livemode, after.id) if after else (None,) * 4
        return _INBOX.decode(await self.database.call("inbox_unhandled", limit, *place))

    async def inbound_event(self, id: str) -> InboxRow | None:
        return next(iter(_INBOX.decode(await self.database.call("inbox_event", id))), None)

    async def kept(
        self, auth: Authenticated, limit: int, before: InboxPlace | None = None
    ) -> Sequence[InboxRow]:
        tenant = auth.organization_id, auth.livemode
        place = before or (None, None)
        return _INBOX.decode(await self.database.call("inbox_page", *tenant, limit, *place))

    async def lease_unhandled(self, limit: int, now: datetime) -> Sequence[InboxRow]:
        rule = SHORTEST_PAUSE, LONGEST_PAUSE, GIVEN_UP_AFTER
        return _INBOX.decode(await self.database.call("lease_unhandled", limit, now, *rule))

    async def settle(self, row: InboxRow, now: datetime) -> None:
        key = row.organization_id, row.livemode, row.id
        await self.database.call("settle_inbound_event", *key, now)

    async def backlog(self, now: datetime, limit: int) -> Backlog:
        return _BACKLOG.decode(await self.database.call("backlog", now, limit))
