"""When Stripe says no, or nothing: its errors in our words, in one place (docs.stripe.com/api/errors)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import aiohttp
import msgspec
import stripe

from adapters.stripe.discretion import discreet
from application.ports import PaymentMethodUnusable
from domain.errors import ProviderRefused, Rejected, Unavailable

# docs.stripe.com/error-codes
_STATE_FORBIDS = ("payment_intent_unexpected_state", "setup_intent_unexpected_state")
# Words, as there are no codes.
_DETACHED = "detached from a Customer"
_OF_ANOTHER_MODE = "a similar object exists"


def key_setting(*, livemode: bool) -> str:
    """The setting that holds a mode's secret key."""
    return "STRIPE_LIVE_SECRET_KEY" if livemode else "STRIPE_TEST_SECRET_KEY"


def not_configured(*, livemode: bool) -> Unavailable:
    """No Stripe account for this mode: its effects wait until there is one."""
    mode = "live" if livemode else "test"
    return Unavailable(
        "payment_provider_not_configured",
        f"There is no Stripe account for {mode} mode. Set {key_setting(livemode=livemode)}.",
    )


@contextmanager
def in_our_words(*, livemode: bool) -> Iterator[None]:
    """Whatever goes wrong in the block with Stripe is raised as ProviderRefused or Unavailable.

    Without the error itself, which carries the reply's body, and with it what lets a browser pay an intent.
    """
    try:
        yield
    except stripe.StripeError as error:
        raise _translated(error, livemode=livemode) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:  # the SDK lets these out of a reply's body
        raise _unavailable(f"the connection failed: {type(error).__name__}") from None
    except msgspec.DecodeError:
        raise _unavailable("it gave an answer that is not Stripe's") from None


@contextmanager
def unless_its_state_forbids() -> Iterator[None]:
    """An intent that has ended, or that is being paid, is left as it is, and that is no error."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.code not in _STATE_FORBIDS:
            raise


@contextmanager
def unless_it_is_gone() -> Iterator[None]:
    """What is not there any more need not be deleted (docs.stripe.com/error-codes#resource-missing)."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise


@contextmanager
def method_may_be_unusable() -> Iterator[None]:
    """Raises PaymentMethodUnusable for one that is not there, was detached, which can never be used again
    (docs.stripe.com/api/payment_methods/detach), or is declined as it is attached.

    Stripe has no code for the second: it is known by its words, and whatever else is refused stays refused.
    """
    try:
        yield
    except stripe.CardError as error:
        raise PaymentMethodUnusable(_said(error)) from None
    except stripe.InvalidRequestError as error:
        said = error.user_message or ""
        is_missing = error.code == "resource_missing" and error.param == "payment_method"
        if _DETACHED not in said and (not is_missing or _OF_ANOTHER_MODE in said):
            raise
        raise PaymentMethodUnusable(_said(error)) from None


@contextmanager
def state_forbids(refusal: Callable[[], Rejected]) -> Iterator[None]:
    """Where an intent has ended, or is being paid, that is what is refused."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.code not in _STATE_FORBIDS:
            raise
        raise refusal() from None


def unless_declined() -> suppress:
    """That the bank refuses is an outcome, and no error (docs.stripe.com/declines)."""
    return suppress(stripe.CardError)


def _translated(error: stripe.StripeError, *, livemode: bool) -> ProviderRefused | Unavailable:
    setting = key_setting(livemode=livemode)
    match error:
        case stripe.AuthenticationError():  # its message shows parts of the key
            return _misconfigured(f"Stripe does not accept the configured key. Check {setting}.", error)
        case stripe.PermissionError():
            return _misconfigured(
                f"Stripe does not permit this to the configured key. Check {setting}: {_said(error)}", error
            )
        case stripe.CardError() | stripe.InvalidRequestError() | stripe.IdempotencyError():
            return _refused(f"Stripe refused the call: {_said(error)}", error)
        case stripe.APIConnectionError():
            return _unavailable(f"the connection failed: {type(error.__cause__).__name__}")
        case stripe.RateLimitError():
            return _unavailable(f"there were too many calls at once{_reference(error)}")
        case _:  # 5xx; 409 while the same key is in use; a reply that is not Stripe's
            return _unavailable(f"it answered with status {error.http_status}{_reference(error)}")


def _refused(what: str, error: stripe.StripeError) -> ProviderRefused:
    return ProviderRefused("payment_provider_refused", f"{what}{_reference(error)}")


def _misconfigured(what: str, error: stripe.StripeError) -> Unavailable:
    """The key is at fault and not the call, which can be made again once the key is right."""
    return Unavailable("payment_provider_misconfigured", f"{what}{_reference(error)}")


def _unavailable(why: str) -> Unavailable:
    return Unavailable("payment_provider_unavailable", f"Stripe did not do what was asked: {why}.")


def _said(error: stripe.StripeError) -> str:
    return discreet(error.user_message or "no reason given")


def _reference(error: stripe.StripeError) -> str:
    """What Stripe's support and documentation call it (docs.stripe.com/error-codes)."""
    said = error.json_body if isinstance(error.json_body, dict) else {}
    detail = said.get("error")
    code = error.code or (detail.get("code") if isinstance(detail, dict) else None)
    known = [part for part in (code, error.request_id) if part]
    return f" ({', '.join(known)})" if known else ""
