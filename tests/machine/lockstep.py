"""Two services, one in memory and one on PostgreSQL, to which the same is done."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Literal

from msgspec.structs import replace

from adapters.memory.calls import Moment
from application.causes import Task
from domain.effects import FinalizeInvoices
from domain.errors import DomainError
from domain.events import RecordedEvent
from tests.application.promises import check_books
from tests.application.usage_promises import check_ledger
from tests.machine.books import Everything, ForkableStore, PostgresBooks
from tests.machine.known import Known
from tests.machine.meeting import MEETING, Meeting, MeetingStore
from tests.machine.operations import Number, Operation
from tests.machine.outcome import Outcome, Refused, difference, normal_form, refused
from tests.machine.payments import Perform
from tests.machine.service import LANE, CopiedGateway, Service
from tests.machine.standing import check_numbers, check_standing

A_DAY = timedelta(hours=24)
Process = tuple[MeetingStore, MeetingStore]
"""The stores of one process: the API's and the worker's."""
Way = Literal["as it comes", "in one process", "in two processes"]
"""How PostgreSQL gets two operations at once. `as it comes`: each as soon as it can, in one process. Else
each commit waits for the other's: those of one process go in one call (if both are the API's, or both are the
worker's), those of two processes meet in the database."""
SEEN: Counter[str] = Counter()
"""How often each operation was answered how, for somebody who wants to know what a run has tried."""


