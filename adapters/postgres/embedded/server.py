"""The embedded server of one home, seen from any number of processes."""

import os
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from adapters.postgres.embedded.cluster import create_cluster, last_complaint
from adapters.postgres.embedded.launch import find_binaries, launch_prefix, spawn
from adapters.postgres.embedded.ownership import Ownership
from adapters.postgres.embedded.postmaster import PORT, Postmaster, PostmasterFile, socket_folder, wait_until
from adapters.postgres.errors import EmbeddedServerError

ADMIN = "counterfoil_admin"
"""The superuser made with the cluster: for migrations, never for serving."""
DATABASE = "counterfoil"

_RETRY_SECONDS = 10.0
_READY_SECONDS = 300.0  # recovery after a crash reads back what was written since the last checkpoint
_POLL_SECONDS = 0.05
_LOG_BYTES = 5_000_000
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Refused commits are everyday errors here, and their text could hold customers' data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
}
_UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedServer:
    """PostgreSQL below `home`, reached through a socket that only its user can open, never by TCP.

    One process owns it: it started the server and stops it. Other processes attach; when the owner stops,
    their connections end. `lasting` says that this process stays up (`serve`, `worker`, `demo`), so others
    may attach to its server; a command that soon ends (`lasting=False`) shares its server with nobody, and
    the others wait until it is done, at most `patience_seconds`.

    Everything here blocks and belongs on the main thread, best before the event loop runs: the kernel ties
    the server's life to the thread that started it. Only `stop` may be called from any thread.
    """

    def __init__(
        self,
        home: Path,
        bin_dir: Path | None = None,
        *,
        lasting: bool = True,
        fast_and_unsafe: bool = False,
        patience_seconds: float = 60.0,
    ) -> None:
        self.home = home.expanduser().absolute()
        self.data = self.home / "postgres"
        self.log = self.home / "postgres.log"
        self._bin_dir = bin_dir.expanduser().absolute() if bin_dir else None
        self._lasting = lasting
        self._unsafe = fast_and_unsafe
        self._patience = patience_seconds
        self._ownership = Ownership(self.home / "postgres.owner")
        self._postmaster: Postmaster | None = None

    def attach_or_start(self) -> bool:
        """Find the running server of this home, else start it; True when this process now owns it.

        Called again by the owner, it starts a server that has died in the meantime.
        """
        find_binaries(self._bin_dir)  # where there is nothing to run, nothing is touched
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            deadline = time.monotonic() + self._patience
            while not self._ownership.claim(lasting=self._lasting):
                if self._may_attach():
                    return False
                self._wait_or_give_up(deadline)
        except OSError as error:
            raise EmbeddedServerError(
                f"cannot use {self.home} ({error.strerror}): set COUNTERFOIL_HOME to a folder of yours"
            ) from error
        try:
            self._own()
        except BaseException:
            self.stop()
            raise
        return True

    def stop(self) -> None:
        """Stop the server if this process owns it; else do nothing. Harmless when called twice."""
        if not self._ownership.held:
            return
        if self._postmaster is not None:
            where = PostmasterFile.read(self.data)
            self._postmaster.stop()
            if where is not None and self.home not in where.socket_folder.parents:
                shutil.rmtree(where.socket_folder, ignore_errors=True)
            self._postmaster = None
        self._ownership.release()

    def dsn(self, user: str, database: str = DATABASE) -> str:
        """Where asyncpg connects as `user`. No password: who can reach the socket is already the owner."""
        running = PostmasterFile.read(self.data)
        if running is None:
            raise EmbeddedServerError(f"the embedded server of {self.home} is not running: start it first")
        folder = quote(str(running.socket_folder), safe="/")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={folder}&port={PORT}"

    def __enter__(self) -> Self:
        self.attach_or_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _may_attach(self) -> bool:
        owner = self._ownership.owner()
        running = PostmasterFile.read(self.data)
        return owner is not None and owner.lasting and running is not None and running.answers()

    def _wait_or_give_up(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            owner = self._ownership.owner()
            who = f"process {owner.pid}" if owner else "another process"
            raise EmbeddedServerError(
                f"{who} is using the embedded server of {self.home}: try again when it has ended, "
                "or keep `counterfoil serve` running, whose server all commands can share"
            )
        time.sleep(_POLL_SECONDS)

    def _own(self) -> None:
        running = PostmasterFile.read(self.data)
        if running is not None and running.answers():
            if self._postmaster is not None and self._postmaster.pid == running.pid:
                return
            # Its owner was killed, and this system does not end the children of the dead: now it is ours.
            self._postmaster = Postmaster(running.pid)
            return
        if self._postmaster is not None:
            self._postmaster.stop()  # dead or dying, or no longer answering: nobody is served by it
        binaries = find_binaries(self._bin_dir)
        prefix = launch_prefix(self.home, binaries)
        if not self.data.exists():
            sync = not self._unsafe
            create_cluster(self.data, binaries, prefix, admin=ADMIN, database=DATABASE, sync=sync)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._postmaster = self._start(binaries, prefix)

    def _start(self, binaries: Path, prefix: tuple[str, ...]) -> Postmaster:
        settings = {**_SETTINGS, **(_UNSAFE if self._unsafe else {})}
        settings["unix_socket_directories"] = str(socket_folder(self.home))
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [*prefix, binaries / "postgres", "-D", self.data, *options]
        deadline = time.monotonic() + _RETRY_SECONDS
        while True:
            started, said = self._try_to_start(command)
            if started is not None:
                return started
            # A server that was killed, or is just going down, still holds memory or its lock file.
            passing = "pre-existing shared memory block" in said or 'lock file "' in said
            if not passing or time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"PostgreSQL did not start: {last_complaint(said)} (more in {self.log})"
                )
            time.sleep(_POLL_SECONDS)

    def _try_to_start(self, command: list[str | Path]) -> tuple[Postmaster | None, str]:
        with self.log.open("ab") as log:
            os.chmod(self.log, 0o600)  # noqa: PTH101 (the folder above may be wider than ours)
            before = log.seek(0, os.SEEK_END)
            child = spawn(command, log=log.fileno())
        postmaster = Postmaster(child.pid, child)

        def ready() -> bool:
            file = PostmasterFile.read(self.data)
            return file is not None and file.pid == child.pid and file.answers()

        try:
            wait_until(lambda: ready() or not postmaster.alive(), _READY_SECONDS)
        except BaseException:
            postmaster.stop()
            raise
        if postmaster.alive() and ready():
            return postmaster, ""
        postmaster.stop()
        return None, self.log.read_bytes()[before:].decode(errors="replace")
