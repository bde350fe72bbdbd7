"""Webhook endpoints and deliveries in PostgreSQL: functions of sql/22_webhooks.sql and
sql/24_deliveries.sql."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from adapters.postgres.combining import Combined, Limits
from adapters.postgres.database import Database
from application.ports import (
    DeliveryFilter,
    DeliveryRecord,
    EndpointNotice,
    EndpointRecord,
    LeasedDelivery,
)
from domain.auth import AuthContext, Authenticated
from domain.delivery import Attempt, Delivery, Redelivery
from domain.ids import DeliveryId, WebhookEndpointId
from domain.webhook_endpoint import IN_DOUBT_AFTER, no_such

_SLOTS = msgspec.json.Decoder(list[int])
_ENDPOINT = msgspec.json.Decoder(EndpointRecord)
_ENDPOINTS = msgspec.json.Decoder(list[EndpointRecord])
_NOTICE = msgspec.json.Decoder(EndpointNotice)
_DELIVERIES = msgspec.json.Decoder(list[Delivery])
_DELIVERY = msgspec.json.Decoder(DeliveryRecord)
_RECORDED = ("text", "boolean", "text", "text", "timestamptz", "jsonb", "timestamptz")
_LEASED = msgspec.json.Decoder(list[LeasedDelivery])


class _Outcome(Struct, frozen=True):
    """What came of an attempt."""

    leased: LeasedDelivery
    attempt: Attempt
    next_try_at: datetime | None

    def arguments(self) -> tuple[object, ...]:
        delivery, endpoint = self.leased.delivery, self.leased.endpoint
        return (
            endpoint.organization_id,
            endpoint.livemode,
            endpoint.id,
            delivery.id,
            delivery.next_try_at,
            msgspec.json.encode(self.attempt).decode(),
            self.next_try_at,
        )


def _place(outcome: _Outcome) -> tuple[str, bool, str, int]:
    """In this order rows are locked, as whoever asks for them again does: nobody waits in a circle."""
    delivery, endpoint = outcome.leased.delivery, outcome.leased.endpoint
    return endpoint.organization_id, endpoint.livemode, endpoint.id, delivery.sequence


class WebhooksInPostgres:
    """The part of the store that knows where events go, and how they get there."""

    database: Database
    recording: Combined[_Outcome, None]

    def open_deliveries(self, wait_seconds: float, limits: Limits) -> None:
        """Before anything is delivered."""
        self.recording = Combined(self._record_together, wait_seconds, limits)

    async def taken_slots(self, auth: Authenticated) -> Sequence[int]:
        tenant = auth.organization_id, auth.livemode
        return _SLOTS.decode(await self.database.call("taken_slots", *tenant))

    async def webhook_endpoint(self, auth: AuthContext, id: WebhookEndpointId) -> EndpointRecord | None:
        found = await self.database.call("webhook_endpoint", auth.organization_id, auth.livemode, id)
        return None if found is None else _ENDPOINT.decode(found)

    async def webhook_endpoints(
        self, auth: Authenticated, limit: int, before: WebhookEndpointId | None = None
    ) -> Sequence[EndpointRecord]:
        tenant = auth.organization_id, auth.livemode
        return _ENDPOINTS.decode(await self.database.call("webhook_endpoints_page", *tenant, limit, before))

    async def endpoint_notice(self, auth: AuthContext, id: WebhookEndpointId) -> EndpointNotice | None:
        found = await self.database.call("endpoint_notice", auth.organization_id, auth.livemode, id)
        return None if found is None else _NOTICE.decode(found)

    async def deliveries(
        self,
        auth: Authenticated,
        endpoint: WebhookEndpointId,
        wanted: DeliveryFilter,
        limit: int,
        before: DeliveryId | None = None,
    ) -> Sequence[Delivery]:
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call(
            "deliveries_page", *tenant, endpoint, wanted.status, wanted.event, limit, before
        )
        if found is None:
            raise no_such()
        return _DELIVERIES.decode(found)

    async def delivery(self, auth: Authenticated, id: DeliveryId) -> DeliveryRecord | None:
        found = await self.database.call("delivery", auth.organization_id, auth.livemode, id)
        return None if found is None else _DELIVERY.decode(found)

    async def redeliver(
        self, auth: Authenticated, endpoint: WebhookEndpointId, wanted: Redelivery, limit: int, now: datetime
    ) -> int:
        again: int = await self.database.call(
            "redeliver",
            auth.organization_id,
            auth.livemode,
            endpoint,
            wanted.event,
            wanted.from_sequence,
            wanted.to_sequence,
            wanted.failed,
            limit,
            now,
        )
        return again

    async def lease_deliveries(
        self,
        limit: int,
        each: int,
        in_hand: Mapping[WebhookEndpointId, int],
        now: datetime,
        lease: timedelta,
    ) -> Sequence[LeasedDelivery]:
        held = msgspec.json.encode(in_hand).decode()
        return _LEASED.decode(
            await self.database.call(
                "lease_deliveries", limit, each, held, now, now + lease, now - IN_DOUBT_AFTER
            )
        )

    async def record_attempt(
        self, leased: LeasedDelivery, attempt: Attempt, next_try_at: datetime | None
    ) -> None:
        await self.recording(_Outcome(leased, attempt, next_try_at))

    async def _record_together(self, outcomes: Sequence[_Outcome]) -> Sequence[None]:
        await self.database.call_each(
            "record_attempt", _RECORDED, [outcome.arguments() for outcome in sorted(outcomes, key=_place)]
        )
        return [None] * len(outcomes)

    async def forget_deliveries(self, before: datetime, limit: int) -> int:
        forgotten: int = await self.database.call("forget_deliveries", before, limit)
        return forgotten
