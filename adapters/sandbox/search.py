"""The part of Stripe's query language that looks things up by exact values (docs.stripe.com/search)."""

import re
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from adapters.sandbox.errors import JsonObject, invalid
from adapters.sandbox.parameters import Parameters

_CLAUSE = re.compile(
    r"""\s*(?P<field>\w+)(?:\[(?P<q>["'])(?P<key>.+?)(?P=q)\])?\s*:\s*(?P<w>["'])(?P<value>.*?)(?<!\\)(?P=w)\s*"""
)


class SearchParameters(Parameters):
    """docs.stripe.com/api/customers/search"""

    query: str
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    page: str | None = None


def search(url: str, objects: Iterable[JsonObject], asked: SearchParameters, fields: set[str]) -> JsonObject:
    """Objects for which every clause of `metadata['k']:'v' AND email:'e'` holds.

    Stripe's search lags up to a minute behind writes; this one only when told to (`SearchLag`).
    """
    clauses = _clauses(asked.query, fields)
    found = [candidate for candidate in objects if all(_holds(candidate, *clause) for clause in clauses)]
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


def _clauses(query: str, fields: set[str]) -> list[tuple[str, str | None, str]]:
    clauses = []
    position = 0
    while True:
        match = _CLAUSE.match(query, position)
        if match is None or match["field"] not in {*fields, "metadata"}:
            raise invalid(f"We were unable to parse your search query: {query}", "query")
        clauses.append((match["field"], match["key"], re.sub(r"\\(.)", r"\1", match["value"])))
        position = match.end()
        if position == len(query):
            return clauses
        joint = re.compile(r"AND\s", re.IGNORECASE).match(query, position)
        if joint is None:
            raise invalid(f"We were unable to parse your search query: {query}", "query")
        position = joint.end()


def _holds(object: JsonObject, field: str, key: str | None, wanted: str) -> bool:
    if key is not None:
        return bool(object["metadata"].get(key) == wanted)
    actual = object.get(field)
    return actual is not None and str(actual).lower() == wanted.lower()
