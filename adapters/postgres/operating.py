"""What those who run the service ask of the books in PostgreSQL: functions of sql/11_operating.sql."""

from collections.abc import Sequence

import msgspec

from adapters.postgres.database import Database
from domain.account import ApiKey
from domain.auth import Authenticated
from domain.ids import ApiKeyId

_AUTHENTICATED = msgspec.json.Decoder(Authenticated)
_API_KEYS = msgspec.json.Decoder(list[ApiKey])


class OperatorReads:
    """The part of the store that the command line is for."""

    database: Database

    async def owner(self, organization: str | None, *, livemode: bool) -> Authenticated | None:
        found = await self.database.call("resolve_organization", organization, livemode)
        return None if found is None else _AUTHENTICATED.decode(found)

    async def api_keys(self, auth: Authenticated) -> Sequence[ApiKey]:
        return await self._keys(auth, None)

    async def api_key(self, auth: Authenticated, id: ApiKeyId) -> ApiKey | None:
        return next(iter(await self._keys(auth, id)), None)

    async def _keys(self, auth: Authenticated, id: ApiKeyId | None) -> list[ApiKey]:
        return _API_KEYS.decode(
            await self.database.call("api_keys_of", auth.organization_id, auth.livemode, id)
        )
