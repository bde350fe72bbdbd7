"""docs/modelling.md is true: what it asks is asked of the service, and what it shows is what is answered.

A section that applies one of docs/catalogs is a scenario of its own. Its lines of shell are requests; the
JSON below such a line is part of the reply, whose other fields the page leaves out. What happens meanwhile
stands in a comment, `<!-- 31 days later -->`, and ids that a reader would copy are those of the reply before.
"""

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "modelling.md").read_text()
CATALOGS = {path.name: path.read_text() for path in sorted((DOCS / "catalogs").iterdir())}
APPLY = "./run catalog apply docs/catalogs/"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$|^<!-- (.*?) -->$", re.MULTILINE | re.DOTALL)


def scenarios() -> dict[str, str]:
    """The sections of the page, by the catalog that they apply."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    return {found[1]: text for text in sections if (found := re.search(rf"{re.escape(APPLY)}(\S+)", text))}


SCENARIOS = scenarios()


def commands(block: str) -> Iterator[list[str]]:
    """The words of each command: what is quoted may go on for several lines."""
    for command in re.split(r"\n(?=ask |\./run )", block):
        yield shlex.split(command)


class Reader:
    """Whoever does what the page says."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.reply: Any = None
        self.refusal: str | None = None
        self.session: str | None = None

    async def does(self, words: list[str]) -> None:
        """One command; none of those before it may have been refused, unless the page has shown that."""
        assert self.refusal is None, self.refusal
        if words[:3] == ["./run", "catalog", "apply"]:
            await self.asks("catalog", "PUT", CATALOGS[words[3].removeprefix("docs/catalogs/")], {})
            return
        assert words.pop(0) == "ask", words
        address = re.sub(r"\$([A-Z]+)", lambda named: self.id_of(named[1]), words.pop(0))
        method, body, headers = None, None, {}
        while words:
            option, value = words.pop(0), words.pop(0)
            match option:
                case "-X":
                    method = value
                case "-d":
                    body = value
                case "-H":
                    name, _, said = value.partition(": ")
                    headers[name.lower()] = said
                case _:
                    raise AssertionError(f"{option} is not understood here")
        await self.asks(address, method or ("POST" if body else "GET"), body, headers)

    async def asks(self, path: str, method: str, body: str | None, headers: dict[str, str]) -> None:
        reply = await self.service.client.request(method, f"/v1/{path}", content=body, headers=headers)
        self.reply = reply.json()
        self.refusal = reply.text if reply.is_error else None
        self.session = self.reply.get("checkout_session_id", self.session)

    def shown(self, shown: Any) -> None:
        """The page shows this of the last reply."""
        assert missing(shown, self.reply) == [], self.reply
        self.refusal = None

    def id_of(self, name: str) -> str:
        """What a reader copies from the last reply."""
        listed = self.reply["data"] if "data" in self.reply else self.reply["balances"]
        assert name in ("BALANCE", "PAYMENT"), name
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


def missing(shown: Any, reply: Any, place: str = "") -> list[str]:
    """Where the reply does not say what is shown of it."""
    if isinstance(shown, dict) and isinstance(reply, dict):
        return [
            told
            for key, value in shown.items()
            for told in missing(value, reply.get(key, "…"), f"{place}.{key}")
        ]
    if isinstance(shown, list) and isinstance(reply, list) and len(shown) == len(reply):
        pairs = enumerate(zip(shown, reply, strict=True))
        return [told for n, (one, other) in pairs for told in missing(one, other, f"{place}[{n}]")]
    return [] if shown == reply else [f"{place}: the page says {shown}, the service {reply}"]


@pytest.mark.parametrize("catalog", sorted(SCENARIOS))
async def test_what_the_page_shows_is_what_is_answered(service: Service, catalog: str) -> None:
    reader = Reader(service)
    for kind, block, meanwhile in BLOCK.findall(SCENARIOS[catalog]):
        if kind == "sh":
            for words in commands(block):
                await service.store.sequence(1000)
                await reader.does(words)
        elif kind == "json":
            reader.shown(msgspec.json.decode(block))
        else:
            await reader.waits(meanwhile)
    assert reader.refusal is None, reader.refusal


def test_each_catalog_has_its_scenario() -> None:
    assert sorted(SCENARIOS) == list(CATALOGS)


@pytest.mark.parametrize("name", CATALOGS)
async def test_each_catalog_can_be_applied_and_again_changes_nothing(service: Service, name: str) -> None:
    for is_new in (True, False):
        reply = await service.client.put("/v1/catalog", content=CATALOGS[name])
        assert reply.status_code == 200, reply.text
        assert bool(reply.json()["changes"]) is is_new
