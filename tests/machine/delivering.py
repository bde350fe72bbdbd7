"""Endpoints, and what is brought to them (see operations.py)."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.memory.sender import ARRIVED
from application.ports import DeliveryFilter, Sent
from domain.delivery import Delivery, Redelivery
from domain.ids import WebhookEndpointId
from domain.webhook_endpoint import NewWebhookEndpoint, SecretRotation, WebhookEndpointChanges
from tests.machine.known import Known
from tests.machine.operations import LEASE, request
from tests.machine.service import Service

NOBODYS = WebhookEndpointId("we_none")
ANSWERS: dict[str, Sent] = {
    "accepts": ARRIVED,
    "fails": Sent(500, "unexpected_status", 5, "no"),
    "gone": Sent(410, "endpoint_gone", 5, "gone"),
}


@dataclass(frozen=True)
class HaveTold:
    """An application wants to be told of events of these types."""

    tenant: int
    event_types: tuple[str, ...]
    enabled: bool = True

    async def __call__(self, service: Service, known: Known) -> object:
        draft = NewWebhookEndpoint(
            url="https://example.test/hook", event_types=self.event_types, enabled=self.enabled
        )
        return await service.create_webhook_endpoint(draft, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class ChangeEndpoint:
    """An endpoint is enabled, disabled, deleted, tried, or gets another secret."""

    tenant: int
    endpoint: int
    how: str

    async def __call__(self, service: Service, known: Known) -> object:
        auth, cause = known.tenant(self.tenant), request(service)
        to = named_endpoint(known, self.tenant, self.endpoint)
        match self.how:
            case "deleted":
                return await service.delete_webhook_endpoint(to, auth, cause)
            case "tried":
                return await service.send_test_event(to, auth, cause)
            case "rotated":
                return await service.rotate_webhook_secret(to, SecretRotation(), auth, cause)
            case _:
                changes = WebhookEndpointChanges(enabled=self.how == "enabled")
                return await service.update_webhook_endpoint(to, changes, auth, cause)


@dataclass(frozen=True)
class Deliver:
    """The worker sends what is due, to endpoints that all answer alike; of each endpoint only so many."""

    answer: str
    each: int

    async def __call__(self, service: Service, known: Known) -> object:
        service.sender.answers = lambda _, __: ANSWERS[self.answer]
        now = service.clock.now()
        leased = await service.worker_store.lease_deliveries(1000, self.each, {}, now, LEASE)
        told: list[tuple[str, object]] = []
        for one in sorted(leased, key=lambda one: one.delivery.id):
            told.append((one.delivery.id, await service.deliver_event(one)))
        return told


@dataclass(frozen=True)
class DeliverAgain:
    """What was given up, or the first events of the feed."""

    tenant: int
    endpoint: int
    upto: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        wanted = Redelivery(from_sequence=self.upto and 1, to_sequence=self.upto, failed=self.upto is None)
        to = named_endpoint(known, self.tenant, self.endpoint)
        return await service.redeliver_events(to, wanted, known.tenant(self.tenant))


@dataclass(frozen=True)
class ReadDeliveries:
    """Endpoints, the deliveries of one, and one of those."""

    tenant: int
    endpoint: int

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        to = named_endpoint(known, self.tenant, self.endpoint)
        endpoints = await service.store.webhook_endpoints(auth, 2)
        page: Sequence[Delivery] = await service.store.deliveries(auth, to, DeliveryFilter(), 2)
        last = page[-1].id if page else None
        return (
            endpoints,
            page,
            await service.store.deliveries(auth, to, DeliveryFilter(), 2, last),
            await service.store.deliveries(auth, to, DeliveryFilter(status="succeeded"), 2),
            await service.store.delivery(auth, last) if last else None,
        )


def named_endpoint(known: Known, tenant: int, pick: int) -> WebhookEndpointId:
    """One that there is, deleted or not."""
    found = known.endpoint(known.tenant(tenant), pick)
    return found.id if found else NOBODYS
