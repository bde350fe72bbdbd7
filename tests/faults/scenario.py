"""What a scenario is (see scenarios.py and subscribing.py for those there are)."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.outside import Run

Act = Callable[[Run], Awaitable[object]]


class Scenario(NamedTuple):
    """`before` goes well; the faults happen during `act`."""

    name: str
    before: Act
    act: Act
