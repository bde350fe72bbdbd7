"""The sandbox over HTTP, on a loopback address and nowhere else."""

import ipaddress
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from adapters.sandbox.api import Admitted, Api, Call, Reply
from adapters.sandbox.control import Control
from adapters.sandbox.faults import Disconnect, Fail, Hang, Moment
from adapters.sandbox.forms import Pairs, pairs_of
from adapters.sandbox.misbehaviour import Misbehaviour, Told
from adapters.sandbox.state import API_VERSION, Account

_FROM_ANY_PAGE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Stripe-Version",
    "Access-Control-Expose-Headers": "Request-Id, Idempotent-Replayed",
}
"""Checkout pages call Stripe from the buyer's browser."""


class NotLoopback(ValueError):
    """The sandbox would take money for granted from anybody who can reach it; so nobody else may reach it."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its reply, for whoever watches."""

    method: str
    path: str
    pairs: Pairs
    idempotency_key: str | None
    status: int
    body: Any
    replayed: bool


OnExchange = Callable[[Exchange], None]


class Server:
    """Listens, and turns HTTP into calls and replies into HTTP."""

    def __init__(
        self,
        account: Account,
        control: Control,
        misbehaviour: Misbehaviour,
        changed: Callable[[], None],
        on_exchange: OnExchange | None,
    ) -> None:
        self._api = Api(account)
        self._control = control
        self._misbehaviour = misbehaviour
        self._changed = changed
        self._on_exchange = on_exchange
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> str:
        """The address served; port 0 takes any that is free."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, loopback(host), port).start()
        bound_host, bound_port = self._runner.addresses[0][:2]
        shown = f"[{bound_host}]" if ":" in bound_host else bound_host
        return f"http://{shown}:{bound_port}"

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=_FROM_ANY_PAGE)
        pairs = pairs_of(request.rel_url.raw_query_string) + pairs_of(await request.text())
        if request.path.startswith("/_sandbox/"):
            return _response(await self._control.answer(request.method, request.path, pairs))
        call = Call(
            method=request.method,
            path=request.path,
            pairs=pairs,
            authorization=request.headers.get("Authorization"),
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
        reply = await self._answer(call)
        if reply is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # which nobody gets
        return _response(reply)

    async def _answer(self, call: Call) -> Reply | None:
        """The reply, or None when the connection is to be cut instead."""
        if self._misbehaviour.for_limit(call.method, call.path):
            return self._seen(call, self._api.limited())
        admitted = self._api.admit(call)
        if isinstance(admitted, Reply):
            told = self._misbehaviour.for_reply(call.method, call.path)
            reply: Reply | None = self._seen(call, admitted)
        else:
            told = self._misbehaviour.for_execution(call.method, call.path)
            reply = await self._executed(admitted, told)
        return None if reply is None or await _is_lost(told, "after") else reply

    async def _executed(self, admitted: Admitted, told: Told | None) -> Reply | None:
        failure = told.fault if told is not None and isinstance(told.fault, Fail) else None
        try:
            if await _is_lost(told, "before"):
                self._api.abandon(admitted)
                return None
            reply = self._api.execute(admitted, failure)
        except BaseException:
            self._api.abandon(admitted)
            raise
        if admitted.call.method != "GET":
            self._changed()
        return self._seen(admitted.call, reply)

    def _seen(self, call: Call, reply: Reply) -> Reply:
        """For whoever watches, whether or not it reaches the caller."""
        if self._on_exchange is not None:
            self._on_exchange(_exchange(call, reply))
        return reply


async def _is_lost(told: Told | None, moment: Moment) -> bool:
    """Stand still here if told to. Whether the connection is to be cut here."""
    if told is None or not isinstance(told.fault, Disconnect | Hang) or told.fault.moment != moment:
        return False
    if isinstance(told.fault, Hang):
        await told.over()
        return False
    return True


def loopback(host: str) -> str:
    """The address to bind, if it can be reached from this machine alone."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise NotLoopback(
            f"The sandbox serves loopback addresses only (127.0.0.1, ::1, localhost), not {host!r}."
        )
    return host


def _response(reply: Reply) -> web.Response:
    ordinary = {"Content-Type": "application/json", "Stripe-Version": API_VERSION, **_FROM_ANY_PAGE}
    return web.Response(status=reply.status, body=reply.body.encode(), headers={**ordinary, **reply.headers})


def _exchange(call: Call, reply: Reply) -> Exchange:
    return Exchange(
        method=call.method,
        path=call.path,
        pairs=call.pairs,
        idempotency_key=call.idempotency_key,
        status=reply.status,
        body=msgspec.json.decode(reply.body),
        replayed="Idempotent-Replayed" in reply.headers,
    )
