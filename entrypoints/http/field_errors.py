"""What msgspec says of a wrong value, as a refusal: a code for what kind of wrong it is, the field, and words
for people who know JSON, not Python.
"""

import re

from domain.errors import Rejected
from domain.events import SUBJECT_ID
from domain.expansions import EXPAND, EXPANSIONS
from domain.ids import PREFIXES, id_pattern
from domain.text import CUSTOMER_REFERENCE, EMAIL, ENTITY_REFERENCE, STRIPE_CUSTOMER, URL, USER_REFERENCE

CURSOR = r"\A[0-9]{1,16}\.[0-9A-Za-z_]{1,255}\Z"
"""A place in the inbox, where ids say nothing of time: microseconds, and Stripe's id."""

_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`\Z")
_NAMED = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<name>[^`]*)`\Z")
_TYPE = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<given>[^`]*)`\Z")
_LIMIT = re.compile(r"Expected `(?P<wanted>[^`]*)` (?P<limit>(?:of length )?[<>]?=? ?\d+)(?:\.0)?\Z")
_REGEX = re.compile(r"Expected `str(?: \| null)?` matching regex '(?P<regex>.*)'\Z", re.DOTALL)
_ENUM = re.compile(r"Invalid (?:enum )?value (?P<value>.*)\Z", re.DOTALL)

_JSON_TYPES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
}
_FORMS = {
    r"\A[^\x00]*\Z": ("invalid_value", "must not contain NUL characters"),
    EMAIL: ("invalid_value", "must be an e-mail address"),
    URL: ("invalid_value", "must be an address that starts with http:// or https://"),
    CUSTOMER_REFERENCE: ("invalid_id", "must be the id of a customer, cus_…, or its external id"),
    USER_REFERENCE: ("invalid_id", "must be the id of a user, usr_…, or its external id"),
    ENTITY_REFERENCE: ("invalid_id", "must be the id of an entity, ent_…, or its external id"),
    STRIPE_CUSTOMER: ("invalid_id", "must be the id of a customer at Stripe, cus_…"),
    CURSOR: ("invalid_value", "must be the next_cursor of a page"),
    EXPAND: ("invalid_value", f"must be some of {', '.join(EXPANSIONS)}, separated by commas"),
    SUBJECT_ID: ("invalid_id", "must be an id, such as cus_… with 26 letters and digits"),
    **{
        id_pattern(kind): ("invalid_id", f"must be an id that is {prefix}_ and 26 letters and digits")
        for kind, prefix in PREFIXES.items()
    },
}
"""What the form of a text means, by the pattern that it must have."""


def wrong_field(message: str) -> Rejected:
    """The refusal for msgspec's `Expected … - at `$.a.b[0]``: it names the field `a.b[0]`.

    Its code is `unknown_field`, `missing_field`, `wrong_type`, `invalid_id`, or `invalid_value`.
    """
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    said = message[: place.start()] if place else message
    if (named := _NAMED.match(said)) is not None:
        path = f"{path}.{named['name']}" if path else named["name"]
        unknown = named["what"] == "contains unknown"
        code, words = (
            ("unknown_field", "is not a known field") if unknown else ("missing_field", "is required")
        )
    else:
        code, words = _explained(said)
    return Rejected(code, f"{path or 'The document'} {words}", field=path or None)


def _explained(said: str) -> tuple[str, str]:
    if (types := _TYPE.match(said)) is not None:
        return "wrong_type", f"must be {_in_json(types['wanted'])}, not {_in_json(types['given'])}"
    if (regex := _REGEX.match(said)) is not None:
        pattern = regex["regex"].replace("\\\\", "\\")
        form = pattern.removeprefix(r"\A").removesuffix(r"\Z")
        return _FORMS.get(pattern, ("invalid_value", f"must be of the form {form}"))
    if (enum := _ENUM.match(said)) is not None:
        return "invalid_value", f"cannot be {enum['value']}"
    if (limit := _LIMIT.match(said)) is not None:
        return "invalid_value", f"must be {_in_json(limit['wanted'])} {limit['limit']}"
    return "invalid_value", "is out of range"


def _in_json(types: str) -> str:
    return " or ".join(_JSON_TYPES.get(name, name) for name in types.split(" | "))
