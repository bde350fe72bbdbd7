"""The backfill, in short; at length it is `python -m tests.faults.backfill --users 10000`."""

from pathlib import Path

from tests.databases import Database
from tests.faults.backfill import backfill


async def test_each_user_ends_with_one_customer_whatever_becomes_of_the_backfill(
    fresh_database: Database, tmp_path: Path
) -> None:
    figures = await backfill(tmp_path, fresh_database, users=100)
    assert figures.passed, str(figures)
