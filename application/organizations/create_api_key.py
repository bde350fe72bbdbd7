"""Somebody gets one more key to the API."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import CommandLine
from application.ports import Clock, EventOutbox, Secrets
from application.unit_of_work import UnitOfWork
from domain import account
from domain.account import ApiKey
from domain.auth import Authenticated
from domain.change import stored
from domain.ids import Ids


class ApiKeyCreated(Struct, frozen=True):
    """The secret is shown only here."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """Make a key for whoever acts, in the mode they act in. Keys that are there go on working."""

    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets

    async def __call__(self, auth: Authenticated, cause: CommandLine) -> ApiKeyCreated:
        now = self.clock.now()
        secret = self.secrets.api_key(livemode=auth.livemode)
        work = UnitOfWork(cause, auth, self.ids, now)
        key = work.record(account.new_api_key(auth, secret, self.ids, now))
        await self.outbox.commit(work)
        return ApiKeyCreated(stored(key), secret)
