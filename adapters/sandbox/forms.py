"""Stripe's request bodies are forms whose keys spell a tree: `card[number]=4242`, `expand[0]=customer`."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from adapters.sandbox.errors import JsonObject, invalid

Pairs = list[tuple[str, str]]


def pairs_of(text: str) -> Pairs:
    """The keys and values of a query string or form body, in order; empty values mean "clear this"."""
    return parse_qsl(text, keep_blank_values=True)


def tree_of(pairs: Iterable[tuple[str, str]]) -> JsonObject:
    """Turn `a[b][0]=c` into `{"a": {"b": ["c"]}}`; `a[]=c` appends. Values stay strings."""
    tree: JsonObject = {}
    for key, value in pairs:
        path = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key)
        if not path:
            raise invalid(f"Invalid parameter name: {key!r}", key)
        _place(tree, path, value, key)
    return {name: _with_lists(node, name) for name, node in tree.items()}


def _place(tree: JsonObject, path: list[str], value: str, key: str) -> None:
    node = tree
    for part in path[:-1]:
        child = node.setdefault(part or str(len(node)), {})
        if not isinstance(child, dict):
            raise invalid(f"Invalid {path[0]}: given both as a value and as an object", key)
        node = child
    last = path[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise invalid(f"Invalid {path[0]}: given both as a value and as an object", key)
    node[last] = value


def _with_lists(node: Any, name: str) -> Any:  # noqa: ANN401 (a tree of any shape)
    """Objects whose keys are all numbers are lists; metadata is spared, since there `0` is a name."""
    if not isinstance(node, dict) or name == "metadata":
        return node
    if node and all(key.isdigit() for key in node):
        return [_with_lists(node[key], key) for key in sorted(node, key=int)]
    return {key: _with_lists(value, key) for key, value in node.items()}
