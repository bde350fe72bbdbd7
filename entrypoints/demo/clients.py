"""The two who talk in the demo, each over real HTTP: the application, and the buyer's browser."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from entrypoints.demo.screen import Json

_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.05
_PAGE = 100


class DemoFailedError(Exception):
    """The demo did not see what it came to see."""

    code = "demo_failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Json
    location: str | None = None


@dataclass(slots=True)
class Application:
    """A business' own program: it has an API key, and reads the events."""

    http: aiohttp.ClientSession
    url: str
    key: str
    events: list[Json] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Json | None = None, *, expect: int) -> Answer:
        """Call the API. Any other status than the one expected ends the demo."""
        answer = await _call(
            self.http, method, self.url + path, headers={"Authorization": f"Bearer {self.key}"}, json=body
        )
        if answer.status != expect:
            raise DemoFailedError(f"{method} {path} answered {answer.status}, not {expect}: {answer.body}")
        return answer

    async def news(self) -> list[Json]:
        """The events that have come since the last look, in order and without a gap."""
        new: list[Json] = []
        while True:
            after = len(self.events)
            page = await self.call("GET", f"/v1/events?after={after}&limit={_PAGE}", expect=200)
            data: list[Json] = page.body["data"]
            numbers = [event["sequence"] for event in data]
            if numbers != list(range(after + 1, after + 1 + len(data))):
                raise DemoFailedError(f"the event feed has a gap: after {after} came {numbers}")
            self.events += data
            new += data
            if len(data) < _PAGE:
                return new

    async def wait_for(self, *types: str) -> list[Json]:
        """The news, once one event of each of these types is among them."""
        new: list[Json] = []
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while missing := set(types) - {event["type"] for event in new}:
            if time.monotonic() > deadline:
                raise DemoFailedError(
                    f"no {', '.join(sorted(missing))} within {_PATIENCE_SECONDS:.0f} seconds"
                )
            await asyncio.sleep(_POLL_SECONDS)
            new += await self.news()
        return new

    def the(self, type: str, also: Callable[[Json], bool] = lambda _: True) -> Json:
        """The one event of this type. None, or more than one, ends the demo."""
        found = [event for event in self.events if event["type"] == type and also(event)]
        if len(found) != 1:
            raise DemoFailedError(f"expected one event {type}, there are {len(found)}")
        return found[0]


@dataclass(frozen=True, slots=True)
class Buyer:
    """A browser on a checkout page with Stripe.js: it knows the publishable key and the client secret."""

    http: aiohttp.ClientSession
    stripe_url: str
    publishable_key: str

    async def pay(self, payment_intent_id: str, client_secret: str, card: str, return_url: str) -> Answer:
        """Confirm the payment intent with a card."""
        form = {
            "client_secret": client_secret,
            "return_url": return_url,
            "payment_method_data[type]": "card",
            "payment_method_data[card][number]": card,
            "payment_method_data[card][exp_month]": "12",
            "payment_method_data[card][exp_year]": "40",
            "payment_method_data[card][cvc]": "123",
        }
        url = f"{self.stripe_url}/v1/payment_intents/{payment_intent_id}/confirm"
        key = {"Authorization": f"Bearer {self.publishable_key}"}
        return await _call(self.http, "POST", url, headers=key, data=form)

    async def follow(self, url: str) -> Answer:
        """Open a page, without following where it leads."""
        return await _call(self.http, "GET", url, allow_redirects=False)


async def _call(http: aiohttp.ClientSession, method: str, url: str, **options: Any) -> Answer:  # noqa: ANN401
    try:
        async with http.request(method, url, **options) as response:
            content = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            body = msgspec.json.decode(content) if is_json and content else {}
            return Answer(response.status, body, response.headers.get("Location"))
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
        raise DemoFailedError(f"{method} {url}: {type(error).__name__}: {error}") from error
