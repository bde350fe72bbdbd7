"""What a request may say: one struct per endpoint, read strictly, refused in Stripe's words."""

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.sandbox.errors import JsonObject, StripeError, invalid, missing

Cleared = Literal[""]
"""An empty value in an update unsets the field (docs.stripe.com/api/metadata, and each field's own entry)."""
Text = str | UnsetType
MetadataGiven = dict[str, str] | Cleared | UnsetType


class Parameters(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Every endpoint takes `expand` (docs.stripe.com/api/expanding_objects)."""

    expand: list[str] = []


class Nested(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A group of parameters within another."""


class Range(Nested):
    """`created[gte]=…`: docs.stripe.com/api/events/list#list_events-created"""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None

    def holds(self, moment: int) -> bool:
        """Whether a moment lies within."""
        return (
            (self.gt is None or moment > self.gt)
            and (self.gte is None or moment >= self.gte)
            and (self.lt is None or moment < self.lt)
            and (self.lte is None or moment <= self.lte)
        )


class ListParameters(Parameters):
    """docs.stripe.com/api/pagination"""

    created: Range | int | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    starting_after: str | None = None
    ending_before: str | None = None


class AddressGiven(Nested):
    """A postal address; parts not given are null."""

    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None

    def shown(self) -> JsonObject:
        """The address with all its parts, as replies carry it."""
        return {name: getattr(self, name) or None for name in self.__struct_fields__}


class ShippingGiven(Nested):
    """Where goods go."""

    address: AddressGiven
    name: str
    phone: str | None = None

    def shown(self) -> JsonObject:
        """The form it has in replies."""
        return {"address": self.address.shown(), "name": self.name, "phone": self.phone}


P = TypeVar("P")


def read(kind: type[P], tree: JsonObject) -> P:
    """Decode a request's tree of strings, or refuse it as Stripe would."""
    try:
        return msgspec.convert(tree, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _in_stripes_words(str(error), tree) from None


def assign(object: JsonObject, given: Parameters, fields: tuple[str, ...]) -> JsonObject:
    """Write the given fields onto an object; returns what they were before, for `previous_attributes`."""
    changes: JsonObject = {}  # first all of them: a refusal leaves the object as it was
    for field in fields:
        value = getattr(given, field)
        if value is UNSET:
            continue
        if field == "metadata":
            value = merged_metadata(object["metadata"], value)
        elif isinstance(value, AddressGiven | ShippingGiven):
            value = value.shown()
        elif value == "":
            value = None
        if value != object[field]:
            changes[field] = value
    previous = {field: object[field] for field in changes}
    object.update(changes)
    return previous


def merged_metadata(old: dict[str, str], given: MetadataGiven) -> dict[str, str]:
    """Keys not named stay; an empty value removes its key; empty altogether removes all.

    Limits and rule: docs.stripe.com/api/metadata
    """
    if given is UNSET:
        return old
    if given == "":
        return {}
    assert isinstance(given, dict)
    for key, value in given.items():
        if len(key) > 40:
            raise invalid(f"Metadata keys can have up to 40 characters: {key}", f"metadata[{key}]")
        if len(value) > 500:
            message = (
                f"Metadata values can have up to 500 characters, but you passed in {len(value)} characters."
            )
            raise invalid(message, f"metadata[{key}]")
    merged = {key: value for key, value in {**old, **given}.items() if value != ""}
    if len(merged) > 50:
        raise invalid("You can have up to 50 metadata keys.", "metadata")
    return merged


def _in_stripes_words(complaint: str, tree: JsonObject) -> StripeError:
    """msgspec's message → Stripe's code, param and words (docs.stripe.com/error-codes)."""
    told, _, path = complaint.partition(" - at ")
    steps = re.findall(r"\w+", path.strip("`").removeprefix("$"))
    field = re.search(r"(?:required|unknown) field `(.+?)`", told)
    if field is not None:
        param = _spelled([*steps, field[1]])
        if "unknown" in told:
            return invalid(f"Received unknown parameter: {param}", param, "parameter_unknown")
        return missing(param)
    param, value = _spelled(steps), _at(tree, steps)
    if told.startswith("Expected `int` >="):
        bound = told.rpartition(" ")[2]
        message = f"This value must be greater than or equal to {bound}."
        return invalid(message, param, "parameter_invalid_integer")
    if told.startswith("Expected `int"):
        return invalid(f"Invalid integer: {value}", param, "parameter_invalid_integer")
    if told.startswith("Expected `bool"):
        return invalid(f"Invalid boolean: {value}", param)
    return invalid(f"Invalid {param}: {told.removeprefix('Invalid ')}", param)


def _spelled(steps: list[str]) -> str:
    first, *rest = steps or ["body"]
    return first + "".join(f"[{step}]" for step in rest)


def _at(tree: JsonObject, steps: list[str]) -> Any:  # noqa: ANN401 (whatever was sent)
    node: Any = tree
    for step in steps:
        node = node.get(step) if isinstance(node, dict) else node
    return node
