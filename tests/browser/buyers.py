"""Somebody who visits with a browser, and what that browser complains of and asks for on the way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has none
from playwright.async_api import Browser, ConsoleMessage, Page, Request, expect

Size = tuple[int, int]
Scheme = Literal["light", "dark"]

DESK: Size = (1280, 900)
PHONE: Size = (390, 844)
SMALLEST: Size = (320, 640)
"""Also what a desk of 1280 pixels has left at a zoom of 400 % (WCAG 2.2, 1.4.10 Reflow)."""

GOOD, DECLINED, ASKING = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0000 0000 3220"
"""Cards of docs.stripe.com/testing; the last asks for approval."""

_RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""All that axe has on by default, and the one of WCAG 2.2 that it has not."""

_ANSWERED = "Failed to load resource: the server responded with a status of "
_PATIENCE_MS = 15_000

expect.set_options(timeout=_PATIENCE_MS)


@dataclass
class Visit:
    """A page; `complaints` are errors and warnings, of scripts and of the content security policy."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        """Whom the browser has asked for something."""
        return {str(urlsplit(request.url).hostname) for request in self.requests}

    def posts_to(self, end: str) -> int:
        """How many times something was sent to an address with this end."""
        return sum(request.method == "POST" and request.url.endswith(end) for request in self.requests)

    def on_console(self, message: ConsoleMessage) -> None:
        # That a reply was no 200 is told there too; a declined card is one.
        if message.type in ("error", "warning") and not message.text.startswith(_ANSWERED):
            self.complaints.append(message.text)

    def on_request(self, request: Request) -> None:
        self.requests.append(request)

    async def broken_rules(self) -> list[str]:
        """What axe finds wrong with the page as it is now: WCAG 2.2 A and AA, and good practice."""
        found = await Axe().run(self.page, options=_RULES)
        broken = found.response["violations"]
        return [f"{rule['id']}: {node['html']}" for rule in broken for node in rule["nodes"]]

    async def overflow(self) -> int:
        """By how many pixels the page is wider than what shows it."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@asynccontextmanager
async def visiting(
    browser: Browser, size: Size = DESK, scheme: Scheme = "light", *, scripts: bool = True
) -> AsyncIterator[Visit]:
    """A browser of their own, without a history, for as long as the block runs."""
    width, height = size
    async with await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=scripts,
        timezone_id="Asia/Tokyo",
    ) as context:
        context.set_default_timeout(_PATIENCE_MS)
        visit = Visit(await context.new_page())
        visit.page.on("console", visit.on_console)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("request", visit.on_request)
        yield visit
