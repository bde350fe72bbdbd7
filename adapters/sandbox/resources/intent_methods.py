"""With what an intent is paid or set up: the types it takes, and the method chosen for it."""

from adapters.sandbox.errors import JsonObject, invalid, unexpected_state
from adapters.sandbox.resources.attachment import check_usable
from adapters.sandbox.resources.instruments import described, named
from adapters.sandbox.resources.intent_parameters import Confirmation, MethodGiven, NewIntent
from adapters.sandbox.resources.intents import NAMES
from adapters.sandbox.state import Account


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
    else:
        method = _own_method(account, intent)
    check_usable(account, method)
    if method["type"] not in intent["payment_method_types"]:
        name = NAMES[intent["object"]]
        message = f"The PaymentMethod provided ({method['type']}) is not allowed for this {name}."
        raise invalid(message, "payment_method", f"{intent['object']}_incompatible_payment_method")
    _check_owner(method, getattr(given, "customer", None) or intent["customer"], given)
    if required and isinstance(given, Confirmation):
        _check_return_url(intent, given)
    return method


def choose(intent: JsonObject, method: JsonObject | None) -> None:
    """Put a method on an intent, which then only waits to be confirmed."""
    if method is not None and intent["payment_method"] != method["id"]:
        intent.update(payment_method=method["id"], status="requires_confirmation", next_action=None)


def choose_types(intent: JsonObject, given: NewIntent, automatically: list[str]) -> None:
    """Without a list of types, automatic payment methods are on (docs.stripe.com/upgrades#2023-08-16)."""
    automatic = given.automatic_payment_methods
    if given.payment_method_types is not None:
        if automatic is not None and automatic.enabled:
            names = "automatic_payment_methods, payment_method_types"
            raise invalid(
                f"You may only specify one of these parameters: {names}.", None, "parameters_exclusive"
            )
        intent["payment_method_types"] = list(given.payment_method_types)
        return
    if automatic is None or automatic.enabled:
        redirects = "always" if automatic is None else automatic.allow_redirects
        intent["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
        intent["payment_method_types"] = automatically


def _own_method(account: Account, intent: JsonObject) -> JsonObject:
    if intent["payment_method"] is not None:
        return account.books.payment_methods[intent["payment_method"]]
    name = NAMES[intent["object"]]
    message = (
        f"You cannot confirm this {name} because it's missing a payment method. You can either update the "
        f"{name} with a payment method and then confirm it again, or confirm it again directly with a "
        "payment method."
    )
    raise unexpected_state(message, intent)


def _check_owner(method: JsonObject, customer: str | None, given: MethodGiven) -> None:
    """A method kept with another customer is refused; with the buyer away, so is one kept with none."""
    away = customer is not None and getattr(given, "off_session", False)
    if method["customer"] not in ((customer,) if away else (None, customer)):
        message = f"The customer does not have a payment method with the ID {method['id']}."
        raise invalid(f"{message} The payment method must be attached to the customer.", "payment_method")


def _check_return_url(intent: JsonObject, given: Confirmation) -> None:
    """Methods that may redirect need somewhere to return to (docs.stripe.com/upgrades#2023-08-16)."""
    automatic = intent["automatic_payment_methods"]
    redirects = automatic is not None and automatic["allow_redirects"] == "always"
    if redirects and given.return_url is None and not given.use_stripe_sdk:
        message = (
            f"This {NAMES[intent['object']]} is configured to accept payment methods enabled in your "
            "Dashboard. Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment methods, "
            "set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment "
            "Intents."
        )
        raise invalid(message, "return_url")
