"""The statements that the service sends for each request: recorded from the use cases themselves, so that
pgbench calls the same functions with the same arguments, but for the ids.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import msgspec

from adapters.postgres.combining import TOGETHER
from adapters.postgres.database import Database
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP
from adapters.postgres.store import PostgresStore
from adapters.sandbox.signing import sign
from adapters.stripe.webhooks import StripeWebhookReader
from adapters.system import SystemClock, TypeIds
from application.causes import ApiRequest, InboundEvent
from application.customers.create_customer import CreateCustomer
from application.payments.news import StripeReported
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.ports import PaymentGateway
from application.usage.check_feature import CheckFeature, NewCheck
from application.usage.first_use import FirstUse
from application.usage.track_usage import NewTrack, TrackUsage
from benchmarks.bodies import (
    BLOCK_LETTERS,
    HOT,
    MARK,
    check_body,
    customer_body,
    event_body,
    someone_at,
    track_body,
)
from benchmarks.flows import Flow, Way
from benchmarks.seeding import copy_customers, seed_sessions
from benchmarks.stage import WEBHOOK_SECRET, Seller, Stage
from domain.customer import NewCustomer
from domain.ids import PREFIXES, AnyId, RequestId
from domain.payment import PaymentFact

Statement = tuple[str, tuple[object, ...]]
"""A function of the database, and its arguments; MARK stands where each call needs its own token."""

_NOBODY = cast(PaymentGateway, None)  # none of the use cases asks Stripe anything

Recorded = dict[Way, tuple[Statement, ...]]
"""By each way in which pgbench calls them."""


class _RecordingDatabase(Database):
    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.statements: list[Statement] = []

    async def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401
        self.statements.append((function, arguments))
        return await super().call(function, *arguments)

    async def rows(self, function: str, *arguments: object) -> Sequence[Any]:
        self.statements.append((function, arguments))
        return await super().rows(function, *arguments)

    def taken(self) -> tuple[Statement, ...]:
        """The calls since this was asked last."""
        taken, self.statements = tuple(self.statements), []
        return taken


@dataclass
class _MarkedIds:
    given: int = field(default=0)

    def new(self, kind: Callable[[str], AnyId]) -> AnyId:
        self.given += 1
        return kind(f"{PREFIXES[kind]}_{MARK}{self.given:03}")


@dataclass
class Recorder:
    """Performs each use case once, for one request and for many at once."""

    stage: Stage
    store: PostgresStore
    database: _RecordingDatabase

    def __post_init__(self) -> None:
        self._clock = SystemClock()

    async def creation(self, seller: Seller) -> Recorded:
        """A new customer."""

        async def create(token: str) -> None:
            draft = msgspec.json.decode(customer_body(token), type=NewCustomer)
            await creates(draft, seller.auth, ApiRequest(ids.new(RequestId)))

        ids = _MarkedIds()
        creates = CreateCustomer(self.store, _NOBODY, self.store, ids, self._clock)
        await create(MARK)
        read, commit = self.database.taken()
        await asyncio.gather(*(create(f"{MARK}-{number}") for number in range(TOGETHER)))
        return {"alone": (commit,), "pair": (read, commit), "together": self.database.taken()}

    async def booking(self) -> Recorded:
        """A stranger's payment."""
        ids = _MarkedIds(900)  # after those of whoever was created
        body = event_body(self.stage, MARK)
        notice = StripeWebhookReader(WEBHOOK_SECRET, None).read(
            body, sign(body, WEBHOOK_SECRET, int(time.time()))
        )
        assert isinstance(notice.fact, PaymentFact)
        event = InboundEvent(
            notice.id,
            notice.type,
            self.stage.plain.auth.organization_id,
            livemode=False,
            received_at=self._clock.now(),
        )
        book = ProcessPaymentIntent(self.store, _NOBODY, self.store, ids, self._clock)
        await book(StripeReported(notice.fact, event))
        read, commit = self.database.taken()
        return {"alone": (commit,), "pair": (read, commit)}

    async def check(self) -> Recorded:
        """What a customer may use."""
        checks = CheckFeature(self.store, self._first_use(_MarkedIds()), self._clock)
        draft = msgspec.json.decode(check_body(someone_at(0)), type=NewCheck)
        await checks(draft, self.stage.entitling.auth, ApiRequest(RequestId("req_0")))
        return {"alone": self.database.taken()}

    async def track(self, customer: Callable[[int], str], first_id: int) -> Recorded:
        """One unit of usage of the customer at each place of a batch."""
        ids = _MarkedIds(first_id)
        tracks = TrackUsage(self.store, self._first_use(ids), ids, self._clock)

        async def track(place: int) -> None:
            body = track_body(customer(place), f"{customer(place)}-{MARK}-{place}")
            draft = msgspec.json.decode(body, type=NewTrack)
            await tracks(draft, self.stage.entitling.auth, ApiRequest(ids.new(RequestId)))

        await track(0)
        alone = self.database.taken()
        await asyncio.gather(*(track(place) for place in range(TOGETHER)))
        return {"alone": alone, "together": self.database.taken()}

    def _first_use(self, ids: _MarkedIds) -> FirstUse:
        return FirstUse(self.store, self.store, self.store, ids, self._clock)


async def record(
    stage: Stage, admin: asyncpg.Connection, flows: Sequence[Flow], customers: int
) -> dict[str, Recorded]:
    """The books are filled with so many customers, and what each of the flows asks of the database is
    recorded."""
    await seed_sessions(stage, admin, f"'{MARK}'", 1)
    async with open_pool(stage.service_dsn, APP) as pool:
        store = PostgresStore(pool)
        await _introduce(store, stage, (HOT, *map(someone_at, range(TOGETHER))))
        await copy_customers(stage, admin, HOT, customers, places=TOGETHER, letters=BLOCK_LETTERS)
        database = store.database = _RecordingDatabase(pool)
        recorder = Recorder(stage, store, database)
        recorders: dict[str, Callable[[], Awaitable[Recorded]]] = {
            "create": lambda: recorder.creation(stage.plain),
            "create-entitled": lambda: recorder.creation(stage.entitling),
            "webhook": recorder.booking,
            "check": recorder.check,
            "track": lambda: recorder.track(someone_at, first_id=0),
            "hot-track": lambda: recorder.track(lambda _: HOT, first_id=500),
        }
        return {flow.name: await recorders[flow.name]() for flow in flows}


async def _introduce(store: PostgresStore, stage: Stage, names: Sequence[str]) -> None:
    """Customers who have what everyone has."""
    ids = TypeIds()
    create = CreateCustomer(store, _NOBODY, store, ids, SystemClock())
    for name in names:
        draft = NewCustomer(external_id=name)
        await create(draft, stage.entitling.auth, ApiRequest(ids.new(RequestId)))