class Lockstep:
    """After every step both hold the same, to the last id, and what they hold keeps the promises."""

    def __init__(self, one: Process, other: Process, inspected: PostgresBooks) -> None:
        self._inspected = inspected
        self._memory = ForkableStore()
        self.in_memory = Service(self._memory)
        self.on_postgres = Service(*one)
        self._beside = self.on_postgres.another(*other)
        self._step = 0
        self._leased: list[Task] = []
        self._known = Known(self._memory.everything(), ())

    async def begin(self) -> None:
        """With nothing in either of them."""
        SEEN["examples"] += 1
        await self._inspected.clear()

    async def alone(self, operation: Operation) -> object:
        """Do this, and see both answer and go on alike. The answer is returned."""
        self._next_step()
        known = self._known
        answers = [await _answer(operation, service, known) for service in self._both()]
        assert answers[0] == answers[1], f"{operation}: {answers[0]} in memory, {answers[1]} on PostgreSQL"
        assert self.in_memory.provider.calls == self.on_postgres.provider.calls
        self._count(operation, answers[0], "alone")
        await self._check(answers[0])
        return answers[0]

    async def at_once(self, first: Operation, second: Operation, way: Way) -> None:
        """Do both at once on each, and see each come out as if one had been done after the other.

        Both orders are tried on copies of the one in memory. Which of them it is, each store decides for
        itself; then the one in memory goes on from what the one on PostgreSQL holds.
        """
        await self.alone(Number())
        self._next_step()
        for service in self._both():
            service.provider.forgive()
        known, pair = self._known, (first, second)
        in_turn = [await self._in_turn(pair, order, known) for order in ((0, 1), (1, 0))]
        for name, service in (("memory", self.in_memory), (f"PostgreSQL, {way}", self.on_postgres)):
            beside = self._beside if service is self.on_postgres and way == "in two processes" else service
            meeting = Meeting(len(pair)) if way != "as it comes" and not _in_turns(pair, way, known) else None
            answers = await asyncio.gather(
                _answer(first, service, known, 1, meeting), _answer(second, beside, known, 2, meeting)
            )
            outcome = await self._outcome(service, (answers[0], answers[1]))
            came_of = normal_form(outcome, self._step)
            assert came_of in in_turn, difference(name, pair, came_of, in_turn)
        for operation, answer in zip(pair, outcome.answers, strict=True):
            self._count(operation, answer, f"at once, {way}")
        SEEN["pairs that come out otherwise in the other order"] += in_turn[0] != in_turn[1]
        self._memory.load(outcome.found)
        self._go_on_with(self.on_postgres.provider.copy())
        await self._check(*outcome.answers)

    def advance(self, by: timedelta) -> None:
        """Time passes; after a day, the provider has forgotten its keys."""
        for service in self._both():
            service.clock.advance(by)
            if by >= A_DAY:
                service.provider.forget_keys()

    def mistake_next(self) -> None:
        """The provider takes the next customer for another one."""
        for service in self._both():
            service.provider.mistake_next()

    def fail_next(self, moment: Moment) -> None:
        """The provider's next call fails, before or after it has acted."""
        for service in self._both():
            service.provider.fail_next(moment)

    def _both(self) -> tuple[Service, Service]:
        return self.in_memory, self.on_postgres

    def _next_step(self) -> None:
        self._step += 1
        for service in self._both():
            service.lanes.begin(self._step)

    def _go_on_with(self, provider: CopiedGateway) -> None:
        clock = self.in_memory.clock
        self.in_memory = Service(self._memory, provider=provider)
        self.in_memory.clock.set(clock.now())

    async def _in_turn(
        self, pair: tuple[Operation, Operation], order: tuple[int, int], known: Known
    ) -> dict[str, list[str]]:
        copy = Service(self._memory.fork(), provider=self.in_memory.provider.copy())
        copy.clock.set(self.in_memory.clock.now())
        copy.lanes.begin(self._step)
        answers: list[object] = [None, None]
        for n in order:
            answers[n] = await _answer(pair[n], copy, known, lane=n + 1)
        return normal_form(await self._outcome(copy, (answers[0], answers[1])), self._step)

    async def _outcome(self, service: Service, answers: tuple[object, object]) -> Outcome:
        unnumbered = Known(await self._everything(service), ())
        await Number()(service, unnumbered)
        found = await self._everything(service)
        return Outcome(answers, found, service.provider.owners(), service.provider.intents())

    async def _everything(self, service: Service) -> Everything:
        store = service.store
        return store.everything() if isinstance(store, ForkableStore) else await self._inspected.everything()

    async def _check(self, *answers: object) -> None:
        """Both hold the same and keep the promises (design, section 7); what was leased is known."""
        for answer in answers:
            if isinstance(answer, list):
                self._leased += [task for task in answer if isinstance(task, Task)]
        found = [await self._everything(service) for service in self._both()]
        for what in Everything.__struct_fields__:
            in_memory, on_postgres = (getattr(each, what) for each in found)
            if what == "events" and any(event.sequence is None for event in in_memory):
                in_memory, on_postgres = map(_as_recorded, (in_memory, on_postgres))
            assert in_memory == on_postgres, f"{what} differ: {_unlike(in_memory, on_postgres)}"
        for each in found:
            check_books(each)
            check_standing(each)
            check_numbers(each)
            check_ledger(each)
        self._known = Known(found[0], self._leased)

    def _count(self, operation: Operation, answer: object, how: str) -> None:
        code = answer.code if isinstance(answer, Refused) else "done"
        SEEN[f"{type(operation).__name__} {how}: {code}"] += 1


async def _answer(
    operation: Operation, service: Service, known: Known, lane: int = 0, meeting: Meeting | None = None
) -> object:
    LANE.set(lane)
    MEETING.set(meeting)
    try:
        return await operation(service, known)
    except DomainError as error:
        return refused(error)
    finally:
        if meeting:
            meeting.leave()


def _in_turns(pair: tuple[Operation, Operation], way: Way, known: Known) -> bool:
    """Whether one waits for the other before it comes to its commit: who numbers invoices in one process."""
    tasks = [known.leased(each.task) for each in pair if isinstance(each, Perform)]
    numbering = [task for task in tasks if task is not None and isinstance(task.effect, FinalizeInvoices)]
    return way == "in one process" and len(numbering) == len(pair)


def _as_recorded(events: tuple[RecordedEvent, ...]) -> list[RecordedEvent]:
    """Without their numbers: of several tenants' events, a batch may number any first."""
    return sorted((replace(event, sequence=None) for event in events), key=lambda event: event.id)


def _unlike(one: object, other: object) -> str:
    assert isinstance(one, tuple | list)
    assert isinstance(other, tuple | list)
    only = [[row for row in rows if row not in others] for rows, others in ((one, other), (other, one))]
    return f"{len(one)} and {len(other)}; only in memory {only[0]}, only on PostgreSQL {only[1]}"
