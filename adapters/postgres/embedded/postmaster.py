"""A running `postgres`: found by the file it keeps in its data folder, watched, and stopped."""

import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PORT = 5432  # part of the socket's file name only: nothing listens on TCP
_LONGEST_SOCKET_PATH = 103  # bytes; macOS allows this, Linux 107
_POLL_SECONDS = 0.01
_ANSWER_SECONDS = 5.0
_MAY_WE_ENCRYPT = struct.pack("!II", 8, 80877103)  # SSLRequest: the one question asked before logging in


@dataclass(frozen=True, slots=True)
class PostmasterFile:
    """`postmaster.pid`, as `postgres` writes it."""

    pid: int
    socket_folder: Path
    ready: bool
    """Whether the server says that it accepts connections (a server that was killed still says so)."""

    @classmethod
    def read(cls, data: Path) -> "PostmasterFile | None":
        """The file in this data folder; None when there is none or when it is only half written."""
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return cls(int(lines[0]), Path(lines[4]), lines[7].strip() == "ready")
        except (OSError, ValueError, IndexError):
            return None

    def answers(self) -> bool:
        """Whether the server answers a question at this moment; one that is just dying only listens."""
        if not self.ready:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_ANSWER_SECONDS)
            try:
                probe.connect(str(self.socket_folder / f".s.PGSQL.{PORT}"))
                probe.sendall(_MAY_WE_ENCRYPT)
                return probe.recv(1) != b""
            except OSError:
                return False


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server process that we may stop: our child, or one that an owner who was killed left running."""

    pid: int
    child: subprocess.Popen[bytes] | None = None

    def alive(self) -> bool:
        """Whether the process still runs."""
        if self.child is not None:
            return self.child.poll() is None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def stop(self, *, fast_seconds: float = 30.0, quit_seconds: float = 5.0) -> None:
        """Fast shutdown with a checkpoint; after `fast_seconds` without one; at last by force.

        Only the first leaves nothing to recover; none of them loses a commit.
        """
        for asked, patience in ((signal.SIGINT, fast_seconds), (signal.SIGQUIT, quit_seconds)):
            if not self.alive():
                return
            os.kill(self.pid, asked)
            if wait_until(lambda: not self.alive(), patience):
                return
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.alive(), quit_seconds)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until the condition holds; False when it still does not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def socket_folder(home: Path) -> Path:
    """A private folder for the socket: in the home, or a short one elsewhere where a path would be too long.

    The server itself notes it in `postmaster.pid`, where the others find it.
    """
    folder = home / "socket"
    path = str(folder / f".s.PGSQL.{PORT}")
    # In a connection string a comma would separate two hosts; a list of folders is split at commas too.
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH or any(mark in path for mark in ",\"'"):
        return Path(tempfile.mkdtemp(prefix="counterfoil-", dir="/tmp"))
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    return folder
