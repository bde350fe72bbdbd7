"""How a provider in memory is called: idempotent as Stripe is, and failing when it is told to."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from msgspec import Struct

from domain.errors import ProviderRefused, Unavailable

T = TypeVar("T")
Moment = Literal["before", "after"]


class Call(Struct, frozen=True):
    """One call that came in, whatever became of it."""

    name: str
    livemode: bool
    idempotency_key: str | None = None


class _Kept(Struct, frozen=True):
    """What a key was first used for, and what came of it."""

    parameters: tuple[Any, ...]
    result: Any


class Calls:
    """Test and live mode share nothing, not even idempotency keys."""

    def __init__(self, modes: frozenset[bool]) -> None:
        self.calls: list[Call] = []
        self._modes = modes
        self._kept: dict[tuple[bool, str], _Kept] = {}
        self._failures: list[Moment] = []

    def fail_next(self, moment: Moment) -> None:
        """The next call, or the one after those told to fail already, ends in Unavailable: `before` it did
        anything, or `after`, when only the reply was lost.
        """
        self._failures.append(moment)

    def forget_keys(self) -> None:
        """A day has passed: keys mean nothing any more, and the same call would act again."""
        self._kept.clear()

    async def _idempotent(self, call: Call, parameters: tuple[Any, ...], act: Callable[[], T]) -> T:
        assert call.idempotency_key is not None
        failure = await self._begun(call)
        slot = call.livemode, call.idempotency_key
        parameters = (call.name, *parameters)
        kept = self._kept.get(slot) or _Kept(parameters, act())
        if kept.parameters != parameters:
            raise ProviderRefused(
                "idempotency_error", f"The key '{call.idempotency_key}' was used with other parameters."
            )
        self._kept[slot] = kept
        await self._ended(failure)
        result: T = kept.result
        return result

    async def _begun(self, call: Call) -> Moment | None:
        self.calls.append(call)
        await asyncio.sleep(0)
        if call.livemode not in self._modes:
            raise Unavailable("payment_provider_not_configured", "There is no provider for this mode.")
        failure = self._failures.pop(0) if self._failures else None
        if failure == "before":
            raise _unavailable()
        return failure

    async def _ended(self, failure: Moment | None) -> None:
        await asyncio.sleep(0)
        if failure == "after":
            raise _unavailable()


def _unavailable() -> Unavailable:
    return Unavailable("payment_provider_unavailable", "The payment provider did not answer.")
