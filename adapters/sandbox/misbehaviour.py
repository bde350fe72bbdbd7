"""The faults that the sandbox has been told, and whose turn it is to go wrong."""

import asyncio
import random
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from adapters.sandbox.errors import JsonObject
from adapters.sandbox.faults import (
    CallFault,
    Disconnect,
    EventFault,
    Fail,
    Fault,
    Hang,
    RateLimit,
    Reorder,
    SearchLag,
)
from adapters.sandbox.search_index import SearchIndex
from adapters.sandbox.state import named


class Told:
    """One fault from when it was told until it is ended. As a context manager, it ends with the block."""

    def __init__(self, id: str, fault: Fault) -> None:
        self.id = id
        self.fault = fault
        self.ended = False
        self.happened = 0
        self._matched = 0
        self._met = asyncio.Event()
        self._over = asyncio.Event()
        self._then: list[Callable[[], None]] = []
        self._random = random.Random(getattr(fault, "seed", 0))  # noqa: S311 (to be repeated, not to be secret)

    async def met(self) -> None:
        """Wait until it has happened to something, or is ended."""
        await self._met.wait()

    async def over(self) -> None:
        """Wait until it is ended."""
        await self._over.wait()

    def end(self) -> None:
        """It happens no more, and what it holds is let go."""
        if not self.ended:
            self.ended = True
            self._over.set()
            self._met.set()
            for act in self._then:
                act()

    def when_ended(self, act: Callable[[], None]) -> None:
        """Do this when it is ended."""
        self._then.append(act)

    def strikes(self) -> bool:
        """Whether it happens to what has just come and matches."""
        fault = self.fault
        if self.ended or isinstance(fault, SearchLag) or self.happened == self._most():
            return False
        self._matched += 1
        struck = self._matched > fault.skip and self._random.random() < fault.chance
        if struck:
            self.happened += 1
            self._met.set()
        return struck

    def shown(self) -> JsonObject:
        """As the control interface tells it."""
        asked: JsonObject = msgspec.to_builtins(self.fault)
        return {"id": self.id, "object": "sandbox.fault", **asked, "happened": self.happened}

    def _most(self) -> int | None:
        """How often it happens at most; a reordering happens to each event of each of its batches."""
        assert not isinstance(self.fault, SearchLag)
        times = self.fault.times
        each = self.fault.events if isinstance(self.fault, Reorder) else 1
        return None if times == "always" else times * each

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


class Misbehaviour:
    """All faults, in the order in which they were told; the first that fits is used."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._told: dict[str, Told] = {}
        self._count = 0

    def tell(self, fault: Fault) -> Told:
        """From now on. A search lags in one way at a time: the newest one."""
        self._count += 1
        told = Told(f"fault_{self._count}", fault)
        if isinstance(fault, SearchLag):
            for earlier in self.all():
                if isinstance(earlier.fault, SearchLag):
                    earlier.end()
            self._index.fall_behind(fault.writes, fault.seconds)
            told.when_ended(self._index.catch_up)
        self._told[told.id] = told
        return told

    def all(self) -> list[Told]:
        """Those that have not been ended, also if they have happened as often as they were to."""
        self._told = {name: told for name, told in self._told.items() if not told.ended}
        return list(self._told.values())

    def find(self, id: str) -> Told | None:
        """By the id that telling it gave."""
        return next((told for told in self.all() if told.id == id), None)

    def reset(self) -> None:
        """Behave."""
        for told in self.all():
            told.end()

    def for_limit(self, method: str, path: str) -> bool:
        """Whether this call is one too many."""
        return self._for_call(method, path, lambda fault: isinstance(fault, RateLimit)) is not None

    def for_execution(self, method: str, path: str) -> Told | None:
        """What happens to a call that is to be acted on."""
        return self._for_call(method, path, lambda fault: not isinstance(fault, RateLimit))

    def for_reply(self, method: str, path: str) -> Told | None:
        """What happens to the reply of a call that is not acted on: a replay or a refusal can be lost."""
        return self._for_call(
            method,
            path,
            lambda fault: isinstance(fault, Disconnect | Hang) and fault.moment == "after",
        )

    def for_event(self, type: str) -> Told | None:
        """What happens to an event on its way."""
        return next(
            (
                told
                for told in self.all()
                if isinstance(told.fault, EventFault) and named(type, told.fault.type) and told.strikes()
            ),
            None,
        )

    def _for_call(self, method: str, path: str, fits: Callable[[CallFault], bool]) -> Told | None:
        return next(
            (
                told
                for told in self.all()
                if isinstance(told.fault, Fail | Disconnect | Hang | RateLimit)
                and path.startswith(told.fault.path)
                and told.fault.method in (None, method)
                and fits(told.fault)
                and told.strikes()
            ),
            None,
        )
