"""What buyers are told: what they get, what it costs and when, what a button does, and how it all stands."""

from typing import Literal

from msgspec import Struct

from application.ports import Offer
from domain.catalog import Price
from domain.checkout import CheckoutSession
from domain.money import display

Kind = Literal["free", "trial", "payment", "subscription", "method", "activation"]


class Words(Struct, frozen=True):
    """What is said of a session that can be completed: `heading` and `terms` with the order, the rest in the
    form. `busy` is on the button while it works."""

    heading: str
    terms: str | None
    form: str
    test_form: str
    button: str
    busy: str


def words_of(offer: Offer) -> Words:
    """What the session asks of the buyer, in words."""
    session, kind = offer.session, _kind(offer.session)
    heading, form, test_form, button, busy = _ASKED[kind]
    if kind == "payment":
        button = f"Pay {amount_of(session)}"
    return Words(heading, _terms(offer, kind), form, test_form, button, busy)


def amount_of(session: CheckoutSession) -> str | None:
    """What is to be paid, of a subscription for each of its periods; None where nothing is sold."""
    return display(session.amount, session.currency) if session.currency else None


def period_of(price: Price | None) -> str | None:
    """How often that is paid: `per month`, `every 3 months`; None when it is paid once."""
    if price is None or price.interval is None:
        return None
    return _often(price, "per")


def standing(session: CheckoutSession, status: str | None = None) -> tuple[str, str]:
    """Heading and text for how the session stands, or for this `status`."""
    return _STANDING[_kind(session)][status or session.status]


def _kind(session: CheckoutSession) -> Kind:
    if session.is_free:
        return "trial" if session.amount else "free"
    if session.collects == "payment":
        return "payment"
    if session.sells:
        return "subscription"
    return "activation" if session.type == "activate_subscription" else "method"


def _often(price: Price, one: str) -> str:
    count = price.interval_count
    return f"{one} {price.interval}" if count == 1 else f"every {count} {price.interval}s"


def _terms(offer: Offer, kind: Kind) -> str | None:
    match kind:
        case "subscription" | "trial" if offer.price is not None:
            return _charged(offer, offer.price)
        case "method" if offer.session.all_subscriptions:
            return "Nothing is charged now. All your subscriptions will be paid with it."
        case "method" if offer.session.subscription_id is not None:
            return "Nothing is charged now. Your subscription will be paid with it."
        case "method":
            return f"Nothing is charged now. {offer.seller} keeps it for later payments."
        case "activation":
            return (
                "What is due for your subscription is charged to it at once, and later periods as they begin."
            )
        case _:
            return None


def _charged(offer: Offer, price: Price) -> str:
    """When a subscription is charged, and how much each time."""
    amount, often = amount_of(offer.session), _often(price, "every")
    if price.trial_days is not None and (offer.session.is_free or not offer.trial_used):
        days = "day is" if price.trial_days == 1 else f"{price.trial_days} days are"
        if offer.session.is_free:
            return f"The first {days} free, and no payment method is needed. Then it is {amount} {often}."
        return f"The first {days} free. Then {amount} is charged to your payment method, and again {often}."
    if offer.session.preserve_billing_cycle:
        return (
            f"Today your payment method is charged for what is left of the current period, at most {amount}; "
            f"then {amount} {often}."
        )
    return f"{amount} is charged to your payment method today, and again {often}."


_ASKED = {
    "free": ("Your order", "Nothing to pay", "Nothing to pay", "Complete order", "One moment…"),
    "trial": ("Your free trial", "Nothing to pay now", "Nothing to pay now", "Start trial", "One moment…"),
    "payment": ("Your order", "Payment details", "Pay with a test card", "Pay", "Paying…"),
    "subscription": (
        "Your subscription", "Payment method", "Subscribe with a test card", "Subscribe", "Subscribing…",
    ),
    "method": (
        "Add a payment method", "Payment method", "Save a test card", "Save payment method", "Saving…",
    ),
    "activation": (
        "Activate your subscription", "Payment method", "Activate with a test card",
        "Activate subscription", "Activating…",
    ),
}  # fmt: skip
"""By kind: the heading, that of the form with real keys and in the sandbox, and the button, also at work."""

_EXPIRED = ("Checkout expired", "This checkout is over, and nothing was charged.")
_CHECKING = "Thank you. Your bank is still checking it; nothing is left to do."
_NOT_SAVED = "Your payment method was not saved. You can go back and try again."
_STANDING = {
    "payment": {
        "succeeded": ("Payment received", "Thank you. Your payment has arrived; you can close this page."),
        "pending": (
            "Payment under way",
            "Thank you. Your payment is being processed; nothing is left to do.",
        ),
        "failed": ("Payment canceled", "This payment was canceled, and nothing was charged."),
        "expired": _EXPIRED,
        "open": ("Not paid yet", "The payment has not gone through. You can go back and try again."),
    },
    "subscription": {
        "succeeded": (
            "You have subscribed",
            "Thank you. Your payment method is saved for your subscription; you can close this page.",
        ),
        "pending": ("Subscription under way", _CHECKING),
        "failed": ("Subscription canceled", "This was canceled: nothing was charged, and nothing was saved."),
        "expired": _EXPIRED,
        "open": ("Not subscribed yet", _NOT_SAVED),
    },
    "method": {
        "succeeded": (
            "Payment method saved",
            "Thank you. It can be used from now on, and nothing was charged; you can close this page.",
        ),
        "pending": ("Payment method under way", _CHECKING),
        "failed": ("Canceled", "This was canceled: nothing was charged, and nothing was saved."),
        "expired": _EXPIRED,
        "open": ("Not saved yet", _NOT_SAVED),
    },
    "activation": {
        "succeeded": (
            "Payment method saved",
            "Thank you. What is due for your subscription is charged to it; you can close this page.",
        ),
        "pending": ("Payment method under way", _CHECKING),
        "failed": ("Canceled", "This was canceled: nothing was charged, and nothing was saved."),
        "expired": _EXPIRED,
        "open": ("Not activated yet", _NOT_SAVED),
    },
    "free": {
        "succeeded": ("Order complete", "Thank you. There was nothing to pay; you can close this page."),
        "expired": _EXPIRED,
        "open": (
            "Not complete yet",
            "To complete your order, please open the link that the seller gave you.",
        ),
    },
    "trial": {
        "succeeded": (
            "Your trial has begun",
            "Thank you. There was nothing to pay; you can close this page.",
        ),
        "expired": _EXPIRED,
        "open": (
            "Not started yet",
            "To start your trial, please open the link that the seller gave you.",
        ),
    },
}
"""What a buyer is told, by kind and the session's status."""
