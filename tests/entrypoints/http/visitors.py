"""Visitors of the billing portal of the service in memory."""

import httpx

from adapters.memory.portal import SIGNING_KEY
from domain.ids import AccessRequestId
from domain.portal import access_code
from tests import visitors
from tests.entrypoints.http.conftest import Service


class Visitor(visitors.Visitor):
    """One who can read everybody's mail."""

    def __init__(self, service: Service, place: str = "/portal/acme/test") -> None:
        transport = httpx.ASGITransport(service.app, client=("203.0.113.7", 1))  # type: ignore[arg-type]
        super().__init__(httpx.AsyncClient(transport=transport, base_url="https://pay.example.com"), place)
        self.service = service

    def code(self) -> str:
        """What the mail for the newest request says, or would say."""
        newest = max(self.service.store.access_requests, key=lambda known: known.id)
        return access_code(SIGNING_KEY, AccessRequestId(newest.id))

    async def signs_in(self, email: str) -> httpx.Response:
        """All the way to what is theirs."""
        page = await self.asks(email)
        return await self.gives(page, self.code())
