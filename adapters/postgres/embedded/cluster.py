"""The data folder: made in one step, or not at all."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from adapters.postgres.embedded.launch import spawn
from adapters.postgres.errors import EmbeddedServerError

_INITDB_SECONDS = 120.0
_STAGING = ".initdb-"
_REFUSAL = re.compile(r"\b(?:ERROR|FATAL|PANIC):  ")


def create_cluster(
    data: Path, binaries: Path, prefix: Sequence[str], *, admin: str, database: str, sync: bool
) -> None:
    """Make a cluster with one superuser and one database, and only then give it its name.

    Whoever is killed half-way leaves a folder that nobody takes for a cluster; the next start clears it.
    The caller holds the lock of the home.
    """
    for left_over in data.parent.glob(f"{_STAGING}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=data.parent))
    made = staging / data.name
    options = ["-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums", "--no-instructions"]
    try:
        if not sync:
            options.append("--no-sync")
        initdb: list[str | Path] = [*prefix, binaries / "initdb", "-D", made, "-U", admin, *options]
        _run(initdb)
        # Single-user mode: no server has to be up to make the database, so the cluster is whole when named.
        single: list[str | Path] = [*prefix, binaries / "postgres", "--single", "-D", made, "postgres"]
        _run(single, f'CREATE DATABASE "{database}";\n'.encode())
        made.rename(data)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run(command: Sequence[str | Path], answer: bytes = b"") -> None:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as given:
        given.write(answer)
        given.seek(0)
        child = spawn(command, log=output.fileno(), stdin=given.fileno())
        try:
            status = child.wait(_INITDB_SECONDS)
        except BaseException as error:
            child.kill()
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EmbeddedServerError(
                    f"setting up PostgreSQL was given up after {_INITDB_SECONDS:.0f} s: try again"
                ) from error
            raise
        output.seek(0)
        said = output.read().decode(errors="replace")
    # In single-user mode a refused statement does not show in the exit status.
    if status != 0 or _REFUSAL.search(said):
        raise EmbeddedServerError(
            f"PostgreSQL could not be set up: {last_complaint(said)} (exit status {status}); "
            "mend that, or set DATABASE_URL to a server of yours"
        )


def last_complaint(said: str) -> str:
    """The last line in which a PostgreSQL program says what is wrong, else the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    refusals = [line for line in lines if _REFUSAL.search(line) or ": error: " in line]
    return (refusals or lines)[-1]
