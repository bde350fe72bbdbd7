"""Whoever owns an organization is told that an endpoint is not told any more: the effect of its end."""

from dataclasses import dataclass
from typing import Protocol

from application.causes import Task
from application.invoices.send_receipt import Wording
from application.ports import (
    Clock,
    EndpointNotice,
    EventOutbox,
    Mail,
    Mailer,
    WebhookEndpointRepository,
)
from application.unit_of_work import UnitOfWork
from domain.auth import Anonymous
from domain.effects import SendEndpointDisabled
from domain.ids import Ids


class NoticeWriter(Protocol):
    """Puts into words what owners are told."""

    def endpoint_disabled(self, notice: EndpointNotice) -> Wording:
        """To the owner of the organization."""


@dataclass(frozen=True, slots=True)
class MailEndpointDisabled:
    """Mail the organization's owner, unless the endpoint is enabled again, or deleted.

    At least once: whoever crashes between handing the mail over and the commit has it sent again, as the same
    message.
    """

    endpoints: WebhookEndpointRepository
    writer: NoticeWriter
    mailer: Mailer
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(self, effect: SendEndpointDisabled, task: Task) -> None:
        """Raises what `Mailer` does."""
        books = Anonymous(task.organization_id, task.livemode)
        notice = await self.endpoints.endpoint_notice(books, effect.webhook_endpoint_id)
        if notice is not None and notice.owner_email is not None and not notice.endpoint.enabled:
            said = self.writer.endpoint_disabled(notice)
            await self.mailer.send(
                Mail(
                    id=f"endpoint_disabled.{task.causation_id}",
                    to=notice.owner_email,
                    subject=said.subject,
                    text=said.text,
                    html=said.html,
                )
            )
        await self.outbox.commit(UnitOfWork(task, None, self.ids, self.clock.now()))
