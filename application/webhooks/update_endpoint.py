"""An application wants to be told of something else, somewhere else, or not at all."""

from dataclasses import dataclass

from msgspec.structs import replace

from application.causes import ApiRequest
from application.ports import Clock, EndpointRecord, EventOutbox, WebhookEndpointRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import webhook_endpoint
from domain.auth import Authenticated
from domain.change import stored
from domain.ids import Ids, WebhookEndpointId
from domain.webhook_address import PUBLIC_ALONE, AddressRule
from domain.webhook_endpoint import WebhookEndpointChanges


@dataclass(frozen=True, slots=True)
class UpdateWebhookEndpoint:
    """Change an endpoint; saying what is so already changes nothing. What waits for one that is disabled goes
    on when it is enabled; what happens in between is not sent, and can be redelivered."""

    endpoints: WebhookEndpointRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    addresses: AddressRule = PUBLIC_ALONE

    @retry_on_stale()
    async def __call__(
        self, id: WebhookEndpointId, changes: WebhookEndpointChanges, auth: Authenticated, cause: ApiRequest
    ) -> EndpointRecord:
        """Raises NotFound `webhook_endpoint_not_found`; Rejected `invalid_webhook_url`,
        `unknown_event_type`."""
        record = await self.endpoints.webhook_endpoint(auth, id)
        if record is None:
            raise webhook_endpoint.no_such()
        now = self.clock.now()
        change = webhook_endpoint.update(record.endpoint, changes, self.addresses, now)
        if change is None:
            return record
        work = UnitOfWork(cause, auth, self.ids, now)
        updated = work.record(change)
        await self.outbox.commit(work)
        return replace(record, endpoint=stored(updated))
