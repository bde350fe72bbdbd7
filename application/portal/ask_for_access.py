"""Somebody at the portal's door says which address is theirs."""

from dataclasses import dataclass

from application.causes import ApiRequest, Task
from application.ports import Clock
from application.ports.portal import PortalDoor
from domain.effects import SendAccessCode
from domain.ids import AccessRequestId, EventId, Ids, TaskId
from domain.portal import CODE_LASTS, AccessRequest, Seller
from domain.text import email_key


@dataclass(frozen=True, slots=True)
class AskForAccess:
    """Have a code mailed to the address, if it is known here.

    Whether it is, is looked up by the worker, so that neither the answer nor the time it takes tells anybody.
    """

    door: PortalDoor
    ids: Ids
    clock: Clock

    async def __call__(
        self, email: str, sender: str, seller: Seller, cause: ApiRequest, *, livemode: bool
    ) -> AccessRequest:
        """`sender` is a digest of where this comes from. Raises TooMany `too_many_access_codes`."""
        now = self.clock.now()
        request = AccessRequest(
            id=self.ids.new(AccessRequestId),
            organization_id=seller.organization_id,
            livemode=livemode,
            email=email,
            email_key=email_key(email),
            sender=sender,
            created_at=now,
            expires_at=now + CODE_LASTS,
        )
        mailing = Task(
            id=self.ids.new(TaskId),
            organization_id=request.organization_id,
            livemode=livemode,
            effect=SendAccessCode(request.id),
            created_at=now,
            due_at=now,
            correlation_id=cause.request_id,
            causation_id=EventId(request.id),  # not an event: what asked for it is the request
        )
        await self.door.ask(request, mailing)
        return request
