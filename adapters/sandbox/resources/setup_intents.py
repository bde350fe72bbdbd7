"""docs.stripe.com/api/setup_intents: everything but trying to set up, which is in `setup_confirmation`."""

from adapters.sandbox.errors import JsonObject
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import assign
from adapters.sandbox.resources.customers import living_customer
from adapters.sandbox.resources.intent_methods import choose, choose_types, chosen_method
from adapters.sandbox.resources.intent_parameters import (
    CancelSetupIntent,
    CreateSetupIntent,
    ListSetupIntents,
    RetrieveIntent,
    SetupIntentGiven,
    UpdateSetupIntent,
)
from adapters.sandbox.resources.intents import (
    blank_setup_intent,
    check_cancelable,
    check_changeable,
    stored_setup_intent,
)
from adapters.sandbox.resources.setup_attempts import mark_attempt
from adapters.sandbox.resources.setup_confirmation import try_to_set_up
from adapters.sandbox.state import Account

_WHILE_OPEN = ("customer", "payment_method", "payment_method_data", "payment_method_types")


def create_setup_intent(account: Account, given: CreateSetupIntent) -> JsonObject:
    """With `confirm` it is tried at once; a decline then answers 402 and leaves the intent behind."""
    intent = blank_setup_intent(account)
    choose_types(intent, given, ["card", "us_bank_account"])
    intent["usage"] = given.usage
    _assign(account, intent, given)
    method = chosen_method(account, intent, given, required=given.confirm)
    account.books.setup_intents[intent["id"]] = intent
    choose(intent, method)
    account.announce("setup_intent.created", intent)
    return try_to_set_up(account, intent, given, method) if given.confirm and method else intent


def retrieve_setup_intent(account: Account, asked: RetrieveIntent, id: str) -> JsonObject:
    """docs.stripe.com/api/setup_intents/retrieve"""
    return stored_setup_intent(account, id, asked.client_secret)


def update_setup_intent(account: Account, given: UpdateSetupIntent, id: str) -> JsonObject:
    """Whose method is kept is fixed once it is under way; description and metadata are not."""
    intent = stored_setup_intent(account, id)
    check_changeable(intent, given, _WHILE_OPEN)
    takes = {**intent, "payment_method_types": given.payment_method_types or intent["payment_method_types"]}
    method = chosen_method(account, takes, given)
    _assign(account, intent, given)
    intent["payment_method_types"] = takes["payment_method_types"]
    choose(intent, method)
    return intent


def cancel_setup_intent(account: Account, given: CancelSetupIntent, id: str) -> JsonObject:
    """Final: whatever is tried afterwards is refused."""
    intent = stored_setup_intent(account, id)
    check_cancelable(intent)
    if intent["status"] == "requires_action":
        mark_attempt(account, intent, "abandoned")
    intent.update(status="canceled", cancellation_reason=given.cancellation_reason, next_action=None)
    account.announce("setup_intent.canceled", intent)
    return intent


def list_setup_intents(account: Account, asked: ListSetupIntents) -> JsonObject:
    """docs.stripe.com/api/setup_intents/list"""
    found = (
        intent
        for intent in newest_first(account.books.setup_intents)
        if asked.customer in (None, intent["customer"])
        and asked.payment_method in (None, intent["payment_method"])
    )
    return page("/v1/setup_intents", found, asked)


def _assign(account: Account, intent: JsonObject, given: SetupIntentGiven) -> None:
    if given.customer:
        living_customer(account, given.customer)
    assign(intent, given, ("customer", "description", "metadata"))
