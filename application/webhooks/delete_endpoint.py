"""An application does not want to be told any more."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, WebhookEndpointRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import webhook_endpoint
from domain.auth import Authenticated
from domain.change import stored
from domain.ids import Ids, WebhookEndpointId
from domain.webhook_endpoint import WebhookEndpoint


@dataclass(frozen=True, slots=True)
class DeleteWebhookEndpoint:
    """Delete an endpoint: nothing more is sent there, also of what waits for it."""

    endpoints: WebhookEndpointRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, id: WebhookEndpointId, auth: Authenticated, cause: ApiRequest
    ) -> WebhookEndpoint:
        """Raises NotFound `webhook_endpoint_not_found`."""
        record = await self.endpoints.webhook_endpoint(auth, id)
        if record is None:
            raise webhook_endpoint.no_such()
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        deleted = work.record(webhook_endpoint.delete(record.endpoint, now))
        await self.outbox.commit(work)
        return stored(deleted)
