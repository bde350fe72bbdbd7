"""What stands in for the endpoints of others: for tests alone."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from application.ports import Sent
from domain.events import RecordedEvent
from domain.webhook_endpoint import WebhookEndpoint

ARRIVED = Sent(200, None, 5, "ok")


class MemorySender:
    """Remembers what was sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[WebhookEndpoint, RecordedEvent]] = []
        self.answers: Callable[[WebhookEndpoint, RecordedEvent], Sent] = lambda _, __: ARRIVED

    async def send(self, endpoint: WebhookEndpoint, event: RecordedEvent, now: datetime) -> Sent:
        await asyncio.sleep(0)
        self.sent.append((endpoint, event))
        return self.answers(endpoint, event)
