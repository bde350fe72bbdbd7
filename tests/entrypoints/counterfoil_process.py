"""`counterfoil`, as a person runs it: a process of its own, with an environment of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.embedded.postmaster import PostmasterFile

_HERE = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-c", "from entrypoints.cli import main; main()"]
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "POSTGRES_BIN_DIR", "LD_LIBRARY_PATH")
_SECONDS = 60


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing is set up but the home."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "COUNTERFOIL_HOME": str(home), "PYTHONWARNINGS": "error::ResourceWarning", **more}


def counterfoil(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603
        [*_COMMAND, *words],
        cwd=_HERE,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


@dataclass(frozen=True)
class Running:
    """A command that stays up."""

    process: subprocess.Popen[str]
    shown: Path
    logged: Path

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Until it shows this."""
        deadline = time.monotonic() + _SECONDS
        while not (match := re.search(pattern, self.shown.read_text())):
            assert self.process.poll() is None, self.logged.read_text()
            assert time.monotonic() < deadline, f"{pattern!r} is not in:\n{self.shown.read_text()}"
            time.sleep(0.05)
        return match

    def stop(self, asked: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and give its exit status."""
        self.process.send_signal(asked)
        return self.process.wait(timeout=15)


@contextmanager
def running(folder: Path, home: Path, *words: str, **more: str) -> Iterator[Running]:
    """A command that stays up, for as long as the block runs; what it prints is kept in `folder`."""
    folder.mkdir(exist_ok=True)
    shown, logged = folder / "stdout", folder / "stderr"
    with (
        shown.open("w") as out,
        logged.open("w") as err,
        subprocess.Popen(  # noqa: S603
            [*_COMMAND, *words], cwd=_HERE, env=environment(home, **more), stdout=out, stderr=err, text=True
        ) as process,
    ):
        try:
            yield Running(process, shown, logged)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=15)


def postmaster(home: Path) -> int | None:
    """The process of the embedded server in this home, if there is one."""
    file = PostmasterFile.read(home / "postgres")
    return file.pid if file is not None else None


def exists(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
