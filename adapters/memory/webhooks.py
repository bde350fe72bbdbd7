"""Webhook endpoints and deliveries in memory; the promises stand in `application.ports.webhooks`."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as with_rows
from datetime import datetime, timedelta
from itertools import islice

from msgspec.structs import replace

from adapters.memory.addressing import DeliveryKey, is_told, new_delivery
from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from application.ports import (
    DeliveryFilter,
    DeliveryRecord,
    EndpointNotice,
    EndpointRecord,
    LeasedDelivery,
)
from domain.account import Organization
from domain.auth import AuthContext, Authenticated
from domain.delivery import Attempt, Delivery, Redelivery, delivery_id
from domain.events import RecordedEvent
from domain.ids import DeliveryId, WebhookEndpointId
from domain.user import User
from domain.webhook_endpoint import WebhookEndpoint, most_at_once, no_such


class WebhooksInMemory:
    """The part of the store that knows where events go, and how they get there."""

    _books: Books

    async def taken_slots(self, auth: Authenticated) -> Sequence[int]:
        found = sorted(row.slot for row in self._endpoints(auth))
        await asyncio.sleep(0)
        return found

    async def webhook_endpoint(self, auth: AuthContext, id: WebhookEndpointId) -> EndpointRecord | None:
        found = next((self._endpoint_record(row) for row in self._endpoints(auth) if row.id == id), None)
        await asyncio.sleep(0)
        return found

    async def webhook_endpoints(
        self, auth: Authenticated, limit: int, before: WebhookEndpointId | None = None
    ) -> Sequence[EndpointRecord]:
        wanted = (row for row in reversed(self._endpoints(auth)) if before is None or row.id < before)
        found = [self._endpoint_record(row) for row in islice(wanted, limit)]
        await asyncio.sleep(0)
        return found

    async def endpoint_notice(self, auth: AuthContext, id: WebhookEndpointId) -> EndpointNotice | None:
        books = _of(self._books, auth)
        endpoint = next((row for row in self._endpoints(auth) if row.id == id), None)
        owner = min(books.rows(User), key=lambda user: (user.created_at, user.id), default=None)
        tenant = TenantBooks(self._books, auth.organization_id, livemode=True)
        organization = tenant.get(Organization, auth.organization_id)
        await asyncio.sleep(0)
        if endpoint is None or organization is None:
            return None
        return copied(EndpointNotice(endpoint, organization.name, owner.email if owner else None))

    async def deliveries(
        self,
        auth: Authenticated,
        endpoint: WebhookEndpointId,
        wanted: DeliveryFilter,
        limit: int,
        before: DeliveryId | None = None,
    ) -> Sequence[Delivery]:
        await asyncio.sleep(0)
        if not any(row.id == endpoint for row in self._endpoints(auth)):
            raise no_such()
        upto = self._books.deliveries.get((auth.organization_id, auth.livemode, before)) if before else None
        found = [
            row
            for row in self._of_endpoint(auth, endpoint)
            if wanted.status in (None, row.status)
            and wanted.event in (None, row.event_id)
            and (before is None or row.sequence < (upto.sequence if upto else 0))
        ]
        return [copied(row) for row in found[::-1][:limit]]

    async def delivery(self, auth: Authenticated, id: DeliveryId) -> DeliveryRecord | None:
        await asyncio.sleep(0)
        key = auth.organization_id, auth.livemode, id
        found = self._books.deliveries.get(key)
        if found is None or not any(row.id == found.endpoint_id for row in self._endpoints(auth)):
            return None
        attempts = sorted(self._books.attempts.get(key, ()), key=lambda attempt: attempt.number)
        return copied(DeliveryRecord(found, tuple(attempts)))

    async def redeliver(
        self, auth: Authenticated, endpoint: WebhookEndpointId, wanted: Redelivery, limit: int, now: datetime
    ) -> int:
        await asyncio.sleep(0)
        to = next((row for row in self._endpoints(auth) if row.id == endpoint), None)
        if to is None:
            return 0
        if wanted.failed:
            meant = [row for row in self._of_endpoint(auth, endpoint) if row.status == "failed"]
        else:
            meant = sorted(self._meant(auth, to, wanted), key=lambda row: row.sequence)
        again = [
            replace(row, status="pending", tries=0, next_try_at=now, settled_at=None) for row in meant[:limit]
        ]
        tenant = auth.organization_id, auth.livemode
        known = self._books.deliveries
        fresh = [row if (*tenant, row.id) in known else replace(row, created_at=now) for row in again]
        self._keep_deliveries({(*tenant, row.id): row for row in fresh})
        return len(fresh)

    async def lease_deliveries(
        self,
        limit: int,
        each: int,
        in_hand: Mapping[WebhookEndpointId, int],
        now: datetime,
        lease: timedelta,
    ) -> Sequence[LeasedDelivery]:
        await asyncio.sleep(0)
        taken = Counter(in_hand)
        events = {(e.organization_id, e.livemode, e.id): e for e in self._books.events}
        leased: dict[DeliveryKey, Delivery] = {}
        handed_out = []
        due = (
            (row.next_try_at, row.sequence, key, row)
            for key, row in self._books.deliveries.items()
            if row.next_try_at is not None and row.next_try_at <= now
        )
        for *_, key, row in sorted(due, key=lambda one: one[:3]):
            endpoint = self._endpoint_of(key, row)
            record = self._endpoint_record(endpoint)
            most = most_at_once(each, record.failing_since, now)
            if len(leased) == limit or not endpoint.enabled or taken[row.endpoint_id] >= most:
                continue
            taken[row.endpoint_id] += 1
            leased[key] = replace(
                row, next_try_at=now + lease, attempts=row.attempts + 1, tries=row.tries + 1
            )
            event = events[key[0], key[1], row.event_id]
            handed_out.append(
                LeasedDelivery(leased[key], copied(event), record.endpoint, record.failing_since)
            )
        self._keep_deliveries(leased)
        return handed_out

    async def record_attempt(
        self, leased: LeasedDelivery, attempt: Attempt, next_try_at: datetime | None
    ) -> None:
        await asyncio.sleep(0)
        endpoint, books = leased.endpoint, self._books
        key = endpoint.organization_id, endpoint.livemode, leased.delivery.id
        known = books.deliveries.get(key)
        if known is not None and known.next_try_at == leased.delivery.next_try_at:
            is_last = next_try_at is None
            settled = ("succeeded" if attempt.succeeded else "failed") if is_last else "pending"
            ended = attempt.at + timedelta(milliseconds=attempt.duration_ms)
            self._keep_deliveries(
                {
                    key: replace(
                        known,
                        status=settled,
                        next_try_at=next_try_at,
                        settled_at=ended if is_last else None,
                    )
                }
            )
        attempts = books.attempts.get(key, ())
        if all(one.number != attempt.number for one in attempts):
            attempts = (*attempts, attempt)
        at = endpoint.organization_id, endpoint.livemode, endpoint.id
        failing = {place: since for place, since in books.failing.items() if place != at}
        if not attempt.succeeded:
            failing[at] = books.failing.get(at, attempt.at)
        self._books = with_rows(self._books, attempts={**books.attempts, key: attempts}, failing=failing)

    async def forget_deliveries(self, before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        books = self._books
        old = [key for key, row in books.deliveries.items() if self._is_old(key, row, before)][:limit]
        self._books = with_rows(
            books,
            deliveries={key: row for key, row in books.deliveries.items() if key not in old},
            attempts={key: row for key, row in books.attempts.items() if key not in old},
        )
        return len(old)

    def _is_old(self, key: DeliveryKey, row: Delivery, before: datetime) -> bool:
        deleted_at = self._endpoint_of(key, row).deleted_at
        return any(at is not None and at < before for at in (row.settled_at, deleted_at))

    def _meant(self, auth: Authenticated, to: WebhookEndpoint, wanted: Redelivery) -> Iterator[Delivery]:
        tenant = auth.organization_id, auth.livemode
        for event in self._books.events:
            if (event.organization_id, event.livemode) != tenant or event.sequence is None:
                continue
            known = self._books.deliveries.get((*tenant, delivery_id(event.id, to.id)))
            if event.id == wanted.event or (_is_within(event, wanted) and (known or is_told(to, event))):
                yield known or new_delivery(event, to)

    def _endpoints(self, auth: AuthContext) -> list[WebhookEndpoint]:
        return [row for row in _of(self._books, auth).rows(WebhookEndpoint) if row.deleted_at is None]

    def _endpoint_of(self, key: DeliveryKey, row: Delivery) -> WebhookEndpoint:
        found = self._books.states[WebhookEndpoint, key[0], key[1], row.endpoint_id]
        assert isinstance(found, WebhookEndpoint)
        return found

    def _endpoint_record(self, endpoint: WebhookEndpoint) -> EndpointRecord:
        at = endpoint.organization_id, endpoint.livemode, endpoint.id
        return copied(EndpointRecord(endpoint, self._books.failing.get(at)))

    def _of_endpoint(self, auth: Authenticated, endpoint: WebhookEndpointId) -> list[Delivery]:
        mine = (
            row
            for key, row in self._books.deliveries.items()
            if key[:2] == (auth.organization_id, auth.livemode) and row.endpoint_id == endpoint
        )
        return sorted(mine, key=lambda row: row.sequence)

    def _keep_deliveries(self, rows: Mapping[DeliveryKey, Delivery]) -> None:
        self._books = with_rows(self._books, deliveries={**self._books.deliveries, **rows})


def _of(books: Books, auth: AuthContext) -> TenantBooks:
    return TenantBooks(books, auth.organization_id, livemode=auth.livemode)


def _is_within(event: RecordedEvent, wanted: Redelivery) -> bool:
    if event.sequence is None or wanted.from_sequence is None or wanted.to_sequence is None:
        return False
    return wanted.from_sequence <= event.sequence <= wanted.to_sequence
