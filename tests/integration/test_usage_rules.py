"""What PostgreSQL does of usage by itself: the rules that stand twice, and calls of several processes."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import get_args

from application.usage.track_usage import NewTrack
from domain.catalog import ResetInterval
from domain.errors import Rejected
from domain.usage import next_reset
from tests.contracts.worlds import REQUEST, World
from tests.databases import Database, connected
from tests.integration.test_combined_commits import process

_YEARS = [datetime(year, 1, 1, tzinfo=UTC) for year in (2019, 2023, 2024, 2026)]
_NEXT = """
    SELECT counterfoil.next_reset((one ->> 0)::timestamptz, one ->> 1, (one ->> 2)::timestamptz)
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (one, n) ORDER BY n
"""


async def test_a_period_ends_at_the_same_moment_wherever_it_is_asked(fresh_database: Database) -> None:
    random = Random(7)  # noqa: S311 (no secret)
    asked: list[tuple[datetime, ResetInterval, datetime]] = []
    for reset in get_args(ResetInterval):
        for _ in range(400):
            anchor = random.choice(_YEARS) + timedelta(
                days=random.choice((0, 27, 28, 29, 30, 58, 59, 60, 364, 365, random.randrange(366))),
                microseconds=random.choice((0, 1, 43_200_000_000, random.randrange(86_400_000_000))),
            )
            later = timedelta(
                days=random.choice((0, 1, 7, 28, 29, 30, 31, 59, 365, 366, random.randrange(2000))),
                microseconds=random.choice((0, 0, -1, 1, 60_000_000, random.randrange(86_400_000_000))),
            )
            asked += [(anchor, reset, anchor + later), (anchor, reset, anchor - later)]
    async with connected(fresh_database.admin_dsn) as admin:
        await admin.execute("SET TimeZone = 'UTC'; SET search_path = counterfoil")
        rows = await admin.fetch(_NEXT, json.dumps(asked, default=datetime.isoformat))
    assert [row[0] for row in rows] == [next_reset(*one) for one in asked]


async def test_keys_given_to_others_too_at_once_and_in_another_order_are_recorded_once_without_deadlock(
    fresh_database: Database,
) -> None:
    async with process(fresh_database) as (here, _), process(fresh_database) as (there, _):
        auth = await here.organization()
        for who in ("ada", "bob"):
            await here.customer(auth, who)
        recorded = 0
        for part in range(4):
            keys = [f"{part}-{n}" for n in range(60)]

            async def track(world: World, who: str, key: str) -> bool:
                draft = NewTrack(customer=who, feature="seats", idempotency_key=key)
                try:
                    return (await world.track_usage(draft, auth, REQUEST)).usage.key == key
                except Rejected:  # the other one has it
                    return False

            recorded += sum(
                await asyncio.gather(
                    *(track(here, "ada", key) for key in keys),
                    *(track(there, "bob", key) for key in reversed(keys)),
                )
            )
        assert recorded == 240
    async with connected(fresh_database.admin_dsn) as admin:
        counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert await admin.fetchval(counted) == 0
