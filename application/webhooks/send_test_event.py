"""An application tries whether its endpoint is told."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EndpointRecord, EventOutbox, WebhookEndpointRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import webhook_endpoint
from domain.auth import Authenticated
from domain.ids import Ids, WebhookEndpointId


@dataclass(frozen=True, slots=True)
class SendTestEvent:
    """Record a test event of the endpoint, of which it alone is told, like of any other event."""

    endpoints: WebhookEndpointRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, id: WebhookEndpointId, auth: Authenticated, cause: ApiRequest) -> EndpointRecord:
        """Raises NotFound `webhook_endpoint_not_found`; Rejected `webhook_endpoint_disabled`."""
        record = await self.endpoints.webhook_endpoint(auth, id)
        if record is None:
            raise webhook_endpoint.no_such()
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        work.record(webhook_endpoint.test(record.endpoint))
        work.answer(record)
        await self.outbox.commit(work)
        return record
