"""`expand[]=latest_charge`: ids replaced by what they name (docs.stripe.com/api/expanding_objects)."""

import copy

from adapters.sandbox.errors import JsonObject, invalid
from adapters.sandbox.state import Books

MAXIMUM_DEPTH = 4

_EXPANDABLE: dict[str, dict[str, str]] = {
    "charge": {"customer": "customer", "payment_intent": "payment_intent"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "payment_intent": {"customer": "customer", "latest_charge": "charge", "payment_method": "payment_method"},
    "payment_method": {"customer": "customer"},
    "setup_attempt": {
        "customer": "customer",
        "payment_method": "payment_method",
        "setup_intent": "setup_intent",
    },
    "setup_intent": {
        "customer": "customer",
        "latest_attempt": "setup_attempt",
        "payment_method": "payment_method",
    },
    "refund": {"charge": "charge", "payment_intent": "payment_intent"},
}
"""Kind of object → its fields that hold an id → the kind of object the id names."""


def check_expandable(kind: str, listed: bool, paths: list[str]) -> None:
    """Refuse what cannot be expanded before anything happens; in lists every path starts with `data.`."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAXIMUM_DEPTH:
            raise invalid(
                f"You cannot expand more than {MAXIMUM_DEPTH} levels of a property: {path}", "expand"
            )
        if listed:
            steps = steps[1:] if steps[0] == "data" else []
        reached: str | None = kind
        for step in steps:
            reached = _EXPANDABLE.get(reached or "", {}).get(step)
        if not steps or reached is None:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")


def expanded(books: Books, reply: JsonObject, paths: list[str]) -> JsonObject:
    """A copy of the reply with each path, already checked, expanded."""
    if not paths:
        return reply
    reply = copy.deepcopy(reply)
    for path in paths:
        steps = path.split(".")
        listed = steps[0] == "data"
        for shown in reply["data"] if listed else [reply]:
            _expand(books, shown, steps[1:] if listed else steps)
    return reply


def _expand(books: Books, object: JsonObject, steps: list[str]) -> None:
    if not steps:
        return
    step, *rest = steps
    kind = _EXPANDABLE[object["object"]][step]
    collection: dict[str, JsonObject] = getattr(books, f"{kind}s")
    if isinstance(object[step], str):
        object[step] = copy.deepcopy(collection[object[step]])
    if object[step] is not None and not object[step].get("deleted"):
        _expand(books, object[step], rest)
