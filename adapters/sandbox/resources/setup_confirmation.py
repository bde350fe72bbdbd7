"""Trying to set up a payment method (docs.stripe.com/payments/setupintents/lifecycle)."""

import copy

from adapters.sandbox.errors import JsonObject
from adapters.sandbox.resources.attachment import keep
from adapters.sandbox.resources.attempts import (
    Outcome,
    answered,
    ask,
    begin,
    declined,
    processed,
    start_over,
    unauthenticated,
)
from adapters.sandbox.resources.cards import Decline, card_error
from adapters.sandbox.resources.instruments import behaviour, needs_authentication
from adapters.sandbox.resources.intent_methods import choose, chosen_method
from adapters.sandbox.resources.intent_parameters import ConfirmIntent, CreateSetupIntent
from adapters.sandbox.resources.intents import check_confirmable, stored_setup_intent
from adapters.sandbox.resources.setup_attempts import mark_attempt, open_attempt
from adapters.sandbox.state import Account

BANK_REFUSED = {
    "code": "setup_attempt_failed",
    "message": "The bank has not accepted this account for later payments.",
}


def confirm_setup_intent(account: Account, given: ConfirmIntent, id: str) -> JsonObject:
    """An intent that failed may be confirmed again; one that is under way or over may not."""
    intent = stored_setup_intent(account, id, given.client_secret)
    check_confirmable(intent)
    method = chosen_method(account, intent, given, required=True)
    assert method is not None
    choose(intent, method)
    return try_to_set_up(account, intent, given, method)


def try_to_set_up(
    account: Account, intent: JsonObject, given: CreateSetupIntent | ConfirmIntent, method: JsonObject
) -> JsonObject:
    """One attempt, with the buyer present. A decline answers 402, with the intent back at
    `requires_payment_method`."""
    begin(intent)
    open_attempt(account, intent, method)
    if method["type"] == "us_bank_account":
        intent["status"] = "processing"
        mark_attempt(account, intent, "processing")
        return intent
    if needs_authentication(account, method, away=False):
        mark_attempt(account, intent, "requires_action")
        ask(account, intent, given.return_url)
        return intent
    decline = _end(account, intent, method)
    if decline is not None:
        raise declined(intent, method, decline)
    return intent


def authenticate(account: Account, id: str, outcome: Outcome) -> JsonObject:
    """The buyer has dealt with 3-D Secure; what follows is told by events and by the intent."""
    intent = stored_setup_intent(account, id)
    method = answered(account, intent)
    if outcome == "succeeded":
        _end(account, intent, method)
    else:
        _fail(account, intent, method, unauthenticated(intent))
    return intent


def settle(account: Account, id: str, outcome: Outcome) -> JsonObject:
    """The bank's answer, later, about an account that was `processing`."""
    intent = stored_setup_intent(account, id)
    method = processed(account, intent)
    if outcome == "succeeded":
        _succeed(account, intent, method)
    else:
        _fail(account, intent, method, BANK_REFUSED)
    return intent


def _end(account: Account, intent: JsonObject, method: JsonObject) -> Decline | None:
    """Cards that decline when they are attached to a customer decline here too, and only those."""
    known = behaviour(account, method)
    if known.decline is None or known.attachable:
        _succeed(account, intent, method)
        return None
    _fail(account, intent, method, card_error(known.decline).body())
    return known.decline


def _succeed(account: Account, intent: JsonObject, method: JsonObject) -> None:
    mark_attempt(account, intent, "succeeded")
    intent["status"] = "succeeded"
    keep(account, method, intent["customer"], intent["usage"])
    account.announce("setup_intent.succeeded", intent)


def _fail(account: Account, intent: JsonObject, method: JsonObject, error: JsonObject) -> None:
    start_over(account, intent, method, error)
    mark_attempt(account, intent, "failed", copy.deepcopy(intent["last_setup_error"]))
