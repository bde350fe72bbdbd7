"""The books on disk, so that a sandbox living in a process survives that process's restart."""

from pathlib import Path

import msgspec

from adapters.sandbox.state import Books, Letters


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
