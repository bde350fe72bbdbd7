"""Keeping a payment method with a customer, for later payments, and parting them."""

from adapters.sandbox.errors import JsonObject, invalid
from adapters.sandbox.state import Account


def check_usable(account: Account, method: JsonObject) -> None:
    """Refuse one that was detached (docs.stripe.com/api/payment_methods/detach), or has paid without being
    kept (`setup_future_usage` in docs.stripe.com/api/payment_intents/create)."""
    if method["id"] in account.books.used_up:
        message = (
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment "
            "or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first."
        )
        raise invalid(message, "payment_method")


def attach(account: Account, method: JsonObject, customer_id: str) -> None:
    """Keep a payment method with a customer for later payments."""
    if method["customer"] != customer_id:
        method["customer"] = customer_id
        account.announce("payment_method.attached", method)


def detach(account: Account, method: JsonObject) -> None:
    """Take a payment method from its customer, for good."""
    previous = {"customer": method["customer"]}
    method["customer"] = None
    account.books.used_up.add(method["id"])
    account.announce("payment_method.detached", method, previous)


def keep(account: Account, method: JsonObject, customer_id: str | None, usage: str) -> None:
    """The buyer has agreed to later payments: with their customer, if there is one by now."""
    if usage == "off_session":
        account.books.set_up.add(method["id"])
    if customer_id is not None and not account.books.customers[customer_id].get("deleted"):
        attach(account, method, customer_id)
