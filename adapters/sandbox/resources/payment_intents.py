"""docs.stripe.com/api/payment_intents: everything but trying to pay, which is in `confirmation`."""

from msgspec import UNSET

from adapters.sandbox.errors import JsonObject, invalid
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import assign
from adapters.sandbox.resources.confirmation import try_to_pay
from adapters.sandbox.resources.customers import living_customer
from adapters.sandbox.resources.intent_methods import choose, choose_types, chosen_method
from adapters.sandbox.resources.intent_parameters import (
    CancelPaymentIntent,
    CreatePaymentIntent,
    ListPaymentIntents,
    PaymentIntentGiven,
    RetrieveIntent,
    UpdatePaymentIntent,
)
from adapters.sandbox.resources.intents import (
    blank_payment_intent,
    check_cancelable,
    check_changeable,
    stored_payment_intent,
)
from adapters.sandbox.resources.money import check_amount
from adapters.sandbox.search import Fields, SearchParameters, search
from adapters.sandbox.state import Account

_FIELDS = (
    "customer", "description", "metadata", "receipt_email", "setup_future_usage", "shipping",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip
_WHILE_OPEN = (
    "amount",
    "currency",
    "customer",
    "payment_method",
    "payment_method_data",
    "setup_future_usage",
)
_SEARCHED: Fields = {
    "amount": "numeric",
    "created": "numeric",
    "currency": "token",
    "customer": "token",
    "status": "token",
}


def create_payment_intent(account: Account, given: CreatePaymentIntent) -> JsonObject:
    """With `confirm` it is tried at once; a decline then answers 402 and leaves the intent behind."""
    currency = given.currency.lower()
    check_amount(given.amount, currency)
    if given.off_session and not given.confirm:
        raise invalid("This parameter can only be used with `confirm=true`.", "off_session")
    intent = blank_payment_intent(account, given.amount, currency)
    choose_types(intent, given, ["card", "us_bank_account"] if currency == "usd" else ["card"])
    intent["capture_method"] = given.capture_method
    _assign(account, intent, given)
    method = chosen_method(account, intent, given, required=given.confirm)
    account.books.payment_intents[intent["id"]] = intent
    choose(intent, method)
    account.announce("payment_intent.created", intent)
    return try_to_pay(account, intent, given, method) if given.confirm and method else intent


def retrieve_payment_intent(account: Account, asked: RetrieveIntent, id: str) -> JsonObject:
    """docs.stripe.com/api/payment_intents/retrieve"""
    return stored_payment_intent(account, id, asked.client_secret)


def update_payment_intent(account: Account, given: UpdatePaymentIntent, id: str) -> JsonObject:
    """What the payment is about is fixed once it is under way; descriptions and metadata are not."""
    intent = stored_payment_intent(account, id)
    check_changeable(intent, given, _WHILE_OPEN)
    if given.customer and intent["customer"] not in (None, given.customer):
        message = (
            "You cannot modify `customer` on a PaymentIntent once it already has been set. To fulfill a "
            "payment with a different Customer, cancel this PaymentIntent and create a new one."
        )
        raise invalid(message, "customer")
    amount = intent["amount"] if given.amount is UNSET else given.amount
    currency = intent["currency"] if given.currency is UNSET else given.currency.lower()
    check_amount(amount, currency)
    method = chosen_method(account, intent, given)
    _assign(account, intent, given)
    if (amount, currency) != (intent["amount"], intent["currency"]) and intent["status"] == "requires_action":
        intent.update(status="requires_confirmation", next_action=None)
    intent.update(amount=amount, currency=currency)
    choose(intent, method)
    return intent


def cancel_payment_intent(account: Account, given: CancelPaymentIntent, id: str) -> JsonObject:
    """Final: whatever is tried afterwards is refused."""
    intent = stored_payment_intent(account, id)
    check_cancelable(intent)
    intent.update(
        status="canceled",
        canceled_at=account.now(),
        cancellation_reason=given.cancellation_reason,
        next_action=None,
    )
    account.announce("payment_intent.canceled", intent)
    return intent


def list_payment_intents(account: Account, asked: ListPaymentIntents) -> JsonObject:
    """docs.stripe.com/api/payment_intents/list"""
    found = (
        intent
        for intent in newest_first(account.books.payment_intents)
        if asked.customer in (None, intent["customer"])
    )
    return page("/v1/payment_intents", found, asked)


def search_payment_intents(account: Account, asked: SearchParameters) -> JsonObject:
    """docs.stripe.com/search#query-fields-for-payment-intents"""
    intents = newest_first(account.searchable("payment_intents"))
    return search("/v1/payment_intents/search", intents, asked, _SEARCHED)


def _assign(account: Account, intent: JsonObject, given: PaymentIntentGiven) -> None:
    if given.customer:
        living_customer(account, given.customer)
    assign(intent, given, _FIELDS)
