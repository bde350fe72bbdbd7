"""Stripe's API as it is documented: forms over HTTP, and no SDK in between that could smooth things over."""

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.conformance.target import Target

VERSION = "2026-08-26.dahlia"
SEEN_WITHIN_SECONDS = 90.0
"""docs.stripe.com/search#data-freshness: under a minute, when nothing is amiss."""

Json = dict[str, Any]
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back, and to what."""

    method: str
    path: str
    pairs: Pairs
    status: int
    headers: httpx.Headers
    body: Any

    @property
    def error(self) -> Json:
        """The error of a refusal."""
        assert self.status >= 400, f"{self.method} {self.path} was not refused"
        told: Json = self.body["error"]
        return told

    def ok(self) -> Json:
        """The object of a reply that has to be one."""
        assert self.status == 200, f"{self.method} {self.path}: {self.status} {self.body}"
        found: Json = self.body
        return found


class Api:
    """A caller with one key; remembers every answer."""

    def __init__(self, target: Target, key: str, answers: list[Answer]) -> None:
        self.answers = answers
        self.patience_seconds = 0.0 if target.sandbox else SEEN_WITHIN_SECONDS
        self.http = httpx.AsyncClient(
            base_url=target.base,
            headers={"Authorization": f"Bearer {key}", "Stripe-Version": VERSION},
            timeout=60,
        )

    async def get(self, path: str, **query: Any) -> Answer:
        return await self._call("GET", path, query)

    async def post(self, path: str, key: str | None = None, **form: Any) -> Answer:
        """With an idempotency key, if one is given."""
        return await self._call("POST", path, form, {} if key is None else {"Idempotency-Key": key})

    async def delete(self, path: str) -> Answer:
        return await self._call("DELETE", path, {})

    async def eventually(self, path: str, holds: Callable[[Json], object], **query: Any) -> Json:
        """Ask until it holds, for what Stripe shows only after a while. The sandbox shows it at once."""
        clock = asyncio.get_running_loop().time
        deadline, pause = clock() + self.patience_seconds, 0.5
        while not holds(told := (await self.get(path, **query)).ok()):
            assert clock() < deadline, f"not within {self.patience_seconds} seconds: {told}"
            await asyncio.sleep(pause)
            pause = min(2 * pause, 8)
        return told

    async def _call(
        self, method: str, path: str, given: Json, headers: Mapping[str, str] | None = None
    ) -> Answer:
        pairs = list(pairs_of(given))
        form = {"data": dict(pairs)} if method == "POST" else {"params": pairs}
        for pause in (1, 2, 4, 8, None):  # docs.stripe.com/rate-limits: 25 calls a second, and waiting helps
            reply = await self.http.request(method, f"/v1/{path}", headers=headers, **form)
            if reply.status_code != 429 or pause is None:
                break
            await asyncio.sleep(pause)
        answer = Answer(method, f"/v1/{path}", pairs, reply.status_code, reply.headers, reply.json())
        self.answers.append(answer)
        return answer


def pairs_of(given: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """`{"metadata": {"a": 1}, "expand": ["b"]}` → `metadata[a]=1`, `expand[0]=b`."""
    if isinstance(given, dict | list):
        within = given.items() if isinstance(given, dict) else enumerate(given)
        for key, value in within:
            yield from pairs_of(value, f"{name}[{key}]" if name else str(key))
    elif isinstance(given, bool):
        yield name, str(given).lower()
    else:
        yield name, str(given)


def unique(kind: str = "conformance") -> str:
    """A word that nobody else on the account uses."""
    return f"{kind}-{uuid.uuid4().hex}"


async def intent_for(stripe: Api, amount: int = 1099, **more: Any) -> Json:
    """A payment intent that can be paid by card and never sends its buyer elsewhere."""
    given = {"amount": amount, "currency": "usd", "payment_method_types": ["card"], **more}
    return (await stripe.post("payment_intents", **given)).ok()


async def setup_for(stripe: Api, **more: Any) -> Json:
    """A setup intent for a card, which never sends its buyer elsewhere unless told where back to."""
    return (await stripe.post("setup_intents", payment_method_types=["card"], **more)).ok()
