"""Query parameters are taken at their word: a mistyped `?dryrun=true` applies nothing."""

from typing import Any
from weakref import WeakKeyDictionary

from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from domain.errors import Rejected
from entrypoints.http.auth import AnyRequest

_known: WeakKeyDictionary[BaseRouteHandler, frozenset[str]] = WeakKeyDictionary()


def check_parameters(request: AnyRequest) -> None:
    """Raises Rejected `unknown_field` for a parameter that the request's route does not have, and
    `invalid_value` for one that is given twice, or as `null`, which msgspec would take for its absence.
    """
    if not request.scope["query_string"]:
        return
    known, seen = _parameters(request.route_handler), set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise Rejected("unknown_field", f"{name} is not a known parameter", field=name)
        if name in seen or value.lower() == "null":
            raise Rejected("invalid_value", f"{name} must be given once, or left out", field=name)
        seen.add(name)


def _parameters(handler: BaseRouteHandler) -> frozenset[str]:
    known = _known.get(handler)
    if known is None:
        fields: dict[str, Any] = handler.parsed_fn_signature.parameters
        known = _known[handler] = frozenset(
            name for name, field in fields.items() if isinstance(field.kwarg_definition, QueryParameter)
        )
    return known
