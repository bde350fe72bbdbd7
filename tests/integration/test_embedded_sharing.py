"""The embedded server and several processes: one owns it, the others find it, none pulls it away."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.postgres.embedded import EmbeddedServer, EmbeddedServerError
from tests.integration.embedded_process import Process, alive, fetch, path_without, postmaster


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "home", fast_and_unsafe=True) as server:
        yield server


async def test_another_process_finds_it_and_leaves_it_running(server: EmbeddedServer) -> None:
    other = await Process.start(server.home)
    assert (other.owns, other.postmaster) == (False, postmaster(server))
    await other.leave()
    assert await fetch(server, "SELECT 1") == 1


async def test_many_processes_at_once_start_one(tmp_path: Path) -> None:
    processes = await asyncio.gather(*(Process.start(tmp_path) for _ in range(4)))
    assert sorted(process.owns for process in processes) == [False, False, False, True]
    assert len({process.postmaster for process in processes}) == 1
    for process in sorted(processes, key=lambda process: process.owns):
        await process.leave()
    assert not alive(processes[0].postmaster)


async def test_a_brief_command_does_not_take_the_server_away_from_one_that_stays(tmp_path: Path) -> None:
    brief = await Process.start(tmp_path, "brief")
    assert brief.owns
    staying = asyncio.create_task(Process.start(tmp_path))
    with pytest.raises(
        EmbeddedServerError, match=rf"process {brief.process.pid} is using .*: try again when"
    ):
        await asyncio.to_thread(EmbeddedServer(tmp_path, patience_seconds=0.3).attach_or_start)
    assert not staying.done()
    await brief.leave()
    assert (await staying).owns
    await (await staying).leave()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start takes over: the test below")
async def test_kill_9_of_the_owner_stops_the_server_too(tmp_path: Path) -> None:
    owner = await Process.start(tmp_path)
    await owner.be_killed()
    async with asyncio.timeout(20):
        while alive(owner.postmaster):  # noqa: ASYNC110 (another process: only its pid can be asked)
            await asyncio.sleep(0.02)
    with EmbeddedServer(tmp_path) as server:
        assert await fetch(server, "SELECT 1") == 1


async def test_a_server_whose_owner_was_killed_is_taken_over(tmp_path: Path) -> None:
    # Nobody ends the server with its owner where there is no setpriv, as on other systems than Linux.
    owner = await Process.start(tmp_path / "home", path=path_without("setpriv", tmp_path / "tools"))
    await owner.be_killed()
    server = EmbeddedServer(tmp_path / "home")
    assert server.attach_or_start()
    assert postmaster(server) == owner.postmaster
    assert await fetch(server, "SELECT 1") == 1
    server.stop()
    assert not alive(owner.postmaster)
