"""Trying to pay an intent (docs.stripe.com/payments/paymentintents/lifecycle)."""

import copy
from typing import Literal

from adapters.sandbox.errors import JsonObject, invalid, unexpected_state
from adapters.sandbox.parameters import assign
from adapters.sandbox.resources.cards import AUTHENTICATION_REQUIRED, Decline, card_error
from adapters.sandbox.resources.charges import fail_charge, open_charge, pass_charge
from adapters.sandbox.resources.disputes import open_dispute
from adapters.sandbox.resources.instruments import attach, behaviour, check_usable, described, named
from adapters.sandbox.resources.intent_parameters import (
    ConfirmPaymentIntent,
    CreatePaymentIntent,
    MethodGiven,
)
from adapters.sandbox.resources.intents import OPEN, stored_intent
from adapters.sandbox.state import Account

Outcome = Literal["succeeded", "failed"]
Confirmation = CreatePaymentIntent | ConfirmPaymentIntent

BANK_REFUSED = Decline(
    "payment_intent_payment_attempt_failed",
    "insufficient_funds",
    "The customer's account has insufficient funds.",
)


def confirm_payment_intent(account: Account, given: ConfirmPaymentIntent, id: str) -> JsonObject:
    """An intent that failed may be confirmed again; one that is under way or over may not."""
    intent = stored_intent(account, id, given.client_secret)
    if intent["status"] not in OPEN:
        reason = (
            "it has already succeeded after being previously confirmed"
            if intent["status"] == "succeeded"
            else f"it has a status of {intent['status']}"
        )
        raise unexpected_state(f"You cannot confirm this PaymentIntent because {reason}.", intent)
    method = chosen_method(account, intent, given, required=True)
    assert method is not None
    assign(intent, given, ("receipt_email", "setup_future_usage", "shipping"))
    choose(intent, method)
    return try_to_pay(account, intent, given, method)


def chosen_method(
    account: Account, intent: JsonObject, given: MethodGiven, *, required: bool = False
) -> JsonObject | None:
    """The method given, else, where one is required, the intent's own; refused if it does not fit."""
    if given.payment_method_data is not None:
        method = described(account, given.payment_method_data)
    elif given.payment_method:
        method = named(account, given.payment_method)
    elif not required:
        return None
    elif intent["payment_method"] is not None:
        method = account.books.payment_methods[intent["payment_method"]]
    else:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a payment method."
        )
        raise unexpected_state(message, intent)
    check_usable(account, method)
    if method["type"] not in intent["payment_method_types"]:
        message = f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent."
        raise invalid(message, "payment_method", "payment_intent_incompatible_payment_method")
    customer = getattr(given, "customer", None) or intent["customer"]
    if method["customer"] not in (None, customer):
        message = f"The customer does not have a payment method with the ID {method['id']}."
        raise invalid(f"{message} The payment method must be attached to the customer.", "payment_method")
    if isinstance(given, Confirmation):
        _check_return_url(intent, given)
    return method


def choose(intent: JsonObject, method: JsonObject | None) -> None:
    """Put a method on an intent, which then only waits to be confirmed."""
    if method is not None and intent["payment_method"] != method["id"]:
        intent.update(payment_method=method["id"], status="requires_confirmation", next_action=None)


def try_to_pay(account: Account, intent: JsonObject, given: Confirmation, method: JsonObject) -> JsonObject:
    """One attempt. A decline answers 402, with the intent back at `requires_payment_method`."""
    known = behaviour(account, method)
    intent.update(last_payment_error=None, next_action=None)
    if known.type == "us_bank_account":
        intent["status"] = "processing"
        account.announce("charge.pending", open_charge(account, intent, method))
        account.announce("payment_intent.processing", intent)
        return intent
    if known.asks and not given.off_session:
        intent.update(status="requires_action", next_action=_next_action(account, intent, given.return_url))
        account.announce("payment_intent.requires_action", intent)
        return intent
    decline = AUTHENTICATION_REQUIRED if known.asks else known.decline
    _charge(account, intent, method, decline)
    if decline is not None:
        refusal = card_error(decline)
        shown = copy.deepcopy({"payment_intent": intent, "payment_method": method})
        refusal.details.update(charge=intent["latest_charge"], **shown)
        raise refusal
    return intent


