"""What an attempt to pay and an attempt to set up have in common: the buyer's bank asks, and may refuse."""

import copy
from typing import Literal

from adapters.sandbox.errors import JsonObject, StripeError, unexpected_state
from adapters.sandbox.resources.cards import Decline, card_error
from adapters.sandbox.resources.intents import NAMES
from adapters.sandbox.state import Account

Outcome = Literal["succeeded", "failed"]

_LAST_ERROR = {"payment_intent": "last_payment_error", "setup_intent": "last_setup_error"}
_FAILED = {"payment_intent": "payment_intent.payment_failed", "setup_intent": "setup_intent.setup_failed"}


def begin(intent: JsonObject) -> None:
    """What the attempt before has left is gone."""
    intent.update({_LAST_ERROR[intent["object"]]: None, "next_action": None})


def ask(account: Account, intent: JsonObject, return_url: str | None) -> None:
    """The bank wants 3-D Secure: the buyer is sent to a page, or Stripe.js opens it."""
    kind = intent["object"]
    page = f"{account.address}/_sandbox/{kind}s/{intent['id']}/authenticate"
    if return_url is None:
        action: JsonObject = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }
    else:
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    intent.update(status="requires_action", next_action=action)
    account.announce(f"{kind}.requires_action", intent)


def answered(account: Account, intent: JsonObject) -> JsonObject:
    """The buyer has dealt with 3-D Secure, and no page is needed any more; the method it was about."""
    if intent["status"] != "requires_action":
        name = NAMES[intent["object"]]
        raise unexpected_state(f"This {name} needs no action: it is {intent['status']}.", intent)
    intent["next_action"] = None
    return account.books.payment_methods[intent["payment_method"]]


def processed(account: Account, intent: JsonObject) -> JsonObject:
    """The bank has dealt with what was `processing`; the method it was about."""
    if intent["status"] != "processing":
        name = NAMES[intent["object"]]
        raise unexpected_state(f"This {name} is not processing: it is {intent['status']}.", intent)
    return account.books.payment_methods[intent["payment_method"]]


def unauthenticated(intent: JsonObject) -> JsonObject:
    """What the intent tells: docs.stripe.com/error-codes#payment-intent-authentication-failure and
    #setup-intent-authentication-failure."""
    kind = intent["object"]
    message = (
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
        f"PaymentMethod to attempt to fulfill this {NAMES[kind]} again."
    )
    return {"code": f"{kind}_authentication_failure", "message": message}


def start_over(account: Account, intent: JsonObject, method: JsonObject, error: JsonObject) -> None:
    """docs.stripe.com/api/payment_intents/object#payment_intent_object-last_payment_error,
    docs.stripe.com/api/setup_intents/object#setup_intent_object-last_setup_error"""
    kind = intent["object"]
    told = {"type": "invalid_request_error", **error, "payment_method": copy.deepcopy(method)}
    intent.update({"status": "requires_payment_method", "payment_method": None, _LAST_ERROR[kind]: told})
    account.announce(_FAILED[kind], intent)


def declined(intent: JsonObject, method: JsonObject, decline: Decline) -> StripeError:
    """The 402 that tells whoever confirmed, with the intent as the decline has left it."""
    refusal = card_error(decline)
    refusal.details.update(copy.deepcopy({intent["object"]: intent, "payment_method": method}))
    return refusal
