"""Query parameters that a route does not know are refused: a mistyped `?dryrun=true` applies nothing."""

from functools import cache
from typing import Any

from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from domain.errors import Rejected
from entrypoints.http.auth import AnyRequest


def refuse_unknown_parameters(request: AnyRequest) -> None:
    """Raises Rejected `unknown_field` for the first parameter that the request's route does not have."""
    if not request.scope["query_string"]:
        return
    known = _parameters(request.route_handler)
    for name in request.query_params:
        if name not in known:
            raise Rejected("unknown_field", f"{name} is not a known parameter", field=name)


@cache
def _parameters(handler: BaseRouteHandler) -> frozenset[str]:
    fields: dict[str, Any] = handler.parsed_fn_signature.parameters
    return frozenset(
        name for name, field in fields.items() if isinstance(field.kwarg_definition, QueryParameter)
    )
