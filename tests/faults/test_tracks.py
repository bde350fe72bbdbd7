"""Usage under load, in short; at length: `python -m tests.faults.tracks --tracks 10000 --balances 50`."""

from pathlib import Path

from tests.databases import Database
from tests.faults.tracks import Storm, weather


async def test_kill_nine_and_cut_connections_lose_no_unit_and_count_none_twice(
    tmp_path: Path, fresh_database: Database
) -> None:
    storm = Storm(tracks=300, balances=10, connections=32, kills=1, cuts=2, seed=1)
    reckoning = await weather(storm, tmp_path, fresh_database)
    assert reckoning.passed, str(reckoning)
    assert reckoning.recorded + reckoning.refused == storm.tracks
    assert reckoning.connections_cut
    assert min(reckoning.recorded, reckoning.refused) > 20
