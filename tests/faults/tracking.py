"""Applications that say what their customers have used, each record under a key of its own, and insist."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from msgspec import Struct

from tests.faults.load import Address

Json = dict[str, Any]

COSTS = {"messages": 2, "images": 10}
"""Credits for one unit, once the customer has no messages left; of images they never have any."""

_PAUSE_SECONDS = 0.05  # between tries, as any client would pause


class Track(Struct, frozen=True):
    """What is to be recorded, the same at every try."""

    key: str
    body: Json
    times_at_once: int
    """More than once: a client that did not wait for the answer to its first try."""


@dataclass
class Answered:
    """What the service has acknowledged."""

    recorded: dict[str, Json] = field(default_factory=dict)
    """Key → the first answer that said so."""
    refused: dict[str, str] = field(default_factory=dict)
    """Key → why."""
    unlike: list[str] = field(default_factory=list)
    """Keys that were answered differently at different times, in words."""
    tries: int = 0

    @property
    def count(self) -> int:
        """All that are done."""
        return len(self.recorded) + len(self.refused)


def tracks(number: int, customers: int, random: Random) -> list[Track]:
    """Random use of random customers: now and then more than they have, to be capped or refused; or some is
    given back."""
    return [_track(f"track-{n}", f"customer-{random.randrange(customers)}", random) for n in range(number)]


def _track(key: str, customer: str, random: Random) -> Track:
    amount = -random.randint(1, 6) if random.random() < 0.15 else random.randint(1, 9)
    how = random.choice(("cap", "reject"))
    feature = "messages" if random.random() < 0.8 else "images"
    # What is refused is not kept under its key, so two tries of it may end differently, and both be right.
    twice = (how == "cap" or amount < 0) and random.random() < 0.1
    body = {"customer": customer, "feature": feature, "amount": amount, "overage": how}
    return Track(key, body, 2 if twice else 1)


class Trackers:
    """Clients that send every record until it is acknowledged, whatever happens to the service."""

    def __init__(self, address: Address, key: str) -> None:
        self.answered = Answered()
        self._address = address
        self._key = key
        self._news = asyncio.Event()

    async def run(self, wanted: list[Track], connections: int) -> None:
        """Until all are acknowledged."""
        waiting = iter(wanted)
        async with self._client(connections) as http, asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(self._work(http, waiting))

    async def until(self, count: int) -> None:
        """So many are acknowledged."""
        while self.answered.count < count:
            self._news.clear()
            await self._news.wait()

    async def ask_again(self, wanted: list[Track], connections: int) -> int:
        """Send all that were recorded once more: each is answered as it was before. How many were."""
        again = iter([track for track in wanted if track.key in self.answered.recorded])
        replayed = 0

        async def work(http: httpx.AsyncClient) -> None:
            nonlocal replayed
            for track in again:
                reply = await self._insist(http, track)
                self._note(track, reply)
                replayed += reply.headers.get("Idempotent-Replayed") == "true"

        async with self._client(connections) as http, asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(work(http))
        return replayed

    def _client(self, connections: int) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=2 * connections, max_keepalive_connections=2 * connections)
        headers = {"Authorization": f"Bearer {self._key}"}
        return httpx.AsyncClient(headers=headers, timeout=10, limits=limits)

    async def _work(self, http: httpx.AsyncClient, waiting: "Any") -> None:
        for track in waiting:
            for reply in await asyncio.gather(
                *(self._insist(http, track) for _ in range(track.times_at_once))
            ):
                self._note(track, reply)
            self._news.set()

    def _note(self, track: Track, reply: httpx.Response) -> None:
        told = reply.json()
        if reply.status_code != 200:
            assert told["code"] == "insufficient_balance", reply.text
            if track.key in self.answered.recorded:
                self.answered.unlike.append(f"{track.key} was recorded, and then refused")
            self.answered.refused[track.key] = told["code"]
            return
        first = self.answered.recorded.setdefault(track.key, told)
        if first != told:
            self.answered.unlike.append(f"{track.key} was answered {first}, and then {told}")

    async def _insist(self, http: httpx.AsyncClient, track: Track) -> httpx.Response:
        """The first answer that is one: no broken connection, and no fault of the server."""
        while True:
            self.answered.tries += 1
            try:
                reply = await http.post(
                    f"{self._address.api}/v1/track", json=track.body, headers={"Idempotency-Key": track.key}
                )
                if reply.status_code < 500:
                    return reply
            except httpx.HTTPError:
                pass
            await asyncio.sleep(_PAUSE_SECONDS)
