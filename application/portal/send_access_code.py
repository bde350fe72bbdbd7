"""Whoever asked to be let into the portal gets their code: the effect of having asked."""

from dataclasses import dataclass
from typing import Protocol

from application.causes import Task
from application.invoices.send_receipt import Wording
from application.ports import Clock, EventOutbox, Mail, Mailer
from application.ports.portal import PortalAccounts, PortalDoor
from application.unit_of_work import UnitOfWork
from domain.auth import Anonymous
from domain.effects import SendAccessCode
from domain.ids import Ids
from domain.portal import Seller, access_code


class AccessCodeWriter(Protocol):
    """Puts access codes into words."""

    def access_code(self, code: str, seller: Seller, *, livemode: bool) -> Wording:
        """To whoever says that this address is theirs."""


@dataclass(frozen=True, slots=True)
class MailAccessCode:
    """Mail the code of a request to the address it names: if there is anything of theirs here, and while the
    code holds.

    At least once: whoever crashes between handing the mail over and the commit has the same code sent again,
    as the same message. To anybody else nothing is sent, so that nobody can have strangers mailed.
    """

    door: PortalDoor
    accounts: PortalAccounts
    writer: AccessCodeWriter
    mailer: Mailer
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(self, effect: SendAccessCode, task: Task) -> None:
        """Raises what `Mailer` does."""
        books = Anonymous(task.organization_id, task.livemode)
        context = await self.accounts.access_context(books, effect.access_request_id)
        now = self.clock.now()
        if context is not None and context.is_known and now < context.request.expires_at:
            code = access_code(await self.door.signing_key(), effect.access_request_id)
            said = self.writer.access_code(code, context.seller, livemode=task.livemode)
            await self.mailer.send(
                Mail(
                    id=f"access.{effect.access_request_id}",
                    to=context.request.email,
                    subject=said.subject,
                    text=said.text,
                    html=said.html,
                )
            )
        await self.outbox.commit(UnitOfWork(task, None, self.ids, now))
