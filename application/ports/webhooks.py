"""Webhook endpoints, and what is brought to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from domain.auth import AuthContext, Authenticated
from domain.delivery import Attempt, Delivery, DeliveryStatus, Redelivery
from domain.events import RecordedEvent
from domain.ids import DeliveryId, EventId, WebhookEndpointId
from domain.webhook_endpoint import WebhookEndpoint


class EndpointRecord(Struct, frozen=True):
    """An endpoint, and since when nothing has arrived there; null while what was sent last has."""

    endpoint: WebhookEndpoint
    failing_since: datetime | None


class EndpointNotice(Struct, frozen=True):
    """What the owner of an organization is told of an endpoint; no address where there is no owner."""

    endpoint: WebhookEndpoint
    organization: str
    owner_email: str | None


class WebhookEndpointRepository(Protocol):
    """Endpoints that are not deleted."""

    async def taken_slots(self, auth: Authenticated) -> Sequence[int]:
        """The slots of those there are."""

    async def webhook_endpoint(self, auth: AuthContext, id: WebhookEndpointId) -> EndpointRecord | None:
        """By id."""

    async def webhook_endpoints(
        self, auth: Authenticated, limit: int, before: WebhookEndpointId | None = None
    ) -> Sequence[EndpointRecord]:
        """At most so many, newest first; those made `before` one of them, if it is given."""

    async def endpoint_notice(self, auth: AuthContext, id: WebhookEndpointId) -> EndpointNotice | None:
        """The endpoint by id, the organization's name, and its first user's address."""


class DeliveryFilter(Struct, frozen=True):
    """Which deliveries of an endpoint are asked for."""

    status: DeliveryStatus | None = None
    event: EventId | None = None


class DeliveryRecord(Struct, frozen=True):
    """A delivery, and every attempt, oldest first."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]


class DeliveryFeed(Protocol):
    """What has been delivered, and what has not."""

    async def deliveries(
        self,
        auth: Authenticated,
        endpoint: WebhookEndpointId,
        wanted: DeliveryFilter,
        limit: int,
        before: DeliveryId | None = None,
    ) -> Sequence[Delivery]:
        """At most so many, newest first; those made `before` one of them, if it is given. Raises NotFound
        `webhook_endpoint_not_found`."""

    async def delivery(self, auth: Authenticated, id: DeliveryId) -> DeliveryRecord | None:
        """By id."""


class LeasedDelivery(Struct, frozen=True):
    """What is to be sent, where to, and since when nothing has arrived there."""

    delivery: Delivery
    event: RecordedEvent
    endpoint: WebhookEndpoint
    failing_since: datetime | None


class DeliveryQueue(Protocol):
    """The worker's bookkeeping of deliveries, which are made when events get their numbers: see
    `EventSequencer`. `redeliver` is the API's."""

    async def lease_deliveries(
        self,
        limit: int,
        each: int,
        in_hand: Mapping[WebhookEndpointId, int],
        now: datetime,
        lease: timedelta,
    ) -> Sequence[LeasedDelivery]:
        """Take up to `limit` deliveries that are due, to endpoints that are enabled: of each endpoint no more
        than `each`, less what is `in_hand` already, so that the backlog of one never fills the hands of all;
        and one at a time where nothing has arrived for a minute.
        Nobody else gets them before the lease ends; each lease counts as an attempt."""

    async def record_attempt(
        self, leased: LeasedDelivery, attempt: Attempt, next_try_at: datetime | None
    ) -> None:
        """What came of it, and when it is tried next; None when it is not: it has arrived, or is given up.

        Of a delivery that somebody else has leased since, or that was asked for again, only the attempt is
        kept.
        """

    async def redeliver(
        self, auth: Authenticated, endpoint: WebhookEndpointId, wanted: Redelivery, limit: int, now: datetime
    ) -> int:
        """Deliver again, from now on, at most so many: the event, whatever its type; those of the range, the
        ones that the endpoint wants or was told of; or what was given up, oldest first. Says how many those
        are. Events that have no number yet are not there."""

    async def forget_deliveries(self, before: datetime, limit: int) -> int:
        """Forget what was settled before then, or is for endpoints that were deleted before then, and its
        attempts; at most so many, and say how many."""


class Sent(Struct, frozen=True):
    """What came of sending: the status that was answered, if any; the code of what went wrong, null when it
    has arrived; and how the reply begins."""

    status: int | None
    error: str | None
    duration_ms: int
    reply: str | None


class WebhookSender(Protocol):
    """Brings events to endpoints."""

    async def send(self, endpoint: WebhookEndpoint, event: RecordedEvent, now: datetime) -> Sent:
        """Signed with every secret that is good. Whatever the endpoint does is an answer, and no error of
        ours; it takes ten seconds at most, and never leads to where `AddressRule` does not allow."""
