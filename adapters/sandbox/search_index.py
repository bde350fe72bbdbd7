"""What searches see, which is not always what was written last (docs.stripe.com/search#data-freshness)."""

import copy
from collections import deque
from typing import Literal

import msgspec

from adapters.sandbox.errors import JsonObject

Searchable = Literal["customers", "payment_intents"]
Objects = dict[str, JsonObject]


class _Write(msgspec.Struct, frozen=True):
    """What a write has left of the objects it changed."""

    at: float
    changed: dict[Searchable, Objects]


class SearchIndex:
    """The objects themselves, until it is told to fall behind; from then on, copies of how they were."""

    def __init__(self, objects: dict[Searchable, Objects]) -> None:
        self._objects = objects
        self._behind = False
        self._writes: int | None = None
        self._seconds: float | None = None
        self._seen: dict[Searchable, Objects] = {}
        self._newest: dict[Searchable, Objects] = {}
        self._unseen: deque[_Write] = deque()

    def fall_behind(self, writes: int | None, seconds: float | None) -> None:
        """By so many writes, by so many seconds, or by everything that is written from now on."""
        self._behind, self._writes, self._seconds = True, writes, seconds
        self._seen = copy.deepcopy(self._objects)
        self._newest = copy.deepcopy(self._objects)
        self._unseen.clear()

    def catch_up(self) -> None:
        """See everything again."""
        self._behind = False
        self._seen, self._newest = {}, {}
        self._unseen.clear()

    def wrote(self, now: float) -> None:
        """To be called after everything that may have written."""
        if not self._behind:
            return
        changed: dict[Searchable, Objects] = {
            kind: {
                name: copy.deepcopy(stored)
                for name, stored in objects.items()
                if stored != self._newest[kind].get(name)
            }
            for kind, objects in self._objects.items()
        }
        if any(changed.values()):
            self._unseen.append(_Write(now, changed))
            for kind, objects in changed.items():
                self._newest[kind].update(objects)

    def visible(self, kind: Searchable, now: float) -> Objects:
        """What a search sees now, in the order of creation."""
        if not self._behind:
            return self._objects[kind]
        while self._unseen and self._due(self._unseen[0], now):
            for written, objects in self._unseen.popleft().changed.items():
                self._seen[written].update(objects)
        return self._seen[kind]

    def _due(self, oldest: _Write, now: float) -> bool:
        if self._seconds is not None:
            return now - oldest.at >= self._seconds
        return self._writes is not None and len(self._unseen) > self._writes
