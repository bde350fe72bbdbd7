"""A mail server in memory, which fails when it is told to."""

import asyncio

from application.ports import Mail
from domain.errors import DomainError


class MemoryMailer:
    """Keeps what it was given; `fails_with` is raised for as long as it is set."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.fails_with: DomainError | None = None

    async def send(self, mail: Mail) -> None:
        await asyncio.sleep(0)
        if self.fails_with is not None:
            raise self.fails_with
        self.sent.append(mail)
