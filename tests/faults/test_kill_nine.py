"""The brutal test, in short; at length it is `python -m tests.faults.kill_nine --rounds 50`."""

from pathlib import Path

from tests.faults.kill_nine import kill_nine


async def test_kill_nine_of_the_service_and_of_postgresql_loses_nothing(tmp_path: Path) -> None:
    figures = await kill_nine(tmp_path, rounds=2, clients=4, seed=1)
    assert figures.passed, str(figures)
    assert figures.kills == {"service": 1, "PostgreSQL": 1}
    assert figures.customers >= 4
