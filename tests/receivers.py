"""Endpoints of others, over loopback: each takes what is sent to it, and answers as it is told to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    """One request, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """What it says, once the library has checked it, as a receiver would. Raises
        WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


async def _thanks(_: web.Request) -> web.StreamResponse:
    return web.Response(text="thanks")


@dataclass
class Receiver:
    """A web server that keeps what it is sent."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answer: Answer = _thanks

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(headers, body))
        return await self.answer(request)


@asynccontextmanager
async def receiving(answer: Answer = _thanks) -> AsyncIterator[Receiver]:
    """A receiver, while the block runs."""
    receiver = Receiver(answer=answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.port = runner.addresses[0][1]
        yield receiver
    finally:
        await runner.cleanup()
