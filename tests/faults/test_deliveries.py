"""The storm over deliveries, in short; at length it is `python -m tests.faults.deliveries --seconds 120`."""

from pathlib import Path

from tests.faults.deliveries import storm


async def test_every_event_reaches_every_endpoint_whoever_is_killed(tmp_path: Path) -> None:
    figures = await storm(tmp_path, seconds=8, failing=0.3, endpoints=2, clients=2, seed=3)
    assert figures.passed, str(figures)
    assert figures.kills
    assert figures.acted_on >= 2 * figures.acknowledged
    assert figures.refused
