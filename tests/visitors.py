"""Somebody with a browser without scripts, who visits pages and sends their forms."""

import re
from html import unescape

import httpx

_FORM = re.compile(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Visitor:
    """A browser of its own at one organization's portal: cookies are kept, and redirects followed by hand."""

    def __init__(self, client: httpx.AsyncClient, place: str = "/portal/acme/test") -> None:
        self.client = client
        self.place = place

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

    async def gives(self, page: httpx.Response, code: str) -> httpx.Response:
        """Gives the code, and is where that leads."""
        sent = await self.send(page, "/code", code=code)
        assert sent.status_code == 303, sent.text
        return await self.client.get(sent.headers["location"])