def authenticate(account: Account, id: str, outcome: Outcome) -> JsonObject:
    """The buyer has dealt with 3-D Secure; what follows is told by events and by the intent."""
    intent = stored_intent(account, id)
    if intent["status"] != "requires_action":
        raise unexpected_state(f"This PaymentIntent needs no action: it is {intent['status']}.", intent)
    method = account.books.payment_methods[intent["payment_method"]]
    intent["next_action"] = None
    if outcome == "succeeded":
        _charge(account, intent, method, behaviour(account, method).decline)
        return intent
    message = (
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
        "PaymentMethod to attempt to fulfill this PaymentIntent again."
    )
    _start_over(
        account, intent, method, {"code": "payment_intent_authentication_failure", "message": message}
    )
    return intent


def settle(account: Account, id: str, outcome: Outcome) -> JsonObject:
    """The bank's answer, days later, to a debit that was `processing`."""
    intent = stored_intent(account, id)
    if intent["status"] != "processing":
        raise unexpected_state(f"This PaymentIntent is not processing: it is {intent['status']}.", intent)
    charge = account.books.charges[intent["latest_charge"]]
    if outcome == "succeeded":
        _succeed(account, intent, charge)
        return intent
    fail_charge(account, charge, BANK_REFUSED)
    method = account.books.payment_methods[intent["payment_method"]]
    error = {"charge": charge["id"], "code": BANK_REFUSED.code, "message": BANK_REFUSED.message}
    _start_over(account, intent, method, error)
    return intent


def _charge(account: Account, intent: JsonObject, method: JsonObject, decline: Decline | None) -> None:
    charge = open_charge(account, intent, method)
    if decline is None:
        _succeed(account, intent, charge)
        return
    fail_charge(account, charge, decline)
    error = {"charge": charge["id"], **card_error(decline).body()}
    _start_over(account, intent, method, error)


def _succeed(account: Account, intent: JsonObject, charge: JsonObject) -> None:
    pass_charge(account, charge)
    intent.update(status="succeeded", amount_received=intent["amount"])
    account.announce("payment_intent.succeeded", intent)
    if behaviour(account, account.books.payment_methods[charge["payment_method"]]).is_disputed:
        open_dispute(account, charge)
    if intent["setup_future_usage"] and intent["customer"]:
        attach(account, account.books.payment_methods[intent["payment_method"]], intent["customer"])


def _start_over(account: Account, intent: JsonObject, method: JsonObject, error: JsonObject) -> None:
    """docs.stripe.com/api/payment_intents/object#payment_intent_object-last_payment_error"""
    told = {"type": "invalid_request_error", **error, "payment_method": copy.deepcopy(method)}
    intent.update(status="requires_payment_method", payment_method=None, last_payment_error=told)
    account.announce("payment_intent.payment_failed", intent)


def _check_return_url(intent: JsonObject, given: Confirmation) -> None:
    """Methods that may redirect need somewhere to return to (docs.stripe.com/upgrades#2023-08-16)."""
    if isinstance(given, CreatePaymentIntent) and not given.confirm:
        return
    automatic = intent["automatic_payment_methods"]
    redirects = automatic is not None and automatic["allow_redirects"] == "always"
    if redirects and given.return_url is None and not given.use_stripe_sdk:
        message = (
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because "
            "some of these payment methods might redirect your customer off of your page, you must provide a "
            "`return_url`. If you don't want to accept redirect-based payment methods, set "
            "`automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment "
            "Intents."
        )
        raise invalid(message, "return_url")


def _next_action(account: Account, intent: JsonObject, return_url: str | None) -> JsonObject:
    page = f"{account.address}/_sandbox/payment_intents/{intent['id']}/authenticate"
    if return_url is None:
        return {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
