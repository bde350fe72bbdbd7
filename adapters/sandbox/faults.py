"""Letting the sandbox misbehave on purpose: failures and requests that take long."""

import asyncio

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A reply that replaces the real one, before or after what was asked for has been done."""

    path_prefix: str
    status: int
    after_acting: bool
    kept: bool
    """Whether the request's idempotency key keeps it, as Stripe keeps a 500 once execution began."""


class Hold:
    """Requests under a path stand still in the midst of execution until released."""

    def __init__(self, path_prefix: str) -> None:
        self.path_prefix = path_prefix
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()

    async def arrived(self) -> None:
        """Wait until a request stands here."""
        await self._arrived.wait()

    def release(self) -> None:
        """Let those that stand here, and those that come, go on."""
        self._released.set()

    async def pass_through(self) -> None:
        """Called by the server for each request under the path."""
        self._arrived.set()
        await self._released.wait()


class Faults:
    """The faults that wait for their request."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self.holds: list[Hold] = []

    def add(self, fault: Fault, times: int) -> None:
        """Use this fault for that many of the next requests under its path."""
        self._waiting.extend([fault] * times)

    def take(self, path: str) -> Fault | None:
        """The fault for this request, if one waits; each is used once."""
        for fault in self._waiting:
            if path.startswith(fault.path_prefix):
                self._waiting.remove(fault)
                return fault
        return None

    async def pass_holds(self, path: str) -> None:
        """Stand still while this path is held."""
        for hold in [hold for hold in self.holds if path.startswith(hold.path_prefix)]:
            await hold.pass_through()
