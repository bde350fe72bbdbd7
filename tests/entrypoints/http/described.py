"""Holds replies to what /openapi.json says of them: status, media type, headers, schema, and so the code."""

import json
import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs
from litestar import Litestar

from entrypoints.http.description import complete

ANYWHERE = {"route_not_found", "method_not_allowed", "payload_too_large", "headers_too_large"}
"""The codes that any request can be answered with; the description tells of them once."""


_first: list[dict[str, Any]] = []


def description_of(app: Litestar) -> dict[str, Any]:
    """What /openapi.json answers: made once, as it is the same of every app."""
    if not _first:
        described: dict[str, Any] = app.openapi_schema.to_schema()
        complete(described)
        _first.append(described)
    return _first[0]


def held_to(app: Litestar) -> "Described":
    """What the replies of this app, and so of any, are held to."""
    description_of(app)
    return _described()


@cache
def _described() -> "Described":
    return Described(_first[0])


class Described:
    """`check(reply)` fails for what the description does not tell of."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._components = description["components"]
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self._operations = {
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path))): operation
            for path, item in description["paths"].items()
            for method, operation in item.items()
        }

    async def check(self, reply: httpx.Response) -> None:
        """For httpx's event hooks."""
        await reply.aread()
        operation = self.operation_of(reply.request)
        if operation is None or (reply.is_error and _code(reply) in ANYWHERE):
            return
        where = f"{operation['operationId']} {reply.status_code}: {reply.text[:500]}"
        told = operation["responses"].get(str(reply.status_code))
        assert told is not None, f"not described: {where}"
        for name, header in told["headers"].items():
            required = self._components["headers"][header["$ref"].rpartition("/")[2]].get("required")
            assert not required or name in reply.headers, f"{name} is missing: {where}"
        if "content" not in told:
            assert reply.content in (b"", b"null"), where
            return
        media_type = reply.headers["content-type"].partition(";")[0]
        assert media_type in told["content"], f"{media_type} is not described: {where}"
        if media_type.endswith("json"):
            self.validator(told["content"][media_type]["schema"]).validate(reply.json())

    def operation_of(self, request: httpx.Request) -> dict[str, Any] | None:
        """The operation that a request is of."""
        for (method, path), operation in self._operations.items():
            if request.method == method and path.fullmatch(request.url.raw_path.decode().partition("?")[0]):
                described: dict[str, Any] = operation
                return described
        return None

    def validator(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        """Of a schema in the description."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = jsonschema_rs.validator_for(
                {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    **schema,
                    "components": self._components,
                },
                validate_formats=True,
            )
        return self._validators[key]


def _code(reply: httpx.Response) -> str | None:
    is_problem = reply.headers["content-type"] == "application/problem+json"
    return reply.json()["code"] if is_problem and reply.content else None
