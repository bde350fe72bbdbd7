"""What a person reads at the terminal when something does not work: one line, and no traceback."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import DomainError
from entrypoints.demo.clients import DemoFailedError
from entrypoints.embedded import DatabaseSetupError
from entrypoints.settings import InvalidSettings

DEBUG = "COUNTERFOIL_DEBUG"

_NO_SUCH_PLACE = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, socket.EAI_NONAME, socket.EAI_AGAIN)


@contextmanager
def refusals_told(status: int = 1) -> Iterator[None]:
    """End the process with this status and one line on standard error, `counterfoil: CODE: …`.

    A fault of ours is told by its kind alone, for its words may be somebody's data; with COUNTERFOIL_DEBUG
    set, the traceback is shown.
    """
    try:
        with _alone():
            yield
    except (DomainError, DatabaseSetupError, DemoFailedError) as refusal:
        _end(status, refusal.code, str(refusal))
    except InvalidSettings as refusal:
        _end(status, "invalid_settings", str(refusal).replace("\n", "; "))
    except OSError as failure:
        if os.environ.get(DEBUG):
            raise
        _end(status, *_of_system(failure))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as fault:
        if os.environ.get(DEBUG):
            raise
        words = f"unexpected {type(fault).__name__}; set {DEBUG}=1 to see where it comes from"
        _end(status, "internal_error", words)


def _of_system(failure: OSError) -> tuple[str, str]:
    if failure.errno in _NO_SUCH_PLACE and failure.filename is None:
        return (
            "address_unavailable",
            f"cannot listen there ({failure.strerror}): choose another --port or --host",
        )
    if failure.filename is not None:
        return "file_unusable", f"cannot use {failure.filename} ({failure.strerror})"
    return "system_error", failure.strerror or type(failure).__name__


@contextmanager
def _alone() -> Iterator[None]:
    """One failure is a failure, however many task groups it came through."""
    try:
        yield
    except BaseExceptionGroup as group:
        failure: BaseException = group
        while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
            failure = failure.exceptions[0]
        raise failure from None


def _end(status: int, code: str, words: str) -> None:
    line = " ".join(words.split())
    sys.stderr.write(f"counterfoil: {code}: {line}\n")
    sys.exit(status)
