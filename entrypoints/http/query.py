"""Query parameters are taken at their word: a mistyped `?dryrun=true` applies nothing."""

from functools import lru_cache
from typing import Any

from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from domain.errors import Rejected
from entrypoints.http.auth import AnyRequest


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


@lru_cache(maxsize=1000)  # more than there are, and not those of every app that there ever was
def _parameters(handler: BaseRouteHandler) -> frozenset[str]:
    fields: dict[str, Any] = handler.parsed_fn_signature.parameters
    return frozenset(
        name for name, field in fields.items() if isinstance(field.kwarg_definition, QueryParameter)
    )
