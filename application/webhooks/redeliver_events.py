"""An application wants to be told again."""

from dataclasses import dataclass

from application.ports import Clock, DeliveryQueue, WebhookEndpointRepository
from domain import webhook_endpoint
from domain.auth import Authenticated
from domain.delivery import LONGEST_RANGE, Redelivery, check_redelivery, no_such_event
from domain.ids import WebhookEndpointId


@dataclass(frozen=True, slots=True)
class RedeliverEvents:
    """Have events delivered again, also those that have arrived, and those that were never for this endpoint.
    Nothing else follows from it: no event, and no effect."""

    endpoints: WebhookEndpointRepository
    queue: DeliveryQueue
    clock: Clock

    async def __call__(self, id: WebhookEndpointId, wanted: Redelivery, auth: Authenticated) -> int:
        """How many. Raises NotFound `webhook_endpoint_not_found`; Rejected `invalid_redelivery`,
        `webhook_endpoint_disabled`, `event_not_found`."""
        check_redelivery(wanted)
        record = await self.endpoints.webhook_endpoint(auth, id)
        if record is None:
            raise webhook_endpoint.no_such()
        webhook_endpoint.check_enabled(record.endpoint)
        again = await self.queue.redeliver(auth, id, wanted, LONGEST_RANGE, self.clock.now())
        if wanted.event is not None and again == 0:
            raise no_such_event()
        return again
