"""Payment intents and setup intents themselves: their shapes, how they are found, and who may see what."""

from typing import Any

from msgspec import UNSET

from adapters.sandbox.errors import JsonObject, StripeError, not_found, unexpected_state
from adapters.sandbox.parameters import Parameters
from adapters.sandbox.state import Account

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
"""Can still be changed, confirmed or canceled (docs.stripe.com/payments/paymentintents/lifecycle, and
docs.stripe.com/payments/setupintents/lifecycle)."""

NAMES = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}
"""What messages call each kind."""

_NEVER_SHOWN_TO_BUYERS = (
    "amount_capturable", "amount_received", "application", "application_fee_amount", "customer",
    "flow_directions", "latest_attempt", "latest_charge", "mandate", "metadata", "on_behalf_of",
    "payment_method_options", "review", "single_use_mandate", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip


def stored_payment_intent(account: Account, id: str, client_secret: str | None = None) -> JsonObject:
    """The payment intent of that id; a client secret, where given, must be its own."""
    return _stored(account.books.payment_intents, "payment_intent", id, client_secret)


def stored_setup_intent(account: Account, id: str, client_secret: str | None = None) -> JsonObject:
    """The setup intent of that id; a client secret, where given, must be its own."""
    return _stored(account.books.setup_intents, "setup_intent", id, client_secret)


def stored_intent(account: Account, id: str) -> JsonObject:
    """The intent of that id, whichever kind it is of."""
    return (stored_setup_intent if sets_up(id) else stored_payment_intent)(account, id)


def sets_up(id: str) -> bool:
    """Whether an intent is a setup intent, as its id tells."""
    return id.startswith("seti_")


def for_buyers(intent: JsonObject) -> JsonObject:
    """What a publishable key gets to see: docs.stripe.com/api/payment_intents/object and
    docs.stripe.com/api/setup_intents/object"""
    return {name: value for name, value in intent.items() if name not in _NEVER_SHOWN_TO_BUYERS}


def check_confirmable(intent: JsonObject) -> None:
    """What is under way or over cannot be confirmed."""
    status = intent["status"]
    if status in OPEN:
        return
    reason = (
        "it has already succeeded after being previously confirmed"
        if status == "succeeded"
        else f"it has a status of {status}"
    )
    raise unexpected_state(f"You cannot confirm this {NAMES[intent['object']]} because {reason}.", intent)


def check_cancelable(intent: JsonObject) -> None:
    """What a bank is already processing cannot be called back here; what is over, nowhere."""
    status, name = intent["status"], NAMES[intent["object"]]
    if status not in OPEN:
        message = (
            f"You cannot cancel this {name} because it has a status of {status}. Only a {name} with one of "
            f"the following statuses may be canceled: {', '.join(OPEN)}."
        )
        raise unexpected_state(message, intent)


def check_changeable(intent: JsonObject, given: Parameters, fields: tuple[str, ...]) -> None:
    """What an intent is about is fixed once it is under way or over."""
    status, name = intent["status"], NAMES[intent["object"]]
    for field in fields:
        if status not in OPEN and getattr(given, field) not in (UNSET, None):
            message = (
                f"This {name}'s {field} could not be updated because it has a status of {status}. You may "
                f"only update the {field} of a {name} with one of the following statuses: {', '.join(OPEN)}."
            )
            raise unexpected_state(message, intent)


def blank_payment_intent(account: Account, amount: int, currency: str) -> JsonObject:
    """A new intent that nobody has tried to pay."""
    without_value: dict[str, Any] = dict.fromkeys(
        (
            "application_fee_amount", "canceled_at", "last_payment_error", "latest_charge", "processing",
            "receipt_email", "review", "setup_future_usage", "shipping", "statement_descriptor",
            "statement_descriptor_suffix", "transfer_data", "transfer_group",
        )
    )  # fmt: skip
    return {
        **_blank(account, "payment_intent", account.new_id("pi")),
        **without_value,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "currency": currency,
    }


def blank_setup_intent(account: Account) -> JsonObject:
    """A new intent to keep a payment method, which nobody has tried yet."""
    without_value: dict[str, Any] = dict.fromkeys(
        ("flow_directions", "last_setup_error", "latest_attempt", "mandate", "single_use_mandate")
    )
    return {
        **_blank(account, "setup_intent", account.new_id("seti")),
        **without_value,
        "usage": "off_session",
    }


def _blank(account: Account, kind: str, id: str) -> JsonObject:
    without_value: dict[str, Any] = dict.fromkeys(
        (
            "application", "automatic_payment_methods", "cancellation_reason", "customer", "description",
            "next_action", "on_behalf_of", "payment_method", "payment_method_configuration_details",
        )
    )  # fmt: skip
    return {
        "id": id,
        "object": kind,
        **without_value,
        "client_secret": f"{id}_secret_{account.letters(25)}",
        "created": account.now(),
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def _stored(intents: dict[str, JsonObject], kind: str, id: str, client_secret: str | None) -> JsonObject:
    intent = intents.get(id)
    if intent is None:
        raise not_found(kind.replace("setup_intent", "setupintent"), id, "intent")
    if client_secret is not None and client_secret != intent["client_secret"]:
        name = NAMES[kind]
        message = (
            f"The client_secret provided does not match any associated {name} on this account. Ensure "
            f"the provided client_secret is the same client_secret associated with the {name}."
        )
        raise StripeError(message, code=f"{kind}_invalid_parameter", param="client_secret")
    return intent
