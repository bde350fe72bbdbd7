"""Events on their way: at least once, in no order, again after failures (docs.stripe.com/webhooks)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import msgspec

from adapters.sandbox.errors import JsonObject
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
    """One background task per event and endpoint, which ends with a 2xx or when the delays are used up."""

    def __init__(
        self,
        account: Account,
        *,
        delays: Sequence[float],
        timeout: float,
        sleep: Sleep,
        changed: Callable[[], None],
    ) -> None:
        self._account = account
        self._delays = tuple(delays)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._sleep = sleep
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Belongs to the running event loop from here on."""
        self._session = aiohttp.ClientSession(timeout=self._timeout)

    def schedule(self, event_id: str) -> None:
        """Send an event to every endpoint that still lacks it."""
        for endpoint_id in self._account.books.undelivered.get(event_id, []):
            task = asyncio.get_running_loop().create_task(self._deliver(event_id, endpoint_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until every delivery has succeeded or been given up, those that start meanwhile included."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """End what is under way; it stays undelivered, for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

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
        if 200 <= status < 300:
            mark_delivered(self._account, event_id, endpoint_id)
            self._changed()
        return status

    async def _deliver(self, event_id: str, endpoint_id: str) -> None:
        for delay in (0.0, *self._delays):
            if delay:
                await self._sleep(delay)
            status = await self.attempt(event_id, endpoint_id)
            if status is not None and 200 <= status < 300:
                return
