"""The payment intent itself: its shape, how it is found, and who may see what of it."""

from typing import Any

from adapters.sandbox.errors import JsonObject, StripeError, not_found
from adapters.sandbox.state import Account

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
"""Can still be changed, confirmed or canceled (docs.stripe.com/payments/paymentintents/lifecycle)."""

_NEVER_SHOWN_TO_BUYERS = (
    "amount_capturable", "amount_received", "application", "application_fee_amount", "customer",
    "latest_charge", "metadata", "on_behalf_of", "payment_method_options", "review", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip


def stored_intent(account: Account, id: str, client_secret: str | None = None) -> JsonObject:
    """The intent of that id; a client secret, where given, must be its own."""
    intent = account.books.payment_intents.get(id)
    if intent is None:
        raise not_found("payment_intent", id, "intent")
    if client_secret is not None and client_secret != intent["client_secret"]:
        message = (
            "The client_secret provided does not match any associated PaymentIntent on this account. Ensure "
            "the provided client_secret is the same client_secret associated with the PaymentIntent."
        )
        raise StripeError(message, code="payment_intent_invalid_parameter", param="client_secret")
    return intent


def for_buyers(intent: JsonObject) -> JsonObject:
    """What a publishable key gets to see (docs.stripe.com/api/payment_intents/object)."""
    return {name: value for name, value in intent.items() if name not in _NEVER_SHOWN_TO_BUYERS}


def blank_intent(account: Account, amount: int, currency: str) -> JsonObject:
    """A new intent that nobody has tried to pay."""
    intent_id = account.new_id("pi")
    without_value: dict[str, Any] = dict.fromkeys(
        (
            "application", "application_fee_amount", "automatic_payment_methods", "canceled_at",
            "cancellation_reason", "customer", "description", "last_payment_error", "latest_charge",
            "next_action", "on_behalf_of", "payment_method", "payment_method_configuration_details",
            "processing", "receipt_email", "review", "setup_future_usage", "shipping", "statement_descriptor",
            "statement_descriptor_suffix", "transfer_data", "transfer_group",
        )
    )  # fmt: skip
    return {
        "id": intent_id,
        "object": "payment_intent",
        **without_value,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{account.letters(25)}",
        "confirmation_method": "automatic",
        "created": account.now(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }
