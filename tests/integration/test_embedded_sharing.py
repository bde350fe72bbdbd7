"""The embedded server and several processes: one owns it, the others find it, none pulls it away."""

import asyncio
import contextlib
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
    async with Process.running(server.home) as other:
        assert (other.owns, other.postmaster) == (False, postmaster(server))
    assert await fetch(server, "SELECT 1") == 1


async def test_many_processes_at_once_start_one(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        starts = [stack.enter_async_context(Process.running(tmp_path)) for _ in range(4)]
        processes = await asyncio.gather(*starts)
        assert sorted(process.owns for process in processes) == [False, False, False, True]
        assert len({process.postmaster for process in processes}) == 1
    assert not alive(processes[0].postmaster)


async def test_a_brief_command_does_not_take_the_server_away_from_one_that_stays(tmp_path: Path) -> None:
    async def stay() -> bool:
        async with Process.running(tmp_path) as staying:
            return staying.owns

    async with Process.running(tmp_path, "brief") as brief, asyncio.TaskGroup() as group:
        assert brief.owns
        owned = group.create_task(stay())
        message = rf"process {brief.process.pid} is using .*: try again when"
        with pytest.raises(EmbeddedServerError, match=message):
            await asyncio.to_thread(EmbeddedServer(tmp_path, patience_seconds=0.5).attach_or_start)
        assert not owned.done()
        await brief.leave()
        assert await owned


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start takes over: the test below")
async def test_kill_9_of_the_owner_stops_the_server_too(tmp_path: Path) -> None:
    async with Process.running(tmp_path) as owner:
        await owner.be_killed()
    async with asyncio.timeout(20):
        while alive(owner.postmaster):  # noqa: ASYNC110 (another process: only its pid can be asked)
            await asyncio.sleep(0.02)
    with EmbeddedServer(tmp_path) as server:
        assert await fetch(server, "SELECT 1") == 1


async def test_a_server_whose_owner_was_killed_is_taken_over(tmp_path: Path) -> None:
    # Nobody ends the server with its owner where there is no setpriv, as on other systems than Linux.
    path = path_without("setpriv", tmp_path / "tools")
    async with Process.running(tmp_path / "home", path=path) as owner:
        await owner.be_killed()
    with EmbeddedServer(tmp_path / "home") as server:
        assert postmaster(server) == owner.postmaster
        assert await fetch(server, "SELECT 1") == 1
    assert not alive(owner.postmaster)
