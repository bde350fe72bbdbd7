"""How a command runs: with the settings of the environment, on a fast event loop, until told to stop."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from dependency_injector import providers

from entrypoints.container import Container
from entrypoints.logs import configure_logs
from entrypoints.settings import Settings

R = TypeVar("R")

_ASKED = (signal.SIGINT, signal.SIGTERM)


def settings_read(**given: Any) -> Settings:  # noqa: ANN401
    """What the environment says, with logs as it wants them."""
    settings = Settings.read(**given)
    configure_logs(settings.log_level, settings.log_format)
    return settings


def container_on(settings: Settings, database_url: str) -> Container:
    """The adapters and use cases of this process, not yet open, on this database."""
    return Container(settings=providers.Object(settings), database_url=providers.Object(database_url))


def run(work: Coroutine[Any, Any, R]) -> R:
    """Run it on an event loop of its own."""
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop  # noqa: PLC0415 (not there on Windows)

    return uvloop.run(work)


def stop_signal() -> asyncio.Event:
    """Set when the process is asked to end (Ctrl-C, SIGTERM): what is under way is then finished.

    Asked a second time, it ends at once.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        for asked in _ASKED:
            loop.remove_signal_handler(asked)

    for asked in _ASKED:
        loop.add_signal_handler(asked, end)
    return stop


def end_in_order_on_sigterm() -> None:
    """Until `stop_signal` takes over: leave as on Ctrl-C, so that a server of ours is stopped."""

    def leave(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, leave)
