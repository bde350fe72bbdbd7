"""The two requests, and the statements that the service sends for them: recorded from the use cases
themselves, so that pgbench calls the same functions with the same arguments, but for the ids.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
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
from adapters.system import SystemClock
from application.causes import ApiRequest, InboundEvent
from application.customers.create_customer import CreateCustomer
from application.payments.news import StripeReported
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.ports import PaymentGateway
from benchmarks.stage import TOKENS, WEBHOOK_SECRET, Stage
from domain.customer import NewCustomer
from domain.ids import PREFIXES, AnyId, RequestId
from domain.payment import PaymentFact

TOKEN_LETTERS = 23  # with three more an id is as long as the service's own
MARK = "m" * TOKEN_LETTERS

Statement = tuple[str, tuple[object, ...]]
"""A function of the database, and its arguments; MARK stands where each call needs its own token."""


@dataclass(frozen=True)
class Recorded:
    """The statements of one use case: what is read, and what is committed, for one request or for many."""

    read: Statement
    commit: Statement
    together: Statement


class _RecordingDatabase(Database):
    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.statements: list[Statement] = []

    async def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401
        self.statements.append((function, arguments))
        return await super().call(function, *arguments)

    def taken(self) -> list[Statement]:
        """The calls since this was asked last."""
        taken, self.statements = self.statements, []
        return taken


@dataclass
class _MarkedIds:
    given: int = field(default=0)

    def new(self, kind: Callable[[str], AnyId]) -> AnyId:
        self.given += 1
        return kind(f"{PREFIXES[kind]}_{MARK}{self.given:03}")


async def record(stage: Stage, admin: asyncpg.Connection) -> tuple[Recorded, Recorded]:
    """What creating a customer and booking a stranger's payment ask of the database."""
    await seed_sessions(stage, admin, f"'{MARK}'", 1)
    async with open_pool(stage.service_dsn, APP) as pool:
        store = PostgresStore(pool)
        database = store.database = _RecordingDatabase(pool)
        ids, clock = _MarkedIds(), SystemClock()
        nobody = cast(PaymentGateway, None)  # neither of the two asks Stripe anything
        create = CreateCustomer(store, nobody, store, ids, clock)

        async def created(token: str) -> None:
            draft = msgspec.json.decode(customer_body(token), type=NewCustomer)
            await create(draft, stage.auth, ApiRequest(ids.new(RequestId)))

        await created(MARK)
        read, commit = database.taken()
        await asyncio.gather(*(created(f"{MARK}-{number}") for number in range(TOGETHER)))
        (together,) = database.taken()
        creation = Recorded(read, commit, together)
        body = event_body(stage, MARK)
        notice = StripeWebhookReader(WEBHOOK_SECRET, None).read(
            body, sign(body, WEBHOOK_SECRET, int(time.time()))
        )
        assert isinstance(notice.fact, PaymentFact)
        event = InboundEvent(
            notice.id, notice.type, stage.auth.organization_id, livemode=False, received_at=clock.now()
        )
        await ProcessPaymentIntent(store, nobody, store, ids, clock)(StripeReported(notice.fact, event))
        read, commit = database.taken()
        return creation, Recorded(read, commit, commit)


def customer_body(token: str) -> bytes:
    """POST /v1/customers"""
    return f'{{"external_id": "user-{token}", "email": "{token}@example.com", "name": "Somebody"}}'.encode()


def event_body(stage: Stage, token: str) -> bytes:
    """POST /v1/stripe/webhooks: the payment of this token's session has succeeded."""
    intent = {
        "id": f"pi_{token}",
        "object": "payment_intent",
        "amount": 1250,
        "currency": "usd",
        "livemode": False,
        "status": "succeeded",
        "customer": None,
        "receipt_email": f"{token}@example.com",
        "last_payment_error": None,
        "latest_charge": f"ch_{token}",
        "metadata": {
            "organization_id": stage.auth.organization_id,
            "livemode": "false",
            "checkout_session_id": f"cs_{token}000",
            "type": "checkout_session",
        },
    }
    event = {
        "id": f"evt_{token}",
        "object": "event",
        "api_version": "2026-08-26.dahlia",
        "created": 1,
        "type": "payment_intent.succeeded",
        "livemode": False,
        "data": {"object": intent},
    }
    return msgspec.json.encode(event)


async def seed_sessions(stage: Stage, admin: asyncpg.Connection, token: str, count: int) -> None:
    """Open sessions that wait for their payment, one for each token (SQL over n)."""
    await admin.execute(
        f"""INSERT INTO counterfoil.checkout_sessions (
                organization_id, livemode, id, type, collects, status, price_id, quantity, quantities, amount,
                currency, customer_email, metadata, preserve_billing_cycle, all_subscriptions,
                payment_intent_id, client_secret, client_token, expires_at, created_at, version)
            SELECT p.organization_id, p.livemode, 'cs_' || token || '000', 'product', 'payment', 'open', p.id,
                1, '[1]', p.amount, p.currency, token || '@example.com', '{{}}', false, false,
                'pi_' || token, 'secret', 'cst_' || token, now() + interval '1 day', now(), 1
            FROM counterfoil.prices AS p,
                LATERAL (SELECT {token} AS token FROM generate_series(1, {count}) AS n) AS t
            WHERE p.organization_id = '{stage.auth.organization_id}' AND NOT p.livemode
                AND p.slug = 'course'"""
    )


async def take_tokens(stage: Stage, admin: asyncpg.Connection, count: int, *, with_sessions: bool) -> int:
    """The first of so many tokens, each with a session waiting for it if asked for; whoever calls nextval
    next gets it too."""
    first: int = await admin.fetchval(f"SELECT nextval('{TOKENS}') + 1")
    if with_sessions:
        await seed_sessions(stage, admin, f"lpad(({first} + n - 1)::text, {TOKEN_LETTERS}, '0')", count)
    return first


async def write_requests(
    stage: Stage, admin: asyncpg.Connection, file: Path, count: int, *, webhook: bool
) -> None:
    """The requests that wrk will send, each once: a line has the header's value and the body."""
    first = await take_tokens(stage, admin, count, with_sessions=webhook)
    await admin.execute(f"SELECT setval('{TOKENS}', {first + count})")
    now = int(time.time())
    with file.open("wb") as lines:
        for number in range(first, first + count):
            token = f"{number:0{TOKEN_LETTERS}}"
            body = event_body(stage, token) if webhook else customer_body(token)
            header = sign(body, WEBHOOK_SECRET, now) if webhook else f"Bearer {stage.key}"
            lines.write(header.encode() + b"\t" + body + b"\n")
