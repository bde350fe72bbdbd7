"""Somebody with a browser, without scripts, who visits pages and sends their forms."""

import re
from html import unescape

import httpx

from adapters.memory.portal import SIGNING_KEY
from domain.ids import AccessRequestId
from domain.portal import access_code
from tests.entrypoints.http.conftest import Service

_FORM = re.compile(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Visitor:
    """A browser of its own: cookies are kept, and redirects followed by hand."""

    def __init__(self, service: Service, place: str = "/portal/acme/test") -> None:
        self.service = service
        self.place = place
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(service.app, client=("203.0.113.7", 1)),  # type: ignore[arg-type]
            base_url="https://pay.example.com",
        )

    async def get(self, path: str = "") -> httpx.Response:
        return await self.client.get(self.place + path)

    async def send(self, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
        """The form of that page whose action ends like this, with what is hidden in it and these fields."""
        known = [(unescape(to), body) for to, body in _FORM.findall(page.text)]
        to, body = next((to, body) for to, body in known if to.endswith(action))
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(body)}
        return await self.client.post(to, data={**hidden, **fields})

    async def asks(self, email: str) -> httpx.Response:
        """Asks for a code, and is where it is to be given."""
        sent = await self.send(await self.get(), "/access", email=email)
        assert sent.status_code == 303, sent.text
        return await self.client.get(sent.headers["location"])

    def code(self) -> str:
        """What the mail for the newest request says, or would say."""
        newest = max(self.service.store.access_requests, key=lambda known: known.id)
        return access_code(SIGNING_KEY, AccessRequestId(newest.id))

    async def signs_in(self, email: str) -> httpx.Response:
        """All the way to what is theirs."""
        page = await self.asks(email)
        sent = await self.send(page, "/code", code=self.code())
        assert sent.status_code == 303, sent.text
        return await self.client.get(sent.headers["location"])
