"""Sends events over HTTP, signed as Standard Webhooks says (https://www.standardwebhooks.com)."""

import asyncio
import socket
from collections.abc import Mapping
from datetime import datetime
from time import perf_counter
from types import SimpleNamespace

import aiohttp
import msgspec
from standardwebhooks import Webhook
from yarl import URL

from adapters.webhooks.addresses import AddressRefusedError, CheckedResolver
from application.event_views import EventView
from application.ports import Sent
from domain.errors import Rejected
from domain.events import RecordedEvent
from domain.webhook_address import AddressRule, check_url
from domain.webhook_endpoint import WebhookEndpoint, secrets_at

_TIMEOUT_SECONDS = 10.0
_IDLE_SECONDS = 1.0
"""How long a connection is kept for what comes next: not so long that the other side may be closing it."""
_MOST_READ = 65_536
_MOST_KEPT = 1024
_PIECE = 8192
_GONE = 410


class HttpSender:
    """Whenever a connection is made, the host is looked up and checked anew; it is used again for what
    follows at once. No redirects, no cookies, and no proxy, whatever the environment says."""

    def __init__(self, rule: AddressRule, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._rule = rule
        self._timeout_seconds = timeout_seconds
        self._resolver: CheckedResolver | None = None
        self._session: aiohttp.ClientSession | None = None

    async def send(self, endpoint: WebhookEndpoint, event: RecordedEvent, now: datetime) -> Sent:
        body = msgspec.json.encode(EventView.of(event))
        headers = _signed(endpoint, event, body, now)
        reply = _Reply()
        started = perf_counter()
        error: str | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                while not await self._post(endpoint.url, body, headers, reply):
                    pass
        except Exception as failure:  # whatever an endpoint does is no fault of ours
            error = _why(failure)
        if reply.status is not None:  # it has answered, however the rest of the reply went
            error = _of_status(reply.status)
        return Sent(reply.status, error, round((perf_counter() - started) * 1000), reply.text())

    async def close(self) -> None:
        """Let go of what is open."""
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()
        self._session = self._resolver = None

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], reply: "_Reply") -> bool:
        """Whether it was sent: it is not where the other side has ended the connection since it was used."""
        check_url(url, self._rule)  # what is allowed may have changed since it was stored
        reply.is_on_used_connection = False
        try:
            async with self._opened().post(
                URL(url), data=body, headers=headers, allow_redirects=False, trace_request_ctx=reply
            ) as answered:
                reply.status = answered.status
                while len(reply.begun) < _MOST_READ and (piece := await answered.content.read(_PIECE)):
                    reply.begun += piece
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if reply.status is not None or not reply.is_on_used_connection:
                raise
            return False
        return True

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._resolver is None:
            self._resolver = CheckedResolver(self._rule)
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                socket_factory=self._resolver.socket_to,
                use_dns_cache=False,
                keepalive_timeout=_IDLE_SECONDS,
                limit=0,
            )
            tracing = aiohttp.TraceConfig()
            tracing.on_connection_reuseconn.append(_note_used)
            self._session = aiohttp.ClientSession(
                connector=connector,
                trace_configs=[tracing],
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
                auto_decompress=False,
                trust_env=False,
                max_line_size=_PIECE,
                max_field_size=_PIECE,
            )
        return self._session


class _Reply:
    """What has come of it so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.begun = bytearray()
        self.is_on_used_connection = False

    def text(self) -> str | None:
        """How it begins, if anything was answered; without what the books cannot keep."""
        if self.status is None:
            return None
        return self.begun[:_MOST_KEPT].decode("utf-8", "replace").replace("\x00", "\ufffd")


async def _note_used(
    _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionReuseconnParams
) -> None:
    context.trace_request_ctx.is_on_used_connection = True


def _signed(endpoint: WebhookEndpoint, event: RecordedEvent, body: bytes, now: datetime) -> Mapping[str, str]:
    """With every secret that is good, so that whoever knows one of them can check it."""
    text = body.decode()
    signatures = [Webhook(secret).sign(event.id, now, text) for secret in secrets_at(endpoint, now)]
    return {
        "content-type": "application/json",
        "user-agent": "Counterfoil",
        "accept-encoding": "identity",
        "webhook-id": event.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _of_status(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    return "endpoint_gone" if status == _GONE else "unexpected_status"


def _why(failure: Exception) -> str:  # noqa: PLR0911  (one for each)
    match failure:
        case AddressRefusedError() | aiohttp.InvalidURL() | Rejected():
            return "address_not_allowed"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "certificate_refused"
        case aiohttp.ClientConnectorError(os_error=AddressRefusedError()):
            return "address_not_allowed"
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            return "host_not_found"
        case TimeoutError():
            return "timed_out"
        case aiohttp.ClientResponseError() | aiohttp.ServerDisconnectedError():
            return "malformed_reply"
        case _:
            return "connection_failed"
