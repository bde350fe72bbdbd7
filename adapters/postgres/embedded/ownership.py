"""Which process may start and stop the server of a home: the one that holds its lock."""

import contextlib
import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds, or last held, the lock."""

    pid: int
    lasting: bool
    """Whether it stays up (`serve`), so that others may rely on its server."""


class Ownership:
    """A lock that the kernel gives back whenever its holder ends, and a note in it saying who that is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._held is not None

    def claim(self, *, lasting: bool) -> bool:
        """Take the lock if nobody has it; never waits."""
        if self.held:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        note = json.dumps({"pid": os.getpid(), "lasting": lasting}).encode()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note, 0)
        self._held = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._held is not None:
            descriptor, self._held = self._held, None
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def owner(self) -> Owner | None:
        """Who wrote the note; None while there is none."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            note: Any = json.loads(self._path.read_bytes())
            return Owner(pid=int(note["pid"]), lasting=bool(note["lasting"]))
        return None
