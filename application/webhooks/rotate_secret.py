"""An endpoint gets a new secret."""

from dataclasses import dataclass
from datetime import timedelta

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, Secrets, WebhookEndpointRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import webhook_endpoint
from domain.auth import Authenticated
from domain.change import stored
from domain.ids import Ids, WebhookEndpointId
from domain.webhook_endpoint import SecretRotation, WebhookEndpoint


@dataclass(frozen=True, slots=True)
class RotateWebhookSecret:
    """Give the endpoint a new secret. The one so far signs beside it while they overlap; the one before that
    is forgotten."""

    endpoints: WebhookEndpointRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets

    @retry_on_stale()
    async def __call__(
        self, id: WebhookEndpointId, rotation: SecretRotation, auth: Authenticated, cause: ApiRequest
    ) -> WebhookEndpoint:
        """Raises NotFound `webhook_endpoint_not_found`."""
        record = await self.endpoints.webhook_endpoint(auth, id)
        if record is None:
            raise webhook_endpoint.no_such()
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        secret, overlap = self.secrets.webhook_secret(), timedelta(hours=rotation.overlap_hours)
        rotated = stored(work.record(webhook_endpoint.rotate(record.endpoint, secret, overlap, now)))
        work.answer(rotated)
        await self.outbox.commit(work)
        return rotated
