"""The books in PostgreSQL: every port that reads or writes them, each call one function of sql/*.sql."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar, assert_never

import asyncpg
import msgspec

from adapters.postgres.attaching import AttachReads
from adapters.postgres.audit import AuditReads
from adapters.postgres.checkouts import CheckoutReads
from adapters.postgres.combining import USUAL, Combined, Limits
from adapters.postgres.commits import encoded
from adapters.postgres.customers import CustomerReads
from adapters.postgres.database import Database
from adapters.postgres.drafts import keys_of
from adapters.postgres.entities import EntityReads
from adapters.postgres.intake import IntakeReads
from adapters.postgres.invoicing import InvoiceReads
from adapters.postgres.listing import Lists
from adapters.postgres.managing import ManagedReads
from adapters.postgres.operating import OperatorReads
from adapters.postgres.portal import PortalDoorInPostgres
from adapters.postgres.reconciling import ReconcilingReads
from adapters.postgres.usage import UsageLedgerInPostgres
from adapters.postgres.users import UserReads
from adapters.postgres.webhooks import WebhooksInPostgres
from application.causes import Task
from application.idempotency import KeptReply
from application.ports import (
    BookingContext,
    ChargeContext,
    EventFilter,
    PaymentRecord,
    RenewalContext,
)
from application.unit_of_work import TakenWork, UnitOfWork
from domain.auth import AuthContext, Authenticated
from domain.catalog import Catalog
from domain.customer import CustomerRecord, NewCustomer
from domain.events import RecordedEvent
from domain.identity import CustomerContext
from domain.ids import CheckoutSessionId, InvoiceId, PaymentId, SubscriptionId
from domain.payment import PaymentFact
from domain.setup import SetupFact

T = TypeVar("T")

# One database value is one JSON text, decoded straight into domain values.
_CUSTOMER_CONTEXT = msgspec.json.Decoder(CustomerContext)
_CUSTOMER_RECORD = msgspec.json.Decoder(CustomerRecord)
_CATALOG = msgspec.json.Decoder(Catalog)
_BOOKING_CONTEXT = msgspec.json.Decoder(BookingContext)
_CHARGE_CONTEXT = msgspec.json.Decoder(ChargeContext)
_RENEWAL_CONTEXT = msgspec.json.Decoder(RenewalContext)
_PAYMENT_RECORD = msgspec.json.Decoder(PaymentRecord)
_AUTHENTICATED = msgspec.json.Decoder(Authenticated)
_EVENTS = msgspec.json.Decoder(list[RecordedEvent])
_KEPT_REPLY = msgspec.json.Decoder(KeptReply)
_FACT = ("text", "boolean", *["text"] * 7)
_FEATURE = ("text", "boolean", "text", "text", "text", "timestamptz")
_TASKS = msgspec.json.Decoder(list[Task])


class PostgresStore(
    Lists,
    AuditReads,
    CustomerReads,
    IntakeReads,
    CheckoutReads,
    UserReads,
    ManagedReads,
    InvoiceReads,
    EntityReads,
    AttachReads,
    UsageLedgerInPostgres,
    PortalDoorInPostgres,
    OperatorReads,
    WebhooksInPostgres,
    ReconcilingReads,
):
    """All ports of the books. Each method is one round trip; what it may see depends on the pool's role."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float = 2.0, limits: Limits = USUAL) -> None:
        self.database = Database(pool, wait_seconds)
        self._limits = limits
        self._commits = Combined[TakenWork, None](self._commit, wait_seconds, limits)
        self._creation_contexts = self._combined("creation_context", "text", "boolean", *["text"] * 6)
        self._fact_contexts = self._combined("fact_context", *_FACT)
        self.feature_contexts = self._combined("feature_context", *_FEATURE)
        self.open_ledger(wait_seconds, limits)
        self.open_deliveries(wait_seconds, limits)

    async def commit(self, work: UnitOfWork) -> None:
        await self._commits(work.take())

    async def _commit(self, works: Sequence[TakenWork]) -> Sequence[None]:
        await self.database.call("commit_work", encoded(works))
        return [None] * len(works)

    def _combined(self, function: str, *types: str) -> Combined[tuple[object, ...], str]:
        async def call_each(asked: Sequence[tuple[object, ...]]) -> Sequence[str]:
            return await self.database.call_each(function, types, asked)

        return Combined(call_each, self.database.wait_seconds, self._limits)

    async def creation_context(self, auth: AuthContext, draft: NewCustomer) -> CustomerContext:
        return _CUSTOMER_CONTEXT.decode(
            await self._creation_contexts(
                (auth.organization_id, auth.livemode, draft.external_id, *keys_of(draft))
            ),
        )

    async def customer(self, auth: AuthContext, reference: str) -> CustomerRecord | None:
        return _if_any(
            _CUSTOMER_RECORD,
            await self.database.call("customer", auth.organization_id, auth.livemode, reference),
        )

    async def catalog(self, auth: Authenticated) -> Catalog:
        return _CATALOG.decode(await self.database.call("catalog", auth.organization_id, auth.livemode))

    async def fact_context(self, fact: PaymentFact | SetupFact, inbound_event_id: str) -> BookingContext:
        named: tuple[str | None, ...]
        match fact:
            case PaymentFact():
                named = fact.payment_intent_id, None, fact.invoice_id, None, fact.intake_payment_id
            case SetupFact(payment_method=method):
                left = method.stripe_payment_method_id if method else None
                named = None, fact.setup_intent_id, None, left, None
            case _:
                assert_never(fact)
        return _BOOKING_CONTEXT.decode(
            await self._fact_contexts(
                (
                    fact.organization_id or "",
                    fact.livemode,
                    fact.checkout_session_id,
                    *named,
                    inbound_event_id,
                )
            ),
        )

    async def charge_context(self, auth: AuthContext, id: InvoiceId) -> ChargeContext | None:
        return _if_any(
            _CHARGE_CONTEXT,
            await self.database.call("charge_context", auth.organization_id, auth.livemode, id),
        )

    async def renewal_context(self, auth: AuthContext, id: SubscriptionId) -> RenewalContext | None:
        return _if_any(
            _RENEWAL_CONTEXT,
            await self.database.call("renewal_context", auth.organization_id, auth.livemode, id),
        )

    async def payment(self, auth: AuthContext, id: PaymentId) -> PaymentRecord | None:
        return _if_any(
            _PAYMENT_RECORD, await self.database.call("payment", auth.organization_id, auth.livemode, id)
        )

    async def session_context(self, auth: AuthContext, id: CheckoutSessionId) -> BookingContext | None:
        found = _BOOKING_CONTEXT.decode(
            await self._fact_contexts((auth.organization_id, auth.livemode, id, *[None] * 6))
        )
        return found if found.session is not None else None

    async def return_context(self, id: CheckoutSessionId) -> BookingContext | None:
        return _if_any(_BOOKING_CONTEXT, await self.database.call("resolve_return_context", id))

    async def by_api_key(self, secret_hash: str) -> Authenticated | None:
        return _if_any(_AUTHENTICATED, await self.database.call("resolve_api_key", secret_hash))

    async def page(self, auth: Authenticated, wanted: EventFilter) -> Sequence[RecordedEvent]:
        return _EVENTS.decode(
            await self.database.call(
                "events_page",
                auth.organization_id,
                auth.livemode,
                wanted.after,
                wanted.limit,
                wanted.type,
                wanted.subject,
            ),
        )

    async def sequence(self, limit: int) -> int:
        numbered: int = await self.database.call("sequence_events", limit)
        return numbered

    async def lease(self, limit: int, now: datetime, lease: timedelta) -> Sequence[Task]:
        return _TASKS.decode(await self.database.call("lease_tasks", limit, now, now + lease))

    async def postpone(self, task: Task, error: str, due_at: datetime, *, counted: bool = True) -> None:
        await self.database.call("postpone_task", *_lease_of(task), error, due_at, counted)

    async def kept_reply(self, auth: Authenticated, route: str, key: str) -> KeptReply | None:
        found = await self.database.call("kept_reply", auth.organization_id, auth.livemode, route, key)
        return _if_any(_KEPT_REPLY, found)

    async def forget_events(self, before: datetime, limit: int) -> int:
        forgotten: int = await self.database.call("forget_events", before, limit)
        return forgotten

    async def forget_replies(self, before: datetime, limit: int) -> int:
        forgotten: int = await self.database.call("forget_replies", before, limit)
        return forgotten

    async def park(self, task: Task, error: str, now: datetime) -> None:
        await self.database.call("park_task", *_lease_of(task), error, now)


def _lease_of(task: Task) -> tuple[object, ...]:
    return task.organization_id, task.livemode, task.id, task.due_at


def _if_any(decoder: msgspec.json.Decoder[T], text: str | None) -> T | None:
    return None if text is None else decoder.decode(text)
