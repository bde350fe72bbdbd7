"""Faults at ports: every call is numbered, and at the planned ones something goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar, assert_never, cast, get_args

from domain.errors import DomainError, Unavailable

PortT = TypeVar("PortT")
Kind = Literal["killed before", "killed after", "refused", "reply lost", "timed out"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The process dies before or after the call has acted; or it lives on, and the call has not acted, or has
acted though its caller hears otherwise.
"""


class Fault(NamedTuple):
    """What goes wrong, and at which call; calls are numbered from 1, on through every restart."""

    at: int
    kind: Kind


class Killed(asyncio.CancelledError):
    """The process is gone: nothing of it may run on, and no `except Exception` may see this."""


class Faults:
    """The calls of one run, and what is planned to happen to them."""

    def __init__(self, *planned: Fault) -> None:
        self.calls: list[str] = []
        self._planned = dict(planned)
        self._dead = False

    @property
    def all_met(self) -> bool:
        """Whether the run was long enough for every fault that was planned."""
        return not self._planned

    def restarted(self) -> None:
        """A new process: calls are made again."""
        self._dead = False

    async def call(self, name: str, act: Callable[[], Awaitable[Any]]) -> Any:
        """Let the call through, or not. The dead call nobody."""
        if self._dead:
            raise Killed
        self.calls.append(name)
        match self._planned.pop(len(self.calls), None):
            case None:
                pass
            case "refused":
                raise _unavailable()
            case "killed before":
                self._die()
            case "killed after":
                with suppress(DomainError):  # whatever the answer was, nobody is left to hear it
                    await act()
                self._die()
            case "reply lost":
                await act()
                raise _unavailable()
            case "timed out":
                await act()
                raise TimeoutError
            case kind:
                assert_never(kind)
        return await act()

    def _die(self) -> NoReturn:
        self._dead = True
        raise Killed


class _Faulty:
    def __init__(self, port: object, faults: Faults) -> None:
        self._port = port
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not iscoroutinefunction(method):
            return method

        async def called(*args: Any, **kwargs: Any) -> Any:
            return await self._faults.call(name, lambda: method(*args, **kwargs))

        return called


def faulty(port: PortT, faults: Faults) -> PortT:
    """The same port, whose calls may go wrong."""
    return cast(PortT, _Faulty(port, faults))


def _unavailable() -> Unavailable:
    return Unavailable("unavailable", "There was no answer.")
