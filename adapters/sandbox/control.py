"""What only the sandbox has, over HTTP: everything under `/_sandbox/` (docs/sandbox.md)."""

import re
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec

from adapters.sandbox.api import Reply
from adapters.sandbox.bank import (
    bank_closes_dispute,
    bank_settles,
    bank_settles_refund,
    buyer_authenticates,
    page_for_buyer,
)
from adapters.sandbox.deliveries import Deliveries
from adapters.sandbox.errors import JsonObject, StripeError, not_found
from adapters.sandbox.faults import Fault
from adapters.sandbox.forms import Pairs, tree_of
from adapters.sandbox.misbehaviour import Misbehaviour, Told
from adapters.sandbox.parameters import read
from adapters.sandbox.state import Account

Act = Callable[[str, Pairs], Awaitable[Reply]]
_ANY_FAULT = cast("type[Fault]", Fault)
"""A union is a type to msgspec, if not to mypy."""


class Control:
    """Tells the sandbox to misbehave, and plays the bank and the buyer. Needs no key: only this machine
    can reach it."""

    def __init__(
        self,
        account: Account,
        misbehaviour: Misbehaviour,
        deliveries: Deliveries,
        changed: Callable[[], None],
    ) -> None:
        self._account = account
        self._misbehaviour = misbehaviour
        self._deliveries = deliveries
        self._changed = changed
        self._routes: tuple[tuple[str, str, Act], ...] = (
            ("POST", "faults", self._tell),
            ("GET", "faults", self._list),
            ("DELETE", "faults", self._reset),
            ("GET", r"faults/(\w+)", self._show),
            ("GET", r"faults/(\w+)/met", self._wait_until_met),
            ("DELETE", r"faults/(\w+)", self._end),
            ("POST", r"events/(\w+)/send", self._send),
            ("POST", r"(?:payment|setup)_intents/(\w+)/settle", self._played(bank_settles)),
            ("POST", r"(?:payment|setup)_intents/(\w+)/authenticate", self._played(buyer_authenticates)),
            ("GET", r"(?:payment|setup)_intents/(\w+)/authenticate", self._played(page_for_buyer)),
            ("POST", r"refunds/(\w+)/settle", self._played(bank_settles_refund)),
            ("POST", r"disputes/(\w+)/close", self._played(bank_closes_dispute)),
        )

    async def answer(self, method: str, path: str, pairs: Pairs) -> Reply:
        """The reply to one request; refusals have Stripe's shape."""
        try:
            act, about = self._find(method, path)
            return await act(about, pairs)
        except StripeError as error:
            return _json({"error": error.body()}, error.status)

    def _find(self, method: str, path: str) -> tuple[Act, str]:
        for verb, pattern, act in self._routes:
            match = re.fullmatch(f"/_sandbox/{pattern}", path)
            if match is not None and verb == method:
                return act, "".join(match.groups())
        raise StripeError(f"Unrecognized request URL ({method}: {path}).", status=404)

    async def _tell(self, _: str, pairs: Pairs) -> Reply:
        return _json(self._misbehaviour.tell(read(_ANY_FAULT, tree_of(pairs))).shown())

    async def _list(self, _: str, __: Pairs) -> Reply:
        return _json({"object": "list", "data": [told.shown() for told in self._misbehaviour.all()]})

    async def _reset(self, _: str, pairs: Pairs) -> Reply:
        ended = await self._list("", pairs)
        self._misbehaviour.reset()
        return ended

    async def _show(self, id: str, _: Pairs) -> Reply:
        return _json(self._told(id).shown())

    async def _wait_until_met(self, id: str, _: Pairs) -> Reply:
        told = self._told(id)
        await told.met()
        return _json(told.shown())

    async def _end(self, id: str, _: Pairs) -> Reply:
        told = self._told(id)
        told.end()
        return _json(told.shown())

    async def _send(self, id: str, _: Pairs) -> Reply:
        """Once, now, to every endpoint, also to those that have it."""
        if id not in self._account.books.events:
            raise not_found("event", id)
        return _json({"object": "list", "data": await self._deliveries.send_now(id)})

    def _played(self, act: Callable[[Account, str, Pairs], Reply]) -> Act:
        async def answer(id: str, pairs: Pairs) -> Reply:
            reply = act(self._account, id, pairs)
            self._changed()
            return reply

        return answer

    def _told(self, id: str) -> Told:
        told = self._misbehaviour.find(id)
        if told is None:
            raise not_found("fault", id)
        return told


def _json(body: JsonObject, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode(body).decode(), {})
