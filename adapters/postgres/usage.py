"""The record of usage in PostgreSQL: what waits at the same time is recorded together."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from adapters.postgres.combining import Combined, Limits
from adapters.postgres.database import Database
from application.ports import (
    BalanceContext,
    FeatureAsked,
    FeatureContext,
    NewCorrection,
    NewUsage,
    Tracked,
)
from application.ports.usage import no_such_feature
from domain.auth import Authenticated
from domain.customer import no_such
from domain.events import RecordedEvent
from domain.ids import BalanceId, OrganizationId, UsageId
from domain.usage import Entry, Usage, WhenShort


class _Asked(Struct, frozen=True, kw_only=True):
    """As `track_usages` takes it."""

    organization_id: OrganizationId
    livemode: bool
    id: UsageId
    customer: str
    feature: str
    entity: str | None
    amount: int
    when_short: WhenShort
    key: str | None
    fingerprint: str
    at: datetime
    event: RecordedEvent


class _UsagePage(Struct, frozen=True):
    missing: str | None = None
    found: list[Usage] = []


_FEATURE_CONTEXT = msgspec.json.Decoder(FeatureContext)
_BALANCE_CONTEXT = msgspec.json.Decoder(BalanceContext)
_TRACKED = msgspec.json.Decoder(Tracked)
_USAGE_PAGE = msgspec.json.Decoder(_UsagePage)
_ENTRIES = msgspec.json.Decoder(list[Entry])


class UsageLedgerInPostgres:
    """What `PostgresStore` offers of usage."""

    database: Database
    tracking: Combined[_Asked, str]
    feature_contexts: Combined[tuple[object, ...], str]

    def open_ledger(self, wait_seconds: float, limits: Limits) -> None:
        """Before anything is recorded."""
        self.tracking = Combined(self._track_together, wait_seconds, limits)

    async def feature_context(
        self, auth: Authenticated, asked: FeatureAsked, now: datetime
    ) -> FeatureContext:
        return _FEATURE_CONTEXT.decode(
            await self.feature_contexts(
                (auth.organization_id, auth.livemode, asked.customer, asked.feature, asked.entity, now)
            )
        )

    async def track(self, auth: Authenticated, usage: NewUsage) -> Tracked:
        asked = usage.asked
        return _TRACKED.decode(
            await self.tracking(
                _Asked(
                    organization_id=auth.organization_id,
                    livemode=auth.livemode,
                    id=usage.id,
                    customer=asked.customer,
                    feature=asked.feature,
                    entity=asked.entity,
                    amount=usage.amount,
                    when_short=usage.when_short,
                    key=usage.key,
                    fingerprint=usage.fingerprint,
                    at=usage.at,
                    event=usage.event,
                )
            )
        )

    async def correct(self, auth: Authenticated, correction: NewCorrection) -> Tracked:
        asked = msgspec.json.encode(correction).decode()
        return _TRACKED.decode(
            await self.database.call("correct_balance", auth.organization_id, auth.livemode, asked)
        )

    async def balances(
        self, auth: Authenticated, customer: str, entity: str | None, now: datetime
    ) -> BalanceContext:
        return _BALANCE_CONTEXT.decode(
            await self.database.call(
                "balance_context", auth.organization_id, auth.livemode, customer, entity, now
            )
        )

    async def usages(
        self,
        auth: Authenticated,
        customer: str,
        limit: int,
        before: UsageId | None = None,
        *,
        feature: str | None = None,
    ) -> Sequence[Usage]:
        page = _USAGE_PAGE.decode(
            await self.database.call(
                "usage_page", auth.organization_id, auth.livemode, customer, feature, before, limit
            )
        )
        if page.missing is not None:
            raise no_such(customer) if page.missing == "customer" else no_such_feature(feature or "")
        return page.found

    async def entries(
        self, auth: Authenticated, id: BalanceId, entity: str | None, limit: int, before: int | None = None
    ) -> Sequence[Entry] | None:
        found = await self.database.call(
            "entry_page", auth.organization_id, auth.livemode, id, entity, before, limit
        )
        return _ENTRIES.decode(found) if found is not None else None

    async def _track_together(self, asked: Sequence[_Asked]) -> Sequence[str]:
        return await self.database.rows("track_usages", msgspec.json.encode(asked).decode())
