"""The books in PostgreSQL: every port that reads or writes them, each call one function of sql/*.sql."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import msgspec

from adapters.postgres.database import Database
from adapters.postgres.operating import OperatorReads
from application.causes import ApiRequest, Cause, CommandLine, InboundEvent, Task
from application.ports import CheckoutContext, CustomerContext, EventFilter, Offer, PaymentContext
from application.unit_of_work import Part, TakenWork, UnitOfWork
from domain.account import ApiKey, Organization, User
from domain.auth import AuthContext, Authenticated
from domain.catalog import Catalog, CatalogHead, Feature, Price, PricingModel, Product
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer, CustomerRecord
from domain.events import RecordedEvent
from domain.ids import CheckoutSessionId, PricingModelId
from domain.payment import Payment, PaymentFact
from domain.purchase import Purchase
from domain.subscription import Subscription, SubscriptionItem

T = TypeVar("T")

TABLES: Mapping[type, str] = {
    Organization: "organizations",
    User: "users",
    ApiKey: "api_keys",
    CatalogHead: "catalogs",
    Feature: "features",
    PricingModel: "pricing_models",
    Product: "products",
    Price: "prices",
    Customer: "customers",
    Subscription: "subscriptions",
    SubscriptionItem: "subscription_items",
    CheckoutSession: "checkout_sessions",
    Purchase: "purchases",
    Payment: "payments",
}
"""Where each kind of state is stored; the columns are the state's fields."""


# One database value is one JSON text, decoded straight into domain values.
_CUSTOMER_CONTEXT = msgspec.json.Decoder(CustomerContext)
_CUSTOMER_RECORD = msgspec.json.Decoder(CustomerRecord)
_CATALOG = msgspec.json.Decoder(Catalog)
_CHECKOUT_CONTEXT = msgspec.json.Decoder(CheckoutContext)
_CHECKOUT_SESSION = msgspec.json.Decoder(CheckoutSession)
_OFFER = msgspec.json.Decoder(Offer)
_PAYMENT_CONTEXT = msgspec.json.Decoder(PaymentContext)
_AUTHENTICATED = msgspec.json.Decoder(Authenticated)
_EVENTS = msgspec.json.Decoder(list[RecordedEvent])
_TASKS = msgspec.json.Decoder(list[Task])


class PostgresStore(OperatorReads):
    """All ports of the books. Each method is one round trip; what it may see depends on the pool's role."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float = 2.0) -> None:
        self.database = Database(pool, wait_seconds)

    async def commit(self, work: UnitOfWork) -> None:
        await self.database.call("commit_work", _encoded(work.take()))

    async def creation_context(
        self, auth: AuthContext, external_id: str, pricing_model_id: PricingModelId | None
    ) -> CustomerContext:
        return _CUSTOMER_CONTEXT.decode(
            await self.database.call(
                "creation_context", auth.organization_id, auth.livemode, external_id, pricing_model_id
            ),
        )

    async def customer(self, auth: AuthContext, reference: str) -> CustomerRecord | None:
        return _if_any(
            _CUSTOMER_RECORD,
            await self.database.call("customer", auth.organization_id, auth.livemode, reference),
        )

    async def catalog(self, auth: Authenticated) -> Catalog:
        return _CATALOG.decode(await self.database.call("catalog", auth.organization_id, auth.livemode))

    async def opening_context(self, auth: Authenticated, price: str, customer: str | None) -> CheckoutContext:
        return _CHECKOUT_CONTEXT.decode(
            await self.database.call("opening_context", auth.organization_id, auth.livemode, price, customer),
        )

    async def session(self, auth: AuthContext, id: CheckoutSessionId) -> CheckoutSession | None:
        return _if_any(
            _CHECKOUT_SESSION,
            await self.database.call("checkout_session", auth.organization_id, auth.livemode, id),
        )

    async def offer(self, id: CheckoutSessionId) -> Offer | None:
        return _if_any(_OFFER, await self.database.call("resolve_offer", id))

    async def fact_context(self, fact: PaymentFact, inbound_event_id: str) -> PaymentContext:
        return _PAYMENT_CONTEXT.decode(
            await self.database.call(
                "fact_context",
                fact.organization_id or "",
                fact.livemode,
                fact.checkout_session_id,
                fact.payment_intent_id,
                inbound_event_id,
            ),
        )

    async def return_context(self, id: CheckoutSessionId) -> PaymentContext | None:
        return _if_any(_PAYMENT_CONTEXT, await self.database.call("resolve_return_context", id))

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

    async def park(self, task: Task, error: str, now: datetime) -> None:
        await self.database.call("park_task", *_lease_of(task), error, now)


def _lease_of(task: Task) -> tuple[object, ...]:
    return task.organization_id, task.livemode, task.id, task.due_at


def _if_any(decoder: msgspec.json.Decoder[T], text: str | None) -> T | None:
    return None if text is None else decoder.decode(text)


def _encoded(work: TakenWork) -> str:
    """The work as `commit_work` takes it."""
    inbound, task = _cause_rows(work.cause, work.decided_at)
    parts = [_part(part) for part in work.parts]
    return msgspec.json.encode({"parts": parts, "inbound": inbound, "task": task}).decode()


def _part(part: Part) -> dict[str, Any]:
    rows: dict[str, list[State]] = {}
    for state in part.states:
        rows.setdefault(TABLES[type(state)], []).append(state)
    return {
        "organization_id": part.organization_id,
        "livemode": part.livemode,
        "rows": rows,
        "events": part.events,
        "tasks": part.tasks,
    }


def _cause_rows(cause: Cause, now: datetime) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    match cause:
        case InboundEvent():
            row = msgspec.structs.asdict(cause)
            return {**row, "handled_at": None if cause.refusal else now}, None
        case Task():
            key = {"organization_id": cause.organization_id, "livemode": cause.livemode, "id": cause.id}
            return None, key
        case ApiRequest() | CommandLine():
            return None, None
