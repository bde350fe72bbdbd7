"""Events that wait to be delivered, and what the database says of them."""

import asyncio
from dataclasses import dataclass
from time import monotonic

import asyncpg

from benchmarks.stage import Seller, Stage

_AT_A_TIME = 50_000
_ENDPOINT = """
    INSERT INTO webhook_endpoints (organization_id, livemode, id, slot, url, event_types, enabled,
        enabled_at, secret, created_at, version)
    VALUES ($1::text, false, 'we_' || substr(md5($1::text), 1, 20) || lpad($2::int::text, 6, '0'), $2,
        $3, '["*"]', true, now(), 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', now(), 1)
"""
# As large as a customer's event is, and with ids that grow with time.
_EVENTS = """
    INSERT INTO events (organization_id, livemode, id, type, occurred_at, subject_type, subject_id, data,
        actor, request_id, correlation_id, hash, position)
    SELECT $1, false, 'evt_' || lpad((n / 1000)::text, 10, '0') || lpad(n::text, 16, '0'), 'customer.created',
        clock_timestamp(), 'customer', 'cus_' || lpad(n::text, 26, '0'),
        jsonb_build_object('previous', NULL, 'object', jsonb_build_object(
            'id', 'cus_' || lpad(n::text, 26, '0'), 'external_id', 'user-' || n, 'name', 'Ada Lovelace',
            'email', n || '@known.example', 'livemode', false, 'metadata', '{}'::jsonb, 'user_id', NULL,
            'fingerprint', NULL, 'stripe_customer_id', NULL, 'pricing_model_id', 'pm_' || lpad('1', 26, '0'),
            'created_at', now())),
        '{"type": "api_key", "api_key_id": "key_1", "user_id": "usr_1"}', 'req_' || n, 'req_' || n,
        md5(n::text) || md5(n::text), 1
    FROM generate_series($2::bigint, $3::bigint) AS n
"""
_TABLES = ("deliveries", "delivery_attempts", "events")


@dataclass(frozen=True)
class Delivered:
    """What arrived within some time: how many a second, and the milliseconds since they had happened."""

    per_second: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Size:
    """Of one table: rows that are there and rows that are only left behind; MB of the table and of its
    indexes."""

    table: str
    rows: int
    dead: int
    megabytes: float
    indexes: float


async def add_endpoints(admin: asyncpg.Connection, seller: Seller, url: str, slots: range) -> None:
    """Who is told of everything from now on."""
    for slot in slots:
        await admin.execute(_ENDPOINT, seller.auth.organization_id, slot, url)


async def add_backlog(
    admin: asyncpg.Connection, stage: Stage, deliveries: int, endpoints: int, *, first: int = 0
) -> float:
    """Numbered events for the organization that has so many endpoints, with ids from `first` on; how many a
    second got their number and their deliveries."""
    events = deliveries // endpoints
    for begin in range(first, first + events, _AT_A_TIME):
        end = min(begin + _AT_A_TIME, first + events) - 1
        await admin.execute(_EVENTS, stage.plain.auth.organization_id, begin, end)
    began = monotonic()
    while await admin.fetchval("SELECT sequence_events(1000)"):
        pass
    return events / (monotonic() - began)


async def settle(admin: asyncpg.Connection) -> None:
    """The database is as after a quiet night."""
    await admin.execute("VACUUM ANALYZE")
    await admin.execute("CHECKPOINT")


async def forget(admin: asyncpg.Connection) -> None:
    """What has been delivered is forgotten, as the worker does when it is old enough."""
    for name in ("forget_deliveries", "forget_events"):
        while await admin.fetchval(f"SELECT {name}(now(), 1000)"):
            pass


async def happen(admin: asyncpg.Connection, seller: Seller, per_second: int, stop: asyncio.Event) -> None:
    """So many events a second, each in a commit of its own."""
    number = await admin.fetchval(
        "SELECT coalesce(max(sequence), 0) + 1 FROM events WHERE organization_id = $1",
        seller.auth.organization_id,
    )
    due = monotonic()
    while not stop.is_set():
        await admin.execute(_EVENTS, seller.auth.organization_id, number, number)
        number += 1
        due += 1 / per_second
        await asyncio.sleep(max(0.0, due - monotonic()))


async def delivered(
    admin: asyncpg.Connection, seller: Seller, begin: object, end: object, seconds: float
) -> Delivered:
    """What arrived of this organization's events between these moments."""
    row = await admin.fetchrow(
        """SELECT count(*) AS total, percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
                ORDER BY extract(epoch FROM settled_at - created_at) * 1000) AS lag
            FROM deliveries WHERE settled_at >= $2 AND settled_at < $3 AND organization_id = $1
                AND status = 'succeeded'""",
        seller.auth.organization_id,
        begin,
        end,
    )
    assert row is not None
    p50, p99 = row["lag"] or (0.0, 0.0)
    return Delivered(row["total"] / seconds, p50, p99)


async def sizes(admin: asyncpg.Connection) -> list[Size]:
    """Of the tables that deliveries grow."""
    found = []
    for table in _TABLES:
        row = await admin.fetchrow(
            f"""SELECT (SELECT count(*) FROM {table}) AS rows,
                pg_stat_get_dead_tuples('{table}'::regclass) AS dead,
                pg_table_size('{table}') / 1e6 AS megabytes, pg_indexes_size('{table}') / 1e6 AS indexes"""
        )
        assert row is not None
        found.append(Size(table, row["rows"], row["dead"], row["megabytes"], row["indexes"]))
    return found
