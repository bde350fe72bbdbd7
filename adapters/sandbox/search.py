"""Stripe's query language (docs.stripe.com/search#search-query-language)."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from adapters.sandbox.errors import JsonObject, StripeError, invalid
from adapters.sandbox.parameters import Parameters

Kind: TypeAlias = Literal["token", "string", "numeric"]
Fields: TypeAlias = dict[str, Kind]
"""Which fields of an object can be searched, and as what; every object's metadata can, as tokens."""

MAXIMUM_CLAUSES = 10
SHORTEST_SUBSTRING = 3
_OPERATORS: dict[Kind, tuple[str, ...]] = {
    "token": (":",),
    "string": (":", "~"),
    "numeric": (":", ">", "<", ">=", "<="),
}
_CLAUSE = re.compile(
    r"""(?P<negated>-?)(?P<field>\w+)(?:\[(?P<q>["'])(?P<key>.+?)(?P=q)\])?\s*(?P<operator>:|~|>=|<=|>|<)\s*"""
    r"""(?:(?P<w>["'])(?P<quoted>.*?)(?<!\\)(?P=w)|(?P<bare>null|NULL|-?\d+))"""
)
_JOINT = re.compile(r"\s+(?:(AND|OR)\s+)?", re.IGNORECASE)


class SearchParameters(Parameters):
    """docs.stripe.com/api/customers/search"""

    query: str
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    page: str | None = None


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """`-metadata['key']:'value'`: a field, how it is compared, and with what; null asks for absence."""

    negated: bool
    field: str
    key: str | None
    operator: str
    kind: Kind
    wanted: str | None

    def holds(self, candidate: JsonObject) -> bool:
        """Whether the object is among those meant."""
        return self._matches(candidate) != self.negated

    def _matches(self, candidate: JsonObject) -> bool:
        actual = candidate["metadata"].get(self.key) if self.key is not None else candidate.get(self.field)
        if self.wanted is None or actual is None:
            return self.wanted is None and actual is None
        told, wanted = str(actual).lower(), self.wanted.lower()
        if self.operator == "~":
            return wanted in told
        if self.operator == ":":
            return _has_words(told, wanted) if self.kind == "string" else told == wanted
        number, bound = int(actual), int(self.wanted)
        if self.operator.endswith("=") and number == bound:
            return True
        return number > bound if self.operator.startswith(">") else number < bound


def search(url: str, objects: Iterable[JsonObject], asked: SearchParameters, fields: Fields) -> JsonObject:
    """Objects for which all clauses hold, or, where they are joined by OR, any.

    Stripe's search lags up to a minute behind writes; this one only when told to (`SearchLag`).
    """
    clauses, together = _read(asked.query, fields)
    found = [candidate for candidate in objects if together(clause.holds(candidate) for clause in clauses)]
    start = int(asked.page) if asked.page and asked.page.isdigit() else 0
    end = start + asked.limit
    more = len(found) > end
    return {
        "object": "search_result",
        "data": found[start:end],
        "has_more": more,
        "next_page": str(end) if more else None,
        "url": url,
    }


def _read(query: str, fields: Fields) -> tuple[list[Clause], Callable[[Iterable[bool]], bool]]:
    """The clauses, and whether all must hold or any; AND and OR are not to be mixed."""
    clauses: list[Clause] = []
    joints: set[str] = set()
    text, position = query.strip(), 0
    while True:
        match = _CLAUSE.match(text, position)
        if match is None:
            raise _unreadable(query)
        clauses.append(_clause(match, fields, query))
        position = match.end()
        if position == len(text):
            break
        joint = _JOINT.match(text, position)
        if joint is None:
            raise _unreadable(query)
        joints.add((joint[1] or "AND").upper())
        position = joint.end()
    if len(joints) > 1 or len(clauses) > MAXIMUM_CLAUSES:
        raise _unreadable(query)
    return clauses, any if joints == {"OR"} else all


def _clause(match: re.Match[str], fields: Fields, query: str) -> Clause:
    field, key, quoted = match["field"], match["key"], match["quoted"]
    kind: Kind | None = "token" if (field == "metadata" and key is not None) else fields.get(field)
    if kind is None or match["operator"] not in _OPERATORS[kind] or (key is None) != (field != "metadata"):
        raise _unreadable(query)
    wanted = match["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    absent = quoted is None and wanted.lower() == "null"
    if kind == "numeric" and not absent and not re.fullmatch(r"-?\d+", wanted):
        raise _unreadable(query)
    if match["operator"] == "~" and len(wanted) < SHORTEST_SUBSTRING:
        raise _unreadable(query)
    return Clause(
        negated=match["negated"] == "-",
        field=field,
        key=key,
        operator=match["operator"],
        kind=kind,
        wanted=None if absent else wanted,
    )


def _has_words(text: str, wanted: str) -> bool:
    """A string matches when it has all of the words, in their order."""
    words = iter(text.split())
    return all(word in words for word in wanted.split())


def _unreadable(query: str) -> StripeError:
    return invalid(f"We were unable to parse your search query: {query}", "query")
