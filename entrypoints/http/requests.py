"""A request as our handlers see it, and what is done around each: its id, and one line in the log."""

import time
from typing import TYPE_CHECKING

import structlog
from litestar import Request
from litestar.datastructures import State
from litestar.enums import ScopeType

from application.causes import ApiRequest
from domain.auth import Authenticated
from domain.ids import Ids, RequestId
from entrypoints.logs import telling_of
from entrypoints.metrics.counted import Metrics
from entrypoints.tracing import answered, request_span

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

log = structlog.get_logger("http")


class Call(Request[None, Authenticated, State]):
    """A request to us; `auth` says who acts, on the routes that ask for a key."""

    @property
    def id(self) -> RequestId:
        """Ours; an `X-Request-Id` that somebody sends says nothing to us."""
        return request_id_of(self.scope)

    @property
    def cause(self) -> ApiRequest:
        """Why what this request does is done."""
        return ApiRequest(self.id)


class RequestLog:
    """Around everything that Litestar does, so that no reply goes without its `X-Request-Id`, its line in the
    log and its place in the metrics.
    """

    def __init__(self, app: "ASGIApp", ids: Ids, metrics: Metrics) -> None:
        self._app = app
        self._ids = ids
        self._metrics = metrics

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = self._ids.new(RequestId)
        scope["state"]["request_id"] = request_id
        header = (b"x-request-id", request_id.encode())
        status: int | None = None

        async def noted(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            await send(message)

        # What this request brings about is correlated by its id, unless it was Stripe who told us something.
        with (
            telling_of(request_id=request_id, correlation_id=request_id),
            request_span(scope["method"], scope["headers"]) as span,
        ):
            try:
                await self._app(scope, receive, noted)
            finally:
                route = scope.get("path_template")
                answered(span, scope["method"], route, status, {"request_id": request_id})
                self._ended(scope, status, time.perf_counter() - started)

    def _ended(self, scope: "HTTPScope", status: int | None, seconds: float) -> None:
        """The route is told as it is written down, never as the path, which may name somebody."""
        method, route = scope["method"], scope.get("path_template")
        self._metrics.request(method, route, status, seconds)
        log.info(
            "request",
            method=method,
            route=route,
            status=status,
            code=scope["state"].get("problem"),
            duration_ms=round(seconds * 1000, 2),
        )


def request_id_of(scope: "Scope") -> RequestId:
    """The id that this request was given."""
    request_id: RequestId = scope["state"]["request_id"]
    return request_id
