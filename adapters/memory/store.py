"""The whole store in memory, held to the same contract as the one in PostgreSQL."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from adapters.memory.attaching import AttachReads
from adapters.memory.audit import AuditReads
from adapters.memory.booking import BookingBooks
from adapters.memory.books import Books, copied
from adapters.memory.customers import CustomerReads
from adapters.memory.entities import EntityReads
from adapters.memory.intake import IntakeReads
from adapters.memory.invoicing import InvoiceReads
from adapters.memory.listing import Lists
from adapters.memory.managing import ManagedReads
from adapters.memory.operating import OperatorReads
from adapters.memory.ownership import as_seen_by
from adapters.memory.portal import PortalInMemory
from adapters.memory.reading import sessions_whosever
from adapters.memory.usage import UsageLedgerInMemory, check_entities
from adapters.memory.users import UserReads
from adapters.memory.webhooks import WebhooksInMemory
from application.causes import Task
from application.idempotency import KeptReply
from application.operator_ports import InboxRow
from application.ports import (
    BookingContext,
    ChargeContext,
    EventFilter,
    Offer,
    PaymentRecord,
    RenewalContext,
)
from application.unit_of_work import UnitOfWork
from domain.account import ApiKey
from domain.auth import AuthContext, Authenticated, Buyer, Caller, LetIn, SignedIn
from domain.catalog import Catalog
from domain.change import State
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.customer import CustomerRecord, NewCustomer
from domain.entity import Entity
from domain.events import RecordedEvent
from domain.identity import CustomerContext
from domain.ids import (
    CheckoutSessionId,
    InvoiceId,
    OrganizationId,
    PaymentId,
    SubscriptionId,
)
from domain.invoice import Invoice
from domain.payment import Payment, PaymentFact
from domain.portal import AccessRequest
from domain.purchase import Purchase
from domain.setup import SetupFact

T = TypeVar("T")


class MemoryStore(
    Lists,
    AuditReads,
    CustomerReads,
    IntakeReads,
    UserReads,
    ManagedReads,
    InvoiceReads,
    EntityReads,
    AttachReads,
    UsageLedgerInMemory,
    PortalInMemory,
    OperatorReads,
    WebhooksInMemory,
):
    """Every port that reads or writes the books. What each method promises stands in `application.ports`.

    A call sees one moment and lets others go on before it returns, as a database would: what a reader
    holds may be out of date by the time it commits. Nothing handed out can change what is stored.
    """

    def __init__(self) -> None:
        self._rounds: dict[str, datetime] = {}
        self._books = Books()

    @property
    def states(self) -> tuple[State, ...]:
        """Every state as it is stored."""
        return tuple(map(copied, self._books.states.values()))

    @property
    def events(self) -> tuple[RecordedEvent, ...]:
        """Every event, in the order in which they were committed."""
        return tuple(map(copied, self._books.events))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every task that is not done, parked ones too."""
        return tuple(map(copied, self._books.tasks.values()))

    @property
    def inbox(self) -> tuple[InboxRow, ...]:
        """Everything Stripe told us, handled or not."""
        return tuple(map(copied, self._books.inbox.values()))

    @property
    def access_requests(self) -> tuple[AccessRequest, ...]:
        """Everybody who has asked to be let into a billing portal, and is not forgotten."""
        return tuple(map(copied, self._books.access.values()))

    async def commit(self, work: UnitOfWork) -> None:
        taken = work.take()
        await asyncio.sleep(0)
        books = self._books.after(taken)
        states = (state for part in taken.parts for state in part.states)
        check_entities(books, [one for one in states if isinstance(one, Entity) and one.version == 0])
        self._books = books

    async def creation_context(self, auth: AuthContext, draft: NewCustomer) -> CustomerContext:
        return await _answer(self._of(auth).creation(draft))

    async def customer(self, auth: AuthContext, reference: str) -> CustomerRecord | None:
        books = self._of(auth)
        return await _answer(books.customer_record(books.customer(reference)))

    async def catalog(self, auth: Authenticated) -> Catalog:
        return await _answer(self._of(auth).catalog())

    async def opening_context(self, auth: Authenticated | Buyer, draft: NewCheckoutSession) -> OpeningContext:
        found = self._of(auth).opening(draft)
        if isinstance(auth, SignedIn | LetIn):  # who else had a trial they do not see, but it counts
            everybody = BookingBooks(self._books, auth.organization_id, livemode=auth.livemode)
            buyer, product = found.customer, found.product
            used = everybody.trial_used(buyer.id if buyer else None, product.id if product else None)
            found = replace(found, trial_used=used)
        return await _answer(found)

    async def session(self, auth: Caller, id: CheckoutSessionId) -> CheckoutSession | None:
        return await _answer(self._of(auth).get(CheckoutSession, id))

    async def fact_context(self, fact: PaymentFact | SetupFact, inbound_event_id: str) -> BookingContext:
        organization_id = fact.organization_id or OrganizationId("")
        books = BookingBooks(self._books, organization_id, livemode=fact.livemode)
        received = self._books.inbox.get((organization_id, fact.livemode, inbound_event_id))
        return await _answer(
            books.booking(
                fact,
                books.get(CheckoutSession, fact.checkout_session_id),
                handled=received is not None and received.handled_at is not None,
            )
        )

    async def charge_context(self, auth: AuthContext, id: InvoiceId) -> ChargeContext | None:
        return await _answer(self._of(auth).charging(id))

    async def renewal_context(self, auth: AuthContext, id: SubscriptionId) -> RenewalContext | None:
        return await _answer(self._of(auth).renewing(id))

    async def payment(self, auth: AuthContext, id: PaymentId) -> PaymentRecord | None:
        books = self._of(auth)
        found = books.get(Payment, id)
        if found is None:
            return await _answer(None)
        purchase, invoice = books.get(Purchase, found.purchase_id), books.get(Invoice, found.invoice_id)
        return await _answer(PaymentRecord(found, purchase, invoice))

    async def session_context(self, auth: AuthContext, id: CheckoutSessionId) -> BookingContext | None:
        books = self._of(auth)
        session = books.get(CheckoutSession, id)
        if session is None:
            return await _answer(None)
        return await _answer(books.completing(session))

    async def return_context(self, id: CheckoutSessionId) -> BookingContext | None:
        session = sessions_whosever(self._books).get(id)
        if session is None:
            return await _answer(None)
        books = BookingBooks(self._books, session.organization_id, livemode=session.livemode)
        return await _answer(books.completing(session))

    async def offer(self, id: CheckoutSessionId) -> Offer | None:
        session = sessions_whosever(self._books).get(id)
        if session is None:
            return await _answer(None)
        books = BookingBooks(self._books, session.organization_id, livemode=session.livemode)
        return await _answer(books.offer(session))

    async def kept_reply(self, auth: Authenticated, route: str, key: str) -> KeptReply | None:
        kept = self._books.replies.get((auth.organization_id, auth.livemode, route, key))
        return await _answer(kept) if kept else None

    async def forget_events(self, before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        self._books, forgotten = self._books.without_events(before, limit)
        return forgotten

    async def forget_replies(self, before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        self._books, forgotten = self._books.without_replies(before, limit)
        return forgotten

    async def page(self, auth: Authenticated, wanted: EventFilter) -> Sequence[RecordedEvent]:
        tenant = auth.organization_id, auth.livemode
        found = [
            (event.sequence, event)
            for event in self._books.events
            if (event.organization_id, event.livemode) == tenant
            and event.sequence is not None
            and event.sequence > wanted.after
            and wanted.type in (None, event.type)
            and wanted.subject in (None, event.subject.id)
        ]
        found.sort(key=lambda numbered_event: numbered_event[0])
        answer = [copied(event) for _, event in found[: wanted.limit]]
        await asyncio.sleep(0)
        return answer

    async def sequence(self, limit: int) -> int:
        await asyncio.sleep(0)
        self._books, given = self._books.numbered(limit)
        return given

    async def lease(self, limit: int, now: datetime, lease: timedelta) -> Sequence[Task]:
        await asyncio.sleep(0)
        due = [task for task in self._books.tasks.values() if task.due_at <= now and task.parked_at is None]
        due.sort(key=lambda task: (task.due_at, task.id))
        leased = [replace(task, due_at=now + lease, attempts=task.attempts + 1) for task in due[:limit]]
        self._keep(leased)
        return [copied(task) for task in leased]

    async def postpone(self, task: Task, error: str, due_at: datetime, *, counted: bool = True) -> None:
        await asyncio.sleep(0)
        attempts = task.attempts if counted else task.attempts - 1
        self._keep(
            [
                replace(known, last_error=error, due_at=due_at, attempts=attempts)
                for known in self._leased_as(task)
            ]
        )

    async def park(self, task: Task, error: str, now: datetime) -> None:
        await asyncio.sleep(0)
        self._keep([replace(known, last_error=error, parked_at=now) for known in self._leased_as(task)])

    async def by_api_key(self, secret_hash: str) -> Authenticated | None:
        key = next(
            (
                row
                for row in self._books.states.values()
                if isinstance(row, ApiKey) and row.secret_hash == secret_hash and row.revoked_at is None
            ),
            None,
        )
        return await _answer(
            Authenticated(key.user_id, key.organization_id, key.livemode, key.id) if key else None
        )

    def _of(self, auth: Caller) -> BookingBooks:
        return BookingBooks(as_seen_by(self._books, auth), auth.organization_id, livemode=auth.livemode)

    def _leased_as(self, task: Task) -> list[Task]:
        """The task, unless it is finished or somebody else's by now."""
        known = self._books.tasks.get(task.id)
        return [known] if known is not None and known.due_at == task.due_at else []

    def _keep(self, tasks: list[Task]) -> None:
        self._books = self._books.with_tasks(tasks)


async def _answer(found: T) -> T:
    """As of now, whatever is committed before the caller sees it."""
    answer = copied(found)
    await asyncio.sleep(0)
    return answer
