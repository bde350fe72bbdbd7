"""Whoever does what a page of ours says: its lines of shell are requests, asked of the service.

The JSON below such a line is part of the reply, whose other fields the page leaves out. What happens
meanwhile stands in a comment, `<!-- 31 days later -->`, and ids that a reader would copy are those of the
reply before.
"""

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of

ROOT = Path(__file__).parents[3]
CATALOGS = {path.name: path.read_text() for path in sorted((ROOT / "docs" / "catalogs").iterdir())}
_BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$|^<!-- (.*?) -->$", re.MULTILINE | re.DOTALL)


async def read(service: Service, text: str) -> int:
    """Do everything that the text says, and see that it is so; how many commands there were."""
    reader, done = _Reader(service), 0
    for kind, block, meanwhile in _BLOCK.findall(text):
        if kind == "sh":
            for words in _commands(block):
                await service.store.sequence(1000)
                await reader.does(words)
                done += 1
        elif kind == "json":
            reader.shown(msgspec.json.decode(block))
        else:
            await reader.waits(meanwhile)
    assert reader.refusal is None, reader.refusal
    return done


def _commands(block: str) -> Iterator[list[str]]:
    """The words of each command: what is quoted may go on for several lines."""
    for command in re.split(r"\n(?=ask |curl |\./run )", block):
        yield shlex.split(command.replace("\\\n", ""))


class _Reader:
    """Whoever does what the page says."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.reply: Any = None
        self.refusal: str | None = None
        self.session: str | None = None

    async def does(self, words: list[str]) -> None:
        """One command; none of those before it may have been refused, unless the page has shown that."""
        assert self.refusal is None, self.refusal
        match words:
            case ["./run", "catalog", "apply", path]:
                catalog = CATALOGS[path.removeprefix("docs/catalogs/")]
                await self.asks(["-X", "PUT", "-d", catalog, "/v1/catalog"])
            case ["ask", path, *rest]:  # what the page has made short
                await self.asks([f"/v1/{path}", *rest])
            case ["curl", "-sS", *rest]:
                await self.asks(rest)
            case _:
                raise AssertionError(f"{words} is not understood here")

    async def asks(self, words: list[str]) -> None:
        """What curl does with these."""
        address, method, body, headers = "", None, None, {}
        while words:
            match words.pop(0):
                case "-X":
                    method = words.pop(0)
                case "-d":
                    body = words.pop(0)
                case "-H":
                    name, _, said = words.pop(0).partition(": ")
                    headers[name] = said
                case word:
                    assert not word.startswith("-"), f"{word} is not understood here"
                    assert not address, f"{address} or {word}?"
                    address = word
        path = re.sub(r"\$([A-Z]+)", self.copied, address.removeprefix("$API"))
        if headers.get("Authorization") == "Bearer $KEY":
            del headers["Authorization"]  # the client has it
        method = method or ("POST" if body else "GET")
        reply = await self.service.client.request(method, path, content=body, headers=headers)
        self.reply = reply.json()
        self.refusal = reply.text if reply.is_error else None
        is_session = self.reply.get("id", "").startswith("cs_")
        self.session = self.reply["id"] if is_session else self.reply.get("checkout_session_id", self.session)

    def shown(self, shown: Any) -> None:
        """The page shows this of the last reply."""
        assert _missing(shown, self.reply) == [], self.reply
        self.refusal = None

    def copied(self, name: re.Match[str]) -> str:
        """The id that a reader copies from the last reply: the first one, where there are several."""
        assert name[1] in ("BALANCE", "PAYMENT", "SUBSCRIPTION"), name
        listed = self.reply.get("data") or self.reply.get("balances") or [self.reply]
        found: str = listed[0]["id"]
        return found

    async def waits(self, what: str) -> None:
        """For what the page says has happened meanwhile."""
        if later := re.fullmatch(r"(\d+) days later", what):
            self.service.clock.advance(timedelta(days=int(later[1])))
            return
        assert what == "the buyer pays", what
        session = (await self.service.client.get(f"/v1/checkout-sessions/{self.session}")).json()
        self.service.gateway.succeed(session["payment_intent_id"])
        body = event_of(intent_of(session, self.service.made.organization_id), id=f"evt_{self.session}")
        assert (await delivered(self.service, body)).json()["handled"]


def _missing(shown: Any, reply: Any, place: str = "") -> list[str]:
    """Where the reply does not say what is shown of it."""
    if isinstance(shown, dict) and isinstance(reply, dict):
        return [
            told
            for key, value in shown.items()
            for told in _missing(value, reply.get(key, "…"), f"{place}.{key}")
        ]
    if isinstance(shown, list) and isinstance(reply, list) and len(shown) == len(reply):
        pairs = enumerate(zip(shown, reply, strict=True))
        return [told for n, (one, other) in pairs for told in _missing(one, other, f"{place}[{n}]")]
    return [] if shown == reply else [f"{place}: the page says {shown}, the service {reply}"]
