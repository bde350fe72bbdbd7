"""Another process that uses the embedded server: `python -m tests.integration.embedded_process HOME [brief]`.

Prints one line, `{"owns": …, "postmaster": pid}`, and goes when its standard input ends. `Process` is how a
test starts one and talks to it.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.embedded.launch import find_binaries
from adapters.postgres.embedded.postmaster import PostmasterFile
from tests.databases import connected


class Process:
    """Another process with a server of the same home, talked to through its pipes."""

    def __init__(self, process: asyncio.subprocess.Process, owns: bool, postmaster: int) -> None:
        self.process = process
        self.owns = owns
        self.postmaster = postmaster

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls, home: Path, *words: str, path: str | None = None, programs: Path | None = None
    ) -> AsyncIterator["Process"]:
        """Started, and gone at the end of the block if it has not gone before."""
        told_where = {"PATH": path, "POSTGRES_BIN_DIR": str(programs) if programs else None}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.embedded_process", str(home), *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, **{name: value for name, value in told_where.items() if value}},
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(60):
                told = json.loads(await process.stdout.readline())
            running = cls(process, told["owns"], told["postmaster"])
            yield running
            await running.leave()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def leave(self) -> None:
        """End its input, and wait until it has stopped what it owns and gone."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(60):
            await self.process.wait()

    async def be_killed(self) -> None:
        """Kill it, with no chance to clean up."""
        self.process.kill()
        await self.process.wait()


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended but was not yet collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def path_without(missing: str, folder: Path) -> str:
    """A PATH on which the programs that start the server are found, but for one."""
    folder.mkdir()
    for name in ("sh", "mkdir", "rmdir", "unshare", "setpriv"):
        found = shutil.which(name)
        if found and name != missing:
            (folder / name).symlink_to(found)
    return str(folder)


@contextlib.contextmanager
def readable_programs() -> Iterator[Path]:
    """PostgreSQL's programs where another user can read them, wherever this checkout lies."""
    package = find_binaries(None).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, Path(folder, part.name))
        yield Path(folder, package.name, "pginstall", "bin")


def postmaster(server: EmbeddedServer) -> int:
    running = PostmasterFile.read(server.data)
    assert running is not None
    return running.pid


async def fetch(server: EmbeddedServer, query: str, *values: object) -> object:
    async with connected(server.dsn(ADMIN)) as connection:
        return await connection.fetchval(query, *values)


def main() -> None:
    programs = os.environ.get("POSTGRES_BIN_DIR")
    server = EmbeddedServer(
        Path(sys.argv[1]),
        Path(programs) if programs else None,
        lasting="brief" not in sys.argv,
        fast_and_unsafe=True,
    )
    owns = server.attach_or_start()
    running = PostmasterFile.read(server.data)
    sys.stdout.write(json.dumps({"owns": owns, "postmaster": running.pid if running else None}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
