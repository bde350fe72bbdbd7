"""What `Combined` promises to those who ask: company costs nothing, and each has its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from adapters.postgres.combining import Combined, Limits
from domain.errors import Conflict, Unavailable

PATIENCE = 60.0


class Server:
    """Answers with the square of each number, when it is let go; some numbers are refused."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, ...]] = []
        self.bad: set[int] = set()
        self.gone = False
        self._open = asyncio.Event()

    def let_go(self) -> None:
        self._open.set()

    async def send(self, numbers: Sequence[int]) -> Sequence[int]:
        self.calls.append(tuple(numbers))
        await self._open.wait()
        if self.gone:
            raise Unavailable("database_unavailable", "Gone.")
        if not self.bad.isdisjoint(numbers):
            raise Conflict("conflict", f"refused: {self.bad & set(numbers)}")
        return [number * number for number in numbers]


async def asked(combined: Combined[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Ask for each, and let all of them get as far as they can."""
    tasks = [asyncio.create_task(combined(number)) for number in numbers]
    await settled()
    return tasks


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_alone_is_sent_at_once() -> None:
    server = Server()
    server.let_go()
    assert await Combined(server.send, PATIENCE)(3) == 9
    assert server.calls == [(3,)]


async def test_those_who_wait_meanwhile_go_together_and_each_has_its_own_answer() -> None:
    server = Server()
    combined = Combined(server.send, PATIENCE, Limits(at_once=1))
    first = await asked(combined, 1)
    others = await asked(combined, 2, 3, 4)
    server.let_go()
    assert await asyncio.gather(*first, *others) == [1, 4, 9, 16]
    assert server.calls == [(1,), (2, 3, 4)]


async def test_no_more_go_together_than_may() -> None:
    server = Server()
    combined = Combined(server.send, PATIENCE, Limits(at_once=1, together=2))
    tasks = await asked(combined, 0) + await asked(combined, 1, 2, 3, 4, 5)
    server.let_go()
    await asyncio.gather(*tasks)
    assert server.calls == [(0,), (1, 2), (3, 4), (5,)]


async def test_no_more_calls_are_under_way_than_may() -> None:
    server = Server()
    combined = Combined(server.send, PATIENCE, Limits(at_once=2))
    tasks = await asked(combined, 1) + await asked(combined, 2) + await asked(combined, 3)
    assert server.calls == [(1,), (2,)]
    server.let_go()
    assert await asyncio.gather(*tasks) == [1, 4, 9]


async def test_what_is_at_fault_fails_alone() -> None:
    server = Server()
    server.bad = {5, 11}
    combined = Combined(server.send, PATIENCE, Limits(at_once=1))
    tasks = await asked(combined, 0) + await asked(combined, *range(1, 17))
    server.let_go()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for number, answer in enumerate(answers):
        if number in server.bad:
            assert isinstance(answer, Conflict)
            assert answer.detail == f"refused: {{{number}}}"
        else:
            assert answer == number * number


async def test_a_database_that_does_not_answer_is_told_to_all_and_not_asked_again() -> None:
    server = Server()
    server.gone = True
    combined = Combined(server.send, PATIENCE, Limits(at_once=1))
    tasks = await asked(combined, 1) + await asked(combined, 2, 3, 4)
    server.let_go()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 4
    assert len({id(answer) for answer in answers}) == 4, "each has an exception of its own"
    assert server.calls == [(1,), (2, 3, 4)]
    server.gone = False
    assert await combined(5) == 25


async def test_who_waits_too_long_for_its_turn_is_told_that_it_is_busy() -> None:
    server = Server()
    combined = Combined(server.send, 0.01, Limits(at_once=1))
    (first,) = await asked(combined, 1)
    second, third = await asked(combined, 2, 3)
    for refused in (second, third):
        with pytest.raises(Unavailable) as caught:
            await refused
        assert caught.value.code == "database_busy"
    server.let_go()
    assert (await first, await combined(4)) == (1, 16)
    assert server.calls == [(1,), (4,)]


async def test_an_asker_who_goes_away_takes_nothing_from_the_others() -> None:
    server = Server()
    combined = Combined(server.send, PATIENCE, Limits(at_once=1))
    (first,) = await asked(combined, 1)
    second, third, fourth = await asked(combined, 2, 3, 4)
    first.cancel()  # its call is under way
    third.cancel()  # waits
    await settled()
    server.let_go()
    assert (await second, await fourth) == (4, 16)
    assert server.calls == [(1,), (2, 4)]


@pytest.mark.parametrize("together", [1, 3, 64])
async def test_everybody_is_answered_however_the_asking_falls(together: int) -> None:
    """Each asks as soon as it has its last answer: just when a sender finds that nobody waits, too."""
    server = Server()
    server.let_go()
    combined = Combined(server.send, PATIENCE, Limits(at_once=2, together=together))

    async def asker(number: int) -> int:
        return sum([await combined(number) for _ in range(20)])

    async with asyncio.timeout(10):
        sums = await asyncio.gather(*map(asker, range(12)))
    assert sums == [20 * number * number for number in range(12)]
