"""The embedded server: private, kept, stopped, and back after whatever was killed."""

import asyncio
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from adapters.postgres.embedded import ADMIN, EmbeddedServer, EmbeddedServerError
from adapters.postgres.embedded.postmaster import PostmasterFile
from tests.databases import connected
from tests.integration.embedded_process import (
    Process,
    alive,
    fetch,
    path_without,
    postmaster,
    readable_programs,
)

LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises when a connection breaks off; the third is its own confusion about that."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "home") as server:
        yield server


async def test_is_set_up_as_promised(server: EmbeddedServer) -> None:
    for query, value in {
        "SELECT current_database()": "counterfoil",
        "SHOW data_checksums": "on",
        "SHOW timezone": "UTC",
        "SHOW listen_addresses": "",
        "SHOW fsync": "on",
        "SHOW server_encoding": "UTF8",
        "SELECT datcollate FROM pg_database WHERE datname = current_database()": "C",
    }.items():
        assert await fetch(server, query) == value, query


async def test_keeps_what_it_was_given(tmp_path: Path) -> None:
    for run in (1, 2):
        with EmbeddedServer(tmp_path, fast_and_unsafe=True) as server:
            await fetch(server, "CREATE TABLE IF NOT EXISTS runs (id int GENERATED ALWAYS AS IDENTITY)")
            await fetch(server, "INSERT INTO runs DEFAULT VALUES")
            assert await fetch(server, "SELECT count(*) FROM runs") == run


async def test_opens_nothing_to_anybody_else() -> None:
    # Not in pytest's folder: its name may be too long for a socket, which then stands elsewhere.
    with TemporaryDirectory(prefix="counterfoil-") as name:
        private = Path(name)
        with EmbeddedServer(private / "home", fast_and_unsafe=True) as server:
            assert await fetch(server, "SELECT 1") == 1
            for folder in (private, server.home, server.data, server.home / "socket"):
                assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
            assert stat.S_IMODE(server.log.stat().st_mode) == 0o600
            assert server.data.stat().st_uid == os.geteuid()


async def test_every_acknowledged_row_survives_kill_9(server: EmbeddedServer) -> None:
    await fetch(server, "CREATE TABLE rows (writer int, number int, PRIMARY KEY (writer, number))")
    for round_ in range(2):
        acknowledged = [0, 0, 0, 0]

        async def write(writer: int, acknowledged: list[int] = acknowledged, round_: int = round_) -> None:
            async with connected(server.dsn(ADMIN)) as connection:
                while True:
                    number = acknowledged[writer] + 1
                    key = round_ * 10 + writer
                    await connection.execute("INSERT INTO rows VALUES ($1, $2)", key, number)
                    acknowledged[writer] = number
                    if sum(acknowledged) == 400:
                        os.kill(postmaster(server), signal.SIGKILL)

        async with asyncio.timeout(60):
            ends = await asyncio.gather(*(write(number) for number in range(4)), return_exceptions=True)
        assert all(isinstance(end, LOST) for end in ends)
        assert server.attach_or_start()
        for writer, number in enumerate(acknowledged):
            found = await fetch(
                server, "SELECT max(number) FROM rows WHERE writer = $1", round_ * 10 + writer
            )
            assert found in (number, number + 1)  # the last one was stored, or not: nobody was told


async def test_runs_where_user_namespaces_are_forbidden(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    path = path_without("unshare", tmp_path / "tools")
    with readable_programs() as programs:
        async with Process.running(private / "home", path=path, programs=programs) as owner:
            assert await fetch(EmbeddedServer(private / "home"), "SELECT 1") == 1
        assert not alive(owner.postmaster)


async def test_a_home_with_a_long_or_strange_name_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    for name in ("long" * 30, "one, two"):
        with EmbeddedServer(tmp_path / name, fast_and_unsafe=True) as server:
            assert await fetch(server, "SELECT 1") == 1
            running = PostmasterFile.read(server.data)
            assert running is not None
            assert tmp_path not in running.socket_folder.parents
            assert stat.S_IMODE(running.socket_folder.stat().st_mode) == 0o700
        assert not running.socket_folder.exists()


async def test_a_set_up_that_broke_off_leaves_no_half_cluster(tmp_path: Path) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    for program in ("initdb", "postgres"):
        (broken / program).write_text(
            '#!/bin/sh\n[ "$1" = --version ] && exit 0\nmkdir "$2"; echo "initdb: error: disk full"; exit 1\n'
        )
        (broken / program).chmod(0o755)
    home = tmp_path / "home"
    left_over = home / ".initdb-killed"
    (left_over / "postgres").mkdir(parents=True)
    with pytest.raises(
        EmbeddedServerError, match=r"could not be set up: initdb: error: disk full \(exit status 1\); mend"
    ):
        EmbeddedServer(home, broken).attach_or_start()
    assert [path.name for path in home.iterdir()] == ["postgres.owner"]
    with EmbeddedServer(home, fast_and_unsafe=True) as server:
        assert await fetch(server, "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why_and_is_not_owned(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, fast_and_unsafe=True) as server:
        pass
    (server.data / "postgresql.conf").write_text("max_connections = many\n")
    with pytest.raises(EmbeddedServerError, match=r"did not start: .*(many|configuration file).*\(more in"):
        server.attach_or_start()
    (server.data / "postgresql.conf").write_text("")
    with server:
        assert postmaster(server)


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match=r"initdb is not a program: check POSTGRES_BIN_DIR"):
        EmbeddedServer(tmp_path, tmp_path / "nowhere").attach_or_start()
    with pytest.raises(EmbeddedServerError, match=r"is not running: start it first"):
        EmbeddedServer(tmp_path).dsn(ADMIN)
    (tmp_path / "file").touch()
    with pytest.raises(
        EmbeddedServerError, match=r"cannot use .*: set COUNTERFOIL_HOME to a folder of yours"
    ):
        EmbeddedServer(tmp_path / "file" / "home").attach_or_start()


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, fast_and_unsafe=True)
    assert server.attach_or_start()
    pid = postmaster(server)
    server.stop()
    server.stop()
    assert not alive(pid)
