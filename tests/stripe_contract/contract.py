"""Stripe's own OpenAPI description, as a check on what we send to Stripe and on what our sandbox answers.

    contract = StripeContract()
    contract.check_request("POST", "/v1/customers", [("metadata[a]", "b")])
    contract.check_response("POST", "/v1/customers", 200, {...})

Both raise `ContractBroken`, which says where and why. Stricter than the file in one way: an object that lists
its properties has no others, so that a nested typo is found.
"""

import gzip
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

FILE = Path(__file__).with_name("openapi-2026-08-26.json.gz")
_ROOT = "urn:stripe"


class ContractBroken(AssertionError):
    """What was sent or answered is not what Stripe's description allows."""


class StripeContract:
    """One instance compiles each schema once; `stripe_contract()` gives a shared one."""

    def __init__(self) -> None:
        self._document = _strict(json.loads(gzip.decompress(FILE.read_bytes())))
        self._registry = jsonschema_rs.Registry([(_ROOT, self._document)], draft=jsonschema_rs.Draft202012)
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def check_request(self, method: str, path: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Check the query of a GET or DELETE, or the form of a POST, given as keys and values in order."""
        template = self._template(method, path)
        pointer = f"paths/{_escaped(template)}/{method.lower()}"
        operation = self._document["paths"][template][method.lower()]
        form = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded")
        if method == "POST" and form is not None:
            schema, where = form["schema"], "requestBody/content/application~1x-www-form-urlencoded/schema"
        else:
            schema, where = operation["x-query"], "x-query"
        tree = self._coerced(_tree(pairs), schema)
        self._validate(f"{pointer}/{where}", tree, f"request {method} {path}")

    def check_response(self, method: str, path: str, status: int, body: object) -> None:
        """Check a reply; every status but 200 has the error shape."""
        template = self._template(method, path)
        key = "200" if status == 200 else "default"
        pointer = (
            f"paths/{_escaped(template)}/{method.lower()}/responses/{key}/content/application~1json/schema"
        )
        self._validate(pointer, body, f"response {status} to {method} {path}")

    def check_object(self, body: dict[str, Any]) -> None:
        """Check an object by the name it bears in `object`, such as an event or what it snapshots."""
        self._validate(f"components/schemas/{body['object']}", body, f"object {body['object']}")

    def _template(self, method: str, path: str) -> str:
        """The path as the description writes it; a literal path wins over one with an id in its place."""
        found: list[str] = [
            template
            for template, operations in self._document["paths"].items()
            if method.lower() in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        ]
        if not found:
            raise ContractBroken(f"Stripe has no endpoint {method} {path}")
        return min(found, key=lambda template: template.count("{"))

    def _validate(self, pointer: str, value: object, what: str) -> None:
        if pointer not in self._validators:
            schema = {"$ref": f"{_ROOT}#/{pointer}"}
            self._validators[pointer] = jsonschema_rs.Draft202012Validator(schema, registry=self._registry)
        error = next(iter(self._validators[pointer].iter_errors(value)), None)
        if error is not None:
            raise ContractBroken(f"{what}: {error.message[:500]} at {list(error.instance_path)}")

    def _coerced(self, value: Any, schema: dict[str, Any]) -> Any:
        """Forms carry only strings: read them as the numbers, booleans and lists the schema asks for."""
        branches = [self._resolved(branch) for branch in schema.get("anyOf", [schema])]
        types = {name for branch in branches for name in _types(branch)}
        if isinstance(value, str):
            if "integer" in types and re.fullmatch(r"-?\d+", value):
                return int(value)
            return value == "true" if "boolean" in types and value in ("true", "false") else value
        items = next((branch["items"] for branch in branches if "items" in branch), None)
        if items is not None and all(key.isdigit() for key in value):
            return [self._coerced(value[key], items) for key in sorted(value, key=int)]
        known: dict[str, Any] = {}
        for branch in branches:
            known = {**branch.get("properties", {}), **known}
        return {key: self._coerced(child, known.get(key, {})) for key, child in value.items()}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        node: Any = schema
        while "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            node = self._document["components"]["schemas"][name]
        return dict(node)


@cache
def stripe_contract() -> StripeContract:
    """Reading the description takes a moment; once is enough."""
    return StripeContract()


def _strict(node: Any) -> Any:
    """OpenAPI 3.0 → JSON Schema: close objects, spell out null, make an object of the query parameters."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: _strict(value) for key, value in node.items() if key != "nullable"}
    if isinstance(node.get("properties"), dict) and "type" in node and "additionalProperties" not in node:
        out["additionalProperties"] = False
    if node.get("nullable") is True:
        if "enum" in out:
            out["enum"] = [*out["enum"], None]
        if "anyOf" in out:
            out["anyOf"] = [*out["anyOf"], {"type": "null"}]
        if "type" in out:
            out["type"] = [out["type"], "null"]
    if "operationId" in node or "responses" in node:
        query = [parameter for parameter in out.get("parameters", []) if parameter["in"] == "query"]
        out["x-query"] = {
            "type": "object",
            "properties": {parameter["name"]: parameter["schema"] for parameter in query},
            "required": [parameter["name"] for parameter in query if parameter.get("required")],
            "additionalProperties": False,
        }
    return out


def _types(schema: dict[str, Any]) -> list[str]:
    given = schema.get("type", [])
    return given if isinstance(given, list) else [given]


def _escaped(template: str) -> str:
    return template.replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _tree(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=c` → `{"a": {"b": {"0": "c"}}}`; what is a list, the schema says."""
    tree: dict[str, Any] = {}
    for key, value in pairs:
        *path, last = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key)
        node = tree
        for part in path:
            node = node.setdefault(part or str(len(node)), {})
        node[last or str(len(node))] = value
    return tree
