"""What a route may answer instead of what was asked for: its statuses, each with its codes.

The tests hold every reply to this (docs/errors.md tells what each code means).
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeAlias

from litestar.openapi import ResponseSpec

from entrypoints.http.problems import PROBLEM_JSON, Problem

Codes: TypeAlias = Mapping[int, tuple[str, ...]]

_ANY: Codes = {400: ("bad_request",), 500: ("internal_error",)}
STORED: Codes = {503: ("database_unavailable", "database_busy")}
"""Of routes that ask the database."""
KEYED: Codes = {
    401: ("api_key_missing", "api_key_invalid"),
    422: ("unknown_field", "invalid_value"),  # a parameter of the query
    429: ("rate_limited",),
    **STORED,
}
"""Of routes that ask for a key."""
WITH_BODY: Codes = {
    400: ("malformed_json",),
    413: ("payload_too_large",),
    422: ("missing_field", "wrong_type", "invalid_value", "invalid_id"),
}
WITH_ID: Codes = {422: ("invalid_id",)}
NAMED: Codes = {
    404: ("customer_deleted",),
    409: ("idempotency_key_in_use",),
    422: ("invalid_value", "idempotency_key_reused"),
}
"""Of POSTs, which a caller may name with an `Idempotency-Key`."""
PROVIDER_ASKED: Codes = {
    503: (
        "payment_provider_unavailable",
        "payment_provider_not_configured",
        "payment_provider_misconfigured",
    ),
}
"""Of routes that cannot answer without the payment provider."""
WRITING: Codes = {409: ("conflict", "stale_state")}


def refusals(*parts: Codes) -> dict[int, ResponseSpec]:
    """For `responses=` of a handler."""
    merged: dict[int, list[str]] = {}
    for part in (_ANY, *parts):
        for status, codes in part.items():
            known = merged.setdefault(status, [])
            known.extend(code for code in codes if code not in known)
    return {status: _spec(status, codes) for status, codes in sorted(merged.items())}


def _spec(status: int, codes: list[str]) -> ResponseSpec:
    words = f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}"
    return ResponseSpec(Problem, generate_examples=False, media_type=PROBLEM_JSON, description=words)
