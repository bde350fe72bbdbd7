"""What the sandbox says when it refuses, in the shape of docs.stripe.com/api/errors."""

from typing import Any

JsonObject = dict[str, Any]
"""One Stripe object in the form it has on the wire."""


class StripeError(Exception):
    """A refusal that becomes `{"error": {...}}`.

    `kept` says whether an idempotency key remembers it: Stripe keeps what happened once execution began, and
    forgets refusals of the parameters (docs.stripe.com/api/idempotent_requests).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = False,
        details: JsonObject | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.details = details or {}
        self._named = {"code": code, "message": message, "param": param, "type": type}

    def body(self) -> JsonObject:
        """The `error` object: only what is known, as Stripe leaves out the rest."""
        known = {name: value for name, value in self._named.items() if value is not None}
        code = known.get("code")
        link = (
            {}
            if code is None
            else {"doc_url": f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"}
        )
        return {**known, **link, **self.details}


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """The parameters cannot be used; nothing has happened and no key remembers it."""
    return StripeError(message, param=param, code=code)


def missing(param: str) -> StripeError:
    """docs.stripe.com/error-codes#parameter-missing"""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def not_found(kind: str, id: str, param: str = "id") -> StripeError:
    """The object named by the path is not there: docs.stripe.com/error-codes#resource-missing"""
    return StripeError(f"No such {kind}: '{id}'", status=404, code="resource_missing", param=param)


def no_such(kind: str, id: str, param: str) -> StripeError:
    """An object named by a parameter is not there; Stripe answers 400, as for any other bad parameter."""
    return invalid(f"No such {kind}: '{id}'", param, "resource_missing")


def unauthorized(message: str) -> StripeError:
    """docs.stripe.com/api/errors: 401, no valid API key provided."""
    return StripeError(message, status=401)


def unexpected_state(message: str, intent: JsonObject) -> StripeError:
    """docs.stripe.com/error-codes#payment-intent-unexpected-state, #setup-intent-unexpected-state; execution
    had begun, so a key keeps it."""
    kind = intent["object"]
    return StripeError(message, code=f"{kind}_unexpected_state", kept=True, details={kind: intent})
