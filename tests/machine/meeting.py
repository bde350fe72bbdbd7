"""Commits that wait for each other, so that they go to the database at the same moment."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar

from adapters.postgres.store import PostgresStore
from application.ports import NewCorrection, NewUsage, Tracked
from application.unit_of_work import TakenWork, UnitOfWork
from domain.auth import Authenticated


class Meeting:
    """Operations at once: whoever comes to its commit waits until each of the others has, or has ended."""

    def __init__(self, operations: int) -> None:
        self._expected = operations
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        """Go on together with the others."""
        others: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(others)
        self._go_on_if_complete()
        await others

    def leave(self) -> None:
        """This operation has ended: nobody waits for it any more."""
        self._expected -= 1
        self._go_on_if_complete()

    def _go_on_if_complete(self) -> None:
        if len(self._waiting) >= self._expected:
            for waiting in self._waiting:
                waiting.set_result(None)
            self._waiting.clear()


MEETING: ContextVar[Meeting | None] = ContextVar("meeting", default=None)
"""Where the operation that is running meets others, if it does."""

CALLS: Counter[int] = Counter()
"""How often how many commits went in one call."""


class MeetingStore(PostgresStore):
    """What comes to its commit in the same moment in one store goes in one call (docs/adr/0009)."""

    async def commit(self, work: UnitOfWork) -> None:
        if meeting := MEETING.get():
            await meeting.wait()
        await super().commit(work)

    async def track(self, auth: Authenticated, usage: NewUsage) -> Tracked:
        if meeting := MEETING.get():
            await meeting.wait()
        return await super().track(auth, usage)

    async def correct(self, auth: Authenticated, correction: NewCorrection) -> Tracked:
        if meeting := MEETING.get():
            await meeting.wait()
        return await super().correct(auth, correction)

    async def _commit(self, works: Sequence[TakenWork]) -> Sequence[None]:
        CALLS[len(works)] += 1
        return await super()._commit(works)
