"""Invoices get their numbers: the effect of their having been made."""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from application.causes import Task
from application.ports import Clock, EventOutbox, InvoiceRepository, Secrets
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import invoice
from domain.auth import Anonymous
from domain.effects import FinalizeInvoices
from domain.ids import Ids, OrganizationId

BATCH = 100
"""How many invoices get their numbers in one commit, and the one that the task is about."""


@dataclass(frozen=True, slots=True)
class NumberInvoices:
    """Give the next numbers to the invoices that wait for one, per organization and mode, without gaps.

    Whoever is about to give the same number at the same time meets the unique key on it, reads again and
    goes on from the last one given. Most tasks find that another one has numbered their invoice too; in one
    process they wait for that, so as not to race for what only one of them can have.
    """

    invoices: InvoiceRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets
    _turns: WeakValueDictionary[tuple[OrganizationId, bool], asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False
    )

    @retry_on_stale()
    async def __call__(self, effect: FinalizeInvoices, task: Task) -> None:
        books = Anonymous(task.organization_id, task.livemode)
        turn = self._turns.setdefault((books.organization_id, books.livemode), asyncio.Lock())
        async with turn:
            await self._number(books, effect, task)

    async def _number(self, books: Anonymous, effect: FinalizeInvoices, task: Task) -> None:
        numbering = await self.invoices.numbering(books, effect.invoice_id, BATCH)
        now = self.clock.now()
        work = UnitOfWork(task, None, self.ids, now)
        if any(waiting.id == effect.invoice_id for waiting in numbering.waiting):
            for number, waiting in enumerate(numbering.waiting, numbering.last + 1):
                work.record(invoice.finalize(waiting, number, self.secrets.page_token(), now))
        await self.outbox.commit(work)
