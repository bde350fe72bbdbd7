"""What those who run the service ask of the books in memory; the promises stand in
`application.operator_ports`.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from application.operator_ports import InboxRow
from domain.account import ApiKey, Organization, User
from domain.auth import Authenticated
from domain.ids import ApiKeyId, OrganizationId


class OperatorReads:
    """The part of the store that the command line is for."""

    _books: Books

    async def owner(self, organization: str | None, *, livemode: bool) -> Authenticated | None:
        await asyncio.sleep(0)
        known = [row for row in self._books.states.values() if isinstance(row, Organization)]
        if organization is None:
            named = known if len(known) == 1 else []
        else:
            named = [row for row in known if row.id == organization]
            named = named or [row for row in known if row.slug == organization]
        if not named:
            return None
        users = self._tenant(named[0].id, livemode=livemode).rows(User)
        first = min(users, key=lambda user: (user.created_at, user.id), default=None)
        return Authenticated(first.id, first.organization_id, livemode) if first else None

    async def api_keys(self, auth: Authenticated) -> Sequence[ApiKey]:
        await asyncio.sleep(0)
        return [
            copied(key) for key in self._tenant(auth.organization_id, livemode=auth.livemode).rows(ApiKey)
        ]

    async def api_key(self, auth: Authenticated, id: ApiKeyId) -> ApiKey | None:
        found = self._tenant(auth.organization_id, livemode=auth.livemode).get(ApiKey, id)
        await asyncio.sleep(0)
        return copied(found)

    async def unhandled(self, limit: int, after: InboxRow | None = None) -> Sequence[InboxRow]:
        await asyncio.sleep(0)
        kept = sorted((row for row in self._books.inbox.values() if row.handled_at is None), key=_place)
        return [copied(row) for row in kept if after is None or _place(row) > _place(after)][:limit]

    async def inbound_event(self, id: str) -> InboxRow | None:
        await asyncio.sleep(0)
        return copied(
            min((row for row in self._books.inbox.values() if row.id == id), key=_place, default=None)
        )

    def _tenant(self, organization_id: OrganizationId, *, livemode: bool) -> TenantBooks:
        return TenantBooks(self._books, organization_id, livemode=livemode)


def _place(row: InboxRow) -> tuple[datetime, str, bool, str]:
    return row.received_at, row.organization_id, row.livemode, row.id
