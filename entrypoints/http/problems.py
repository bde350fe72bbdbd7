"""Errors as they are answered: RFC 9457 problem+json, with a stable code. The only table of statuses.

docs/errors.md tells what each code means.
"""

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET, Struct, UnsetType

from domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    NotFound,
    ProviderRefused,
    Rejected,
    Repeated,
    TooMany,
    Unavailable,
)
from domain.ids import RequestId
from entrypoints.http.auth import NotAuthenticated
from entrypoints.http.bodies import Malformed
from entrypoints.http.field_errors import wrong_field
from entrypoints.http.requests import request_id_of

log = structlog.get_logger("http")

LONGEST_BODY = 1_000_000
"""Bytes that a request's body may have."""

PROBLEM_JSON = "application/problem+json"

_STATUS: dict[type[DomainError], int] = {
    Malformed: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Repeated: 409,
    Rejected: 422,
    ProviderRefused: 502,
    TooMany: 429,
    Unavailable: 503,
}
_STATUS_OF_CODE = {
    "invalid_signature": 400,
    "invalid_payload": 400,
    "checkout_session_not_open": 409,
    "already_subscribed": 409,
    "email_taken": 409,
    "external_id_taken": 409,
    "intake_payment_not_open": 409,
    "payment_not_refundable": 409,
    "purchase_not_open": 409,
    "quantity_fixed": 409,
    "stripe_customer_taken": 409,
    "subscription_canceled": 409,
    "subscription_not_activatable": 409,
}
_FRAMEWORK = {
    404: ("route_not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not know that method."),
    413: ("payload_too_large", f"A body may have {LONGEST_BODY} bytes at most."),
}
_WHO_ARE_YOU = {"WWW-Authenticate": 'Bearer realm="Counterfoil"'}
_HEADERS = {
    "api_key_missing": _WHO_ARE_YOU,
    "api_key_invalid": _WHO_ARE_YOU,
    "conflict": {"Retry-After": "1"},
    "idempotency_key_in_use": {"Retry-After": "1"},
    "stale_state": {"Retry-After": "1"},
    "rate_limited": {"Retry-After": "1"},
    "too_many_access_codes": {"Retry-After": "3600"},
    "database_busy": {"Retry-After": "1"},
    "database_unavailable": {"Retry-After": "5"},
    "payment_provider_unavailable": {"Retry-After": "5"},
}
"""What goes with a code: where asking again helps, in how many seconds."""


class FieldError(Struct, frozen=True):
    """The input at fault, as a path: `pricing_models[0].products[2].slug`."""

    field: str
    message: str


class Problem(Struct, frozen=True, kw_only=True):
    """What went wrong. `code` is stable, `detail` is for a person; `request_id` leads to our logs."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: RequestId
    errors: tuple[FieldError, ...] | UnsetType = UNSET

    @classmethod
    def of(
        cls, status: int, code: str, detail: str, request_id: RequestId, field: str | None = None
    ) -> "Problem":
        """The problem with this code, about this field if there is one."""
        return cls(
            type=f"urn:counterfoil:error:{code}",
            title=code.replace("_", " ").capitalize(),
            status=status,
            code=code,
            detail=detail,
            request_id=request_id,
            errors=(FieldError(field, detail),) if field else UNSET,
        )


def answer(request: Request, error: Exception) -> Response[Problem]:  # type: ignore[type-arg]
    """The reply to a request that failed, whatever it failed of."""
    problem, headers = problem_of(request, error)
    return Response(problem, status_code=problem.status, media_type=PROBLEM_JSON, headers=headers)


def problem_of(request: Request, error: Exception) -> tuple[Problem, dict[str, str]]:  # type: ignore[type-arg]
    """The problem, and the headers that go with its status. What nobody expected is logged, and not told."""
    if isinstance(error, HTTPException):
        status, code, detail, field = _of_framework(error)
    elif isinstance(error, DomainError):
        status, code, detail, field = status_of(error), error.code, error.detail, error.field
        if isinstance(error, Conflict):
            detail = "Other requests were changing the same thing. Try again."
    else:
        status, code, detail, field = 500, "internal_error", "Something went wrong on our side.", None
    request_id = request_id_of(request.scope)
    if code == "internal_error":
        log.error("request_failed", exc_info=error)
    request.scope["state"]["problem"] = code
    given = (error.headers or {}) if isinstance(error, HTTPException) else {}
    return Problem.of(status, code, detail, request_id, field), {**given, **_HEADERS.get(code, {})}


def status_of(error: DomainError) -> int:
    """The status of a refusal: its code's own, else that of its kind."""
    kinds = (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return _STATUS_OF_CODE.get(error.code) or next(kinds, 500)


def _of_framework(error: HTTPException) -> tuple[int, str, str, str | None]:
    """Status, code, detail and field of what Litestar refuses; its own words may say too much."""
    if isinstance(error, ValidationException):
        return _of_validation(error)
    if error.detail == "client disconnected prematurely":
        return 400, "client_disconnected", "The request ended before its body did.", None
    if error.status_code in _FRAMEWORK:
        return error.status_code, *_FRAMEWORK[error.status_code], None
    if error.status_code < 500:
        return error.status_code, "bad_request", "The request cannot be read.", None
    return 500, "internal_error", "Something went wrong on our side.", None


def _of_validation(error: ValidationException) -> tuple[int, str, str, str | None]:
    match error.extra:
        case [{"key": "data"}, *_]:
            return 400, "malformed_json", "The body is empty, where JSON is expected.", None
        case [{"key": key, "message": message}, *_]:
            refused = wrong_field(f"{message} - at `$.{key}`")
            return 422, refused.code, refused.detail, refused.field
        case _:
            return 422, "invalid_value", "A parameter is missing or wrong.", None
