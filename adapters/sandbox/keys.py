"""Who is calling: docs.stripe.com/api/authentication and docs.stripe.com/keys."""

import base64
import binascii

from adapters.sandbox.errors import StripeError, unauthorized
from adapters.sandbox.state import Books

LIVE_PREFIXES = ("sk_live_", "pk_live_", "rk_live_")


def is_publishable(books: Books, authorization: str | None) -> bool:
    """Whether the key is the publishable one; raises unless it is one of the sandbox's own two test keys."""
    key = _key(authorization or "")
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
        raise unauthorized(message)
    if key.startswith(LIVE_PREFIXES):
        message = (
            "The sandbox refuses live keys: it is not Stripe. Take the live key out of this configuration."
        )
        raise unauthorized(message)
    if key not in (books.secret_key, books.publishable_key):
        raise unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")
    return key == books.publishable_key


def secret_key_required() -> StripeError:
    """docs.stripe.com/error-codes#secret-key-required"""
    message = "This API call cannot be made with a publishable API key. Please use a secret API key."
    return StripeError(message, status=403, code="secret_key_required")


def _key(authorization: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
