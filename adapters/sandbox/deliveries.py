"""Events on their way: at least once, in no order, again after failures (docs.stripe.com/webhooks)."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import aiohttp
import msgspec

from adapters.sandbox.errors import JsonObject
from adapters.sandbox.faults import Delay, Drop, Duplicate, Reorder
from adapters.sandbox.misbehaviour import Misbehaviour, Told
from adapters.sandbox.resources.webhook_endpoints import mark_delivered
from adapters.sandbox.signing import sign
from adapters.sandbox.state import Account

Sleep = Callable[[float], Awaitable[None]]


class SignedEvent(msgspec.Struct, frozen=True):
    """An event as an endpoint receives it."""

    body: bytes
    headers: dict[str, str]


def signed(event: JsonObject, secret: str, timestamp: int) -> SignedEvent:
    """The body and headers of a delivery."""
    body = msgspec.json.format(msgspec.json.encode(event), indent=2)
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (sandbox)"}
    return SignedEvent(body, {**headers, "Stripe-Signature": sign(body, secret, timestamp)})


class Deliveries:
    """Background tasks that send events to endpoints, each until a 2xx or until the delays are used up."""

    def __init__(
        self,
        account: Account,
        misbehaviour: Misbehaviour,
        *,
        delays: Sequence[float],
        timeout: float,
        sleep: Sleep,
        changed: Callable[[], None],
    ) -> None:
        self._account = account
        self._misbehaviour = misbehaviour
        self._delays = tuple(delays)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._sleep = sleep
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, list[str]] = {}
        """Fault → the events it holds back."""
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Belongs to the running event loop from here on."""
        self._session = aiohttp.ClientSession(timeout=self._timeout)

    def schedule(self, event_id: str) -> None:
        """Send an event to every endpoint that still lacks it, unless something was told to go wrong."""
        if event_id not in self._account.books.undelivered:
            return
        told = self._misbehaviour.for_event(self._account.books.events[event_id]["type"])
        match told and told.fault:
            case Drop():
                pass
            case Duplicate(copies=copies):
                self._send([event_id] * (1 + copies))
            case Delay(seconds=seconds):
                assert told is not None
                self._hold(told, event_id)
                if seconds is not None:
                    self._spawn(self._let_go_later(told, event_id, seconds))
            case Reorder(events=events):
                assert told is not None
                self._hold(told, event_id)
                if len(self._held[told.id]) == events:
                    self._let_go(told)
            case _:
                self._send([event_id])

    async def drain(self) -> None:
        """Wait until every delivery has succeeded or been given up, those that start meanwhile included.

        What a fault holds back until it is ended is not under way.
        """
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """End what is under way or held back; it stays undelivered, for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send_now(self, event_id: str) -> list[JsonObject]:
        """Send an event once to every endpoint, also to those that have it. Status null: nobody answered."""
        endpoints = list(self._account.books.webhook_endpoints)
        return [{"endpoint": name, "status": await self.attempt(event_id, name)} for name in endpoints]

    async def attempt(self, event_id: str, endpoint_id: str) -> int | None:
        """Send an event once. The status answered, or None when there was no answer."""
        books = self._account.books
        endpoint = books.webhook_endpoints.get(endpoint_id)
        if endpoint is None or event_id not in books.events or self._session is None:
            return None
        secret = books.webhook_secrets[endpoint_id]
        out = signed(books.events[event_id], secret, self._account.now())
        try:
            async with self._session.post(
                endpoint["url"], data=out.body, headers=out.headers, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        if _is_taken(status):
            mark_delivered(self._account, event_id, endpoint_id)
            self._changed()
        return status

    def _hold(self, told: Told, event_id: str) -> None:
        if told.id not in self._held:
            self._held[told.id] = []
            told.when_ended(lambda: self._let_go(told))
        self._held[told.id].append(event_id)

    def _let_go(self, told: Told) -> None:
        """Send what a fault has held back."""
        held = self._held.pop(told.id, [])
        if isinstance(told.fault, Reorder):
            if told.fault.order == "reversed":
                held.reverse()
            else:
                random.Random(told.fault.seed).shuffle(held)  # noqa: S311 (to be repeated)
        self._send(held)

    async def _let_go_later(self, told: Told, event_id: str, seconds: float) -> None:
        await self._sleep(seconds)
        held = self._held.get(told.id, [])
        if event_id in held:
            held.remove(event_id)
            self._send([event_id])

    def _send(self, event_ids: Sequence[str]) -> None:
        """To each endpoint in this order; endpoints do not wait for one another. Once stopped: not at all."""
        if self._session is None:
            return
        lacking: dict[str, list[str]] = {}
        for event_id in event_ids:
            for endpoint_id in self._account.books.undelivered.get(event_id, []):
                lacking.setdefault(endpoint_id, []).append(event_id)
        for endpoint_id, its_events in lacking.items():
            self._spawn(self._send_in_turn(endpoint_id, its_events))

    async def _send_in_turn(self, endpoint_id: str, event_ids: Sequence[str]) -> None:
        for event_id in event_ids:
            if not _is_taken(await self.attempt(event_id, endpoint_id)):
                self._spawn(self._send_again(event_id, endpoint_id))

    async def _send_again(self, event_id: str, endpoint_id: str) -> None:
        for delay in self._delays:
            if delay:
                await self._sleep(delay)
            if _is_taken(await self.attempt(event_id, endpoint_id)):
                return

    def _spawn(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(delivery)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_taken(status: int | None) -> bool:
    """Any 2xx says so (docs.stripe.com/webhooks)."""
    return status is not None and 200 <= status < 300
