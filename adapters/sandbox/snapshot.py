"""The books on disk, so that a sandbox living in a process survives that process's restart."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from adapters.sandbox.state import Books, Letters
from domain.errors import Unavailable

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


def open_books(path: Path | None, letters: Letters) -> Books:
    """The books of an earlier run, else new ones with keys of their own."""
    if path is not None and path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Books)
    return Books(
        secret_key=f"sk_test_{letters(24)}",
        publishable_key=f"pk_test_{letters(24)}",
        webhook_secret=f"whsec_{letters(32)}",
    )


def save(books: Books, path: Path) -> None:
    """Replace the file as a whole: whoever reads it, even after a crash, finds the old books or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(msgspec.json.encode(books))
    draft.replace(path)


@contextmanager
def kept_by_us_alone(path: Path | None) -> Iterator[None]:
    """While the block runs no other process keeps its books in this file: each would undo the other's.

    Raises Unavailable `sandbox_in_use`. The lock ends with the process, however it ends.
    """
    if path is None or fcntl is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unavailable(
                "sandbox_in_use",
                f"Another process runs the sandbox of {os.fspath(path.parent)}. Stop it, choose another "
                "COUNTERFOIL_HOME, or set STRIPE_TEST_SECRET_KEY.",
            ) from None
        yield
