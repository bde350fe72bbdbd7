"""Nobody is to act with a key any more."""

from dataclasses import dataclass

from application.causes import CommandLine
from application.operator_ports import ApiKeyRepository
from application.ports import Clock, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import account
from domain.account import ApiKey
from domain.auth import Authenticated
from domain.change import stored
from domain.errors import NotFound
from domain.ids import ApiKeyId, Ids


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Revoke a key by its id. Revoking it again changes nothing, and the first time stays the one told.

    Raises NotFound `api_key_not_found`.
    """

    api_keys: ApiKeyRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, id: ApiKeyId, auth: Authenticated, cause: CommandLine) -> ApiKey:
        key = await self.api_keys.api_key(auth, id)
        if key is None:
            mode = "live" if auth.livemode else "test"
            raise NotFound("api_key_not_found", f"The organization has no key '{id}' in {mode} mode.")
        now = self.clock.now()
        change = account.revoke_api_key(key, now)
        if change is None:
            return key
        work = UnitOfWork(cause, auth, self.ids, now)
        revoked = work.record(change)
        await self.outbox.commit(work)
        return stored(revoked)
