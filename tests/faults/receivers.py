"""Receivers that fail, also after having acted, and who remember what they have acted on."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

_SLOW_SECONDS = 0.5


@dataclass
class Unreliable:
    """Fails so often: half the time before it has acted, else after that, with an answer or without one."""

    failing: float
    random: Random
    secret: str = ""
    acted_on: Counter[str] = field(default_factory=Counter)
    """How often, by the event's id."""
    refused: int = 0
    forged: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        """As a receiver would: check, act, answer."""
        body = await request.read()
        try:
            Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.forged += 1
            return web.Response(status=400)
        fails = self.random.random() < self.failing
        acts = not fails or self.random.random() < 0.5
        if acts:
            self.acted_on[request.headers["webhook-id"]] += 1
        if not fails:
            return web.Response(status=200)
        self.refused += 1
        how = self.random.random()
        if how < 0.3 and request.transport is not None:
            request.transport.close()
        elif how < 0.4:
            await asyncio.sleep(_SLOW_SECONDS)
        return web.Response(status=500)
