"""Trying to pay an intent (docs.stripe.com/payments/paymentintents/lifecycle)."""

from adapters.sandbox.errors import JsonObject
from adapters.sandbox.parameters import assign
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
from adapters.sandbox.resources.cards import AUTHENTICATION_REQUIRED, Decline, card_error
from adapters.sandbox.resources.charges import fail_charge, open_charge, pass_charge
from adapters.sandbox.resources.disputes import open_dispute
from adapters.sandbox.resources.instruments import behaviour, needs_authentication
from adapters.sandbox.resources.intent_methods import choose, chosen_method
from adapters.sandbox.resources.intent_parameters import ConfirmPaymentIntent, CreatePaymentIntent
from adapters.sandbox.resources.intents import check_confirmable, stored_payment_intent
from adapters.sandbox.state import Account

BANK_REFUSED = Decline(
    "payment_intent_payment_attempt_failed",
    "insufficient_funds",
    "The customer's account has insufficient funds.",
)


def confirm_payment_intent(account: Account, given: ConfirmPaymentIntent, id: str) -> JsonObject:
    """An intent that failed may be confirmed again; one that is under way or over may not."""
    intent = stored_payment_intent(account, id, given.client_secret)
    check_confirmable(intent)
    method = chosen_method(account, intent, given, required=True)
    assert method is not None
    assign(intent, given, ("receipt_email", "setup_future_usage", "shipping"))
    choose(intent, method)
    return try_to_pay(account, intent, given, method)


def try_to_pay(
    account: Account,
    intent: JsonObject,
    given: CreatePaymentIntent | ConfirmPaymentIntent,
    method: JsonObject,
) -> JsonObject:
    """One attempt. A decline answers 402, with the intent back at `requires_payment_method`."""
    known = behaviour(account, method)
    begin(intent)
    if known.type == "us_bank_account":
        intent["status"] = "processing"
        account.announce("charge.pending", open_charge(account, intent, method))
        account.announce("payment_intent.processing", intent)
        return intent
    away = bool(given.off_session)
    asks = needs_authentication(account, method, away=away)
    if asks and not away:
        ask(account, intent, given.return_url)
        return intent
    decline = AUTHENTICATION_REQUIRED if asks else known.decline
    _charge(account, intent, method, decline)
    if decline is not None:
        refusal = declined(intent, method, decline)
        refusal.details.update(charge=intent["latest_charge"])
        raise refusal
    return intent


def authenticate(account: Account, id: str, outcome: Outcome) -> JsonObject:
    """The buyer has dealt with 3-D Secure; what follows is told by events and by the intent."""
    intent = stored_payment_intent(account, id)
    method = answered(account, intent)
    if outcome == "succeeded":
        _charge(account, intent, method, behaviour(account, method).decline)
    else:
        start_over(account, intent, method, unauthenticated(intent))
    return intent


def settle(account: Account, id: str, outcome: Outcome) -> JsonObject:
    """The bank's answer, days later, to a debit that was `processing`."""
    intent = stored_payment_intent(account, id)
    method = processed(account, intent)
    charge = account.books.charges[intent["latest_charge"]]
    if outcome == "succeeded":
        _succeed(account, intent, method, charge)
        return intent
    fail_charge(account, charge, BANK_REFUSED)
    error = {"charge": charge["id"], "code": BANK_REFUSED.code, "message": BANK_REFUSED.message}
    start_over(account, intent, method, error)
    return intent


def _charge(account: Account, intent: JsonObject, method: JsonObject, decline: Decline | None) -> None:
    charge = open_charge(account, intent, method)
    if decline is None:
        _succeed(account, intent, method, charge)
        return
    fail_charge(account, charge, decline)
    start_over(account, intent, method, {"charge": charge["id"], **card_error(decline).body()})


def _succeed(account: Account, intent: JsonObject, method: JsonObject, charge: JsonObject) -> None:
    pass_charge(account, charge)
    intent.update(status="succeeded", amount_received=intent["amount"])
    account.announce("payment_intent.succeeded", intent)
    if behaviour(account, method).is_disputed:
        open_dispute(account, charge)
    if intent["setup_future_usage"]:
        keep(account, method, intent["customer"], intent["setup_future_usage"])
    elif method["customer"] is None:
        account.books.used_up.add(method["id"])
