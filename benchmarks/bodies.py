"""The requests, as they are sent: each with a token of its own, so that none is like another."""

import time
from pathlib import Path
from random import Random

import asyncpg
import msgspec

from adapters.postgres.combining import TOGETHER
from adapters.sandbox.signing import sign
from benchmarks.flows import Flow
from benchmarks.seeding import seed_sessions
from benchmarks.stage import FEATURE, TOKENS, WEBHOOK_SECRET, Stage

TOKEN_LETTERS = 23  # with three more an id is as long as the service's own
MARK = "m" * TOKEN_LETTERS

BLOCK_LETTERS = 6
BLOCK = "b" * BLOCK_LETTERS
"""Stands where each call takes another block of customers at random: one at each place of a batch."""

HOT = "hot"
"""The customer whose one balance everybody wants."""


def known_customer(number: int) -> str:
    """The external id of the customer that was there before, by number: its place, and its block."""
    return f"known-{number % TOGETHER:02}-{number // TOGETHER:0{BLOCK_LETTERS}}"


def someone_at(place: int) -> str:
    """Of whichever block."""
    return f"known-{place:02}-{BLOCK}"


def customer_body(token: str) -> bytes:
    """POST /v1/customers"""
    return f'{{"external_id": "user-{token}", "email": "{token}@example.com", "name": "Somebody"}}'.encode()


def check_body(customer: str) -> bytes:
    """POST /v1/check"""
    return f'{{"customer": "{customer}", "feature": "{FEATURE}"}}'.encode()


def track_body(customer: str, token: str) -> bytes:
    """POST /v1/track: under a key, as whoever may have to send it again does."""
    return f'{{"customer": "{customer}", "feature": "{FEATURE}", "idempotency_key": "use-{token}"}}'.encode()


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
            "organization_id": stage.plain.auth.organization_id,
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


async def take_tokens(stage: Stage, admin: asyncpg.Connection, count: int, *, with_sessions: bool) -> int:
    """The first of so many tokens, each with a session waiting for it if asked for; whoever calls nextval
    next gets it too."""
    first: int = await admin.fetchval(f"SELECT nextval('{TOKENS}') + 1")
    if with_sessions:
        await seed_sessions(stage, admin, f"lpad(({first} + n - 1)::text, {TOKEN_LETTERS}, '0')", count)
    return first


async def write_requests(
    stage: Stage, admin: asyncpg.Connection, file: Path, count: int, flow: Flow, customers: int
) -> str:
    """The requests that wrk will send, each once: a line has the header's value and the body. The header's
    name."""
    first = await take_tokens(stage, admin, count, with_sessions=flow.is_webhook)
    await admin.execute(f"SELECT setval('{TOKENS}', {first + count})")
    now, random = int(time.time()), Random(first)
    seller = stage.plain if flow.name == "create" else stage.entitling
    bearer = f"Bearer {seller.key}"
    with file.open("wb") as lines:
        for number in range(first, first + count):
            token = f"{number:0{TOKEN_LETTERS}}"
            body = _body(stage, flow, token, known_customer(random.randrange(customers)))
            header = sign(body, WEBHOOK_SECRET, now) if flow.is_webhook else bearer
            lines.write(header.encode() + b"\t" + body + b"\n")
    return "Stripe-Signature" if flow.is_webhook else "Authorization"


def _body(stage: Stage, flow: Flow, token: str, known: str) -> bytes:
    match flow.name:
        case "webhook":
            return event_body(stage, token)
        case "check":
            return check_body(known)
        case "track":
            return track_body(known, token)
        case "hot-track":
            return track_body(HOT, token)
        case _:
            return customer_body(token)
