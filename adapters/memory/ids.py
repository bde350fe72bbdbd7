"""Ids that can be foreseen."""

from collections.abc import Callable
from itertools import count

from domain.ids import PREFIXES, AnyId


class SequentialIds:
    """Counts up, through all kinds together, so that any two ids' suffixes tell which came first.

    Of the form of a TypeID: digits are letters of its alphabet, and 26 of them below `8…` fit 128 bits.
    """

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, kind: Callable[[str], AnyId]) -> AnyId:
        """The next one: `cus_00000000000000000000000001`."""
        return kind(f"{PREFIXES[kind]}_{next(self._numbers):026d}")
