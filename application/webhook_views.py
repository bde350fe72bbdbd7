"""What is published of webhook endpoints and of deliveries, as of everything else (application/views.py)."""

from datetime import datetime

from msgspec import Struct

from domain.delivery import DeliveryStatus
from domain.ids import DeliveryId, EventId, WebhookEndpointId
from domain.webhook_endpoint import DisabledReason


class WebhookEndpointView(Struct, frozen=True, kw_only=True):
    """The secret is shown to whoever makes it, and to nobody again. The one before it is still good until
    `previous_secret_expires_at`."""

    id: WebhookEndpointId
    url: str
    event_types: tuple[str, ...]
    description: str | None
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    previous_secret_expires_at: datetime | None
    livemode: bool
    created_at: datetime
    deleted_at: datetime | None


class DeliveryView(Struct, frozen=True, kw_only=True):
    """An event for an endpoint. `attempts` are those begun so far; `next_try_at` is null when none is to
    come."""

    id: DeliveryId
    endpoint_id: WebhookEndpointId
    event_id: EventId
    event_type: str
    sequence: int
    status: DeliveryStatus
    attempts: int
    next_try_at: datetime | None
    created_at: datetime
    settled_at: datetime | None
