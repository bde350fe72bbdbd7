"""Which endpoints in memory are told of an event, as it gets its number."""

from collections.abc import Iterable, Mapping

from adapters.memory.constraints import RowKey
from domain.change import State
from domain.delivery import Delivery, delivery_id
from domain.events import RecordedEvent
from domain.ids import DeliveryId, OrganizationId
from domain.webhook_endpoint import TEST_EVENT, WebhookEndpoint, wants

DeliveryKey = tuple[OrganizationId, bool, DeliveryId]


def addressed(
    events: Iterable[RecordedEvent], states: Mapping[RowKey, State]
) -> Mapping[DeliveryKey, Delivery]:
    """The deliveries of events that have just been numbered."""
    told = [row for row in states.values() if isinstance(row, WebhookEndpoint) and row.enabled]
    return {
        (event.organization_id, event.livemode, made.id): made
        for event in events
        for endpoint in told
        if (endpoint.organization_id, endpoint.livemode) == (event.organization_id, event.livemode)
        and is_told(endpoint, event)
        for made in (new_delivery(event, endpoint),)
    }


def is_told(endpoint: WebhookEndpoint, event: RecordedEvent) -> bool:
    """A test is for its own endpoint alone."""
    if event.type == TEST_EVENT:
        return event.subject.id == endpoint.id
    return wants(endpoint.event_types, event.type)


def new_delivery(event: RecordedEvent, endpoint: WebhookEndpoint) -> Delivery:
    """Due at once."""
    assert event.sequence is not None
    return Delivery(
        id=delivery_id(event.id, endpoint.id),
        endpoint_id=endpoint.id,
        event_id=event.id,
        event_type=event.type,
        sequence=event.sequence,
        status="pending",
        attempts=0,
        tries=0,
        next_try_at=event.occurred_at,
        created_at=event.occurred_at,
        settled_at=None,
    )
