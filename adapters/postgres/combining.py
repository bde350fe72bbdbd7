"""Calls that wait at the same time go together: one statement, one round trip, one wait for the disk."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from adapters.postgres.database import busy, gone
from domain.errors import Unavailable

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

AT_ONCE = 2
"""Calls under way at one time. One more lets the database begin while the answers of the first are read."""

TOGETHER = 64
"""How many go together at the most."""


class Limits(Struct, frozen=True):
    """How many calls are under way at one time, and how many ask in each at the most."""

    at_once: int = AT_ONCE
    together: int = TOGETHER


USUAL = Limits()


class _Waiting(Struct, Generic[Asked, Answer], frozen=True):
    asked: Asked
    answer: "asyncio.Future[Answer]"
    until: float
    """When the asker has waited long enough for its turn, by the loop's clock."""

    def give(self, answer: Answer) -> None:
        if not self.answer.done():  # whoever asked may have gone
            self.answer.set_result(answer)

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Combined(Generic[Asked, Answer]):
    """Sends what is asked at once, if few calls are under way, else with whatever else waits by then.

    Nobody waits for company. Each asker has its own answer: where a call fails as a whole, its halves are
    tried, until what is at fault fails alone. A database that does not answer is told to all at once, and who
    waits for its turn for more than `patience` seconds is told that it is busy. An asker who goes away takes
    nothing from the others.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
        patience: float,
        limits: Limits = USUAL,
    ) -> None:
        self._send = send
        self._limits = limits
        self._patience = patience
        self._watch: asyncio.TimerHandle | None = None
        self._waiting: deque[_Waiting[Asked, Answer]] = deque()
        self._under_way = 0
        self._senders: set[asyncio.Task[None]] = set()

    async def __call__(self, asked: Asked) -> Answer:
        """The answer to what is asked, or the exception that it alone has caused."""
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Asked, Answer] = _Waiting(asked, loop.create_future(), loop.time() + self._patience)
        self._waiting.append(waiting)
        if self._watch is None:  # one timer for all: they come in the order in which they lose patience
            self._watch = loop.call_later(self._patience, self._refuse_the_impatient)
        if self._under_way < self._limits.at_once:
            self._under_way += 1
            # A task of its own: whoever has asked first may go away before the others have their answers.
            sender = loop.create_task(self._send_while_any_wait())
            self._senders.add(sender)
            sender.add_done_callback(self._senders.discard)
        return await waiting.answer

    async def _send_while_any_wait(self) -> None:
        try:
            while batch := self._next_batch():
                await self._answer(batch)
        finally:
            self._under_way -= 1  # in the same breath as finding that nobody waits

    def _next_batch(self) -> list[_Waiting[Asked, Answer]]:
        batch: list[_Waiting[Asked, Answer]] = []
        while self._waiting and len(batch) < self._limits.together:
            waiting = self._waiting.popleft()
            if not waiting.answer.done():  # else whoever asked has gone
                batch.append(waiting)
        return batch

    def _refuse_the_impatient(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0].until <= loop.time():
            self._waiting.popleft().refuse(busy())
        self._watch = (
            loop.call_at(self._waiting[0].until, self._refuse_the_impatient) if self._waiting else None
        )

    async def _answer(self, batch: list[_Waiting[Asked, Answer]]) -> None:
        try:
            answers = await self._send([waiting.asked for waiting in batch])
            answered = list(zip(batch, answers, strict=True))
        except (Unavailable, asyncio.CancelledError) as error:
            for waiting in batch:
                waiting.refuse(_no_answer(error))
            if isinstance(error, asyncio.CancelledError):
                raise
        except Exception as error:
            if len(batch) == 1:
                batch[0].refuse(error)
                return
            half = len(batch) // 2
            await self._answer(batch[:half])
            await self._answer(batch[half:])
        else:
            for waiting, answer in answered:
                waiting.give(answer)


def _no_answer(cause: BaseException) -> Unavailable:
    """One for each asker: an exception that is raised in several places collects the tracebacks of all."""
    told = cause if isinstance(cause, Unavailable) else gone()
    error = Unavailable(told.code, told.detail)
    error.__cause__ = cause
    return error
