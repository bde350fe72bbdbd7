"""An application wants to be told of events."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, Secrets, WebhookEndpointRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import webhook_endpoint
from domain.auth import Authenticated
from domain.ids import Ids
from domain.webhook_address import PUBLIC_ALONE, AddressRule
from domain.webhook_endpoint import NewWebhookEndpoint, WebhookEndpoint


@dataclass(frozen=True, slots=True)
class CreateWebhookEndpoint:
    """Make an endpoint, which is told of every event that gets its number from now on. Two with the same
    address are two."""

    endpoints: WebhookEndpointRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets
    addresses: AddressRule = PUBLIC_ALONE

    @retry_on_stale()
    async def __call__(
        self, draft: NewWebhookEndpoint, auth: Authenticated, cause: ApiRequest
    ) -> WebhookEndpoint:
        """Raises Rejected `invalid_webhook_url`, `unknown_event_type`, `too_many_webhook_endpoints`."""
        taken = await self.endpoints.taken_slots(auth)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        secret = self.secrets.webhook_secret()
        made = work.record(webhook_endpoint.create(draft, taken, secret, self.addresses, auth, self.ids, now))
        work.answer(made)
        await self.outbox.commit(work)
        return made
