"""What buyers are told in the portal of what is theirs, in words."""

from datetime import datetime

from application.ports import HeldPlan
from domain.address import Address
from domain.customer import Customer
from domain.entitlement import Standing
from domain.intake_payment import IntakePaymentStatus
from domain.invoice import InvoiceStatus
from domain.money import display
from domain.payment import Payment, PaymentStatus
from domain.payment_method import PaymentMethod
from domain.purchase import PurchaseStatus
from domain.reversal import total_refunded
from domain.subscription import Subscription
from entrypoints.http.checkout_words import period_of

PURCHASE: dict[PurchaseStatus, str] = {
    "open": "To be paid",
    "pending": "Payment under way",
    "paid": "Paid",
    "failed": "Not paid",
    "refunded": "Refunded",
    "partially_refunded": "Partly refunded",
}
INVOICE: dict[InvoiceStatus, str] = {
    "draft": "To be paid",
    "open": "To be paid",
    "paid": "Paid",
    "void": "Canceled",
    "partially_refunded": "Partly refunded",
    "refunded": "Refunded",
}
_PAYMENT: dict[PaymentStatus, str] = {
    "open": "Not paid yet",
    "processing": "Under way",
    "succeeded": "Paid",
    "failed": "Failed",
    "canceled": "Canceled",
}


def day(at: datetime) -> str:
    """A date, in UTC."""
    return f"{at.day} {at:%B %Y}"


def heading_of(customer: Customer) -> str:
    """What a customer of theirs is called, where they have several. One who bought without an account has a
    made-up id that tells them nothing."""
    named = customer.name or (None if _is_made_up(customer) else customer.external_id)
    return named or f"Bought on {day(customer.created_at)}"


def price_of(held: HeldPlan) -> str:
    """What a subscription costs, and how often: `49.00 USD per month`."""
    quantities = {item.price_id: item.quantity for item in held.record.items}
    amounts = [(price, quantities.get(price.id, 1)) for price in held.prices if price.amount]
    if not amounts:
        return "Free"
    return ", ".join(
        f"{display(price.amount * quantity, price.currency)} {period_of(price) or ''}".strip()
        for price, quantity in amounts
    )


def standing_of(subscription: Subscription, *, cancels: bool) -> str:
    """How a subscription stands, and what happens next."""
    end = subscription.current_period_end
    if subscription.status == "incomplete":
        return subscription.failure_message or "It begins when it is paid."
    if subscription.status == "past_due":
        return f"A payment has failed. {subscription.failure_message or ''}".strip()
    if end is None:
        return "Goes on until you cancel it." if not subscription.is_free else "Free of charge."
    if cancels:
        return f"Ends on {day(end)}, and is not renewed."
    if subscription.status == "trialing":
        return f"Free trial until {day(end)}; paid from then on."
    return f"Renews on {day(end)}."


def method_name(method: PaymentMethod) -> str:
    """A payment method, as people know theirs: `Visa ending in 4242`."""
    kind = (method.brand or method.type).replace("_", " ")
    named = kind[:1].upper() + kind[1:]
    return f"{named} ending in {method.last4}" if method.last4 else named


def expiry_of(method: PaymentMethod) -> str | None:
    """When a card ends: `expires 12/2034`."""
    if method.exp_month is None or method.exp_year is None:
        return None
    return f"expires {method.exp_month:02}/{method.exp_year}"


def left_of(standing: Standing) -> str:
    """How much of a feature is left: `3 of 5 left`."""
    if standing.unlimited:
        return f"Unlimited; {standing.used:,} used" if standing.used else "Unlimited"
    return f"{standing.remaining:,} of {standing.granted:,} left"


def payment_status(payment: Payment) -> str:
    """How a payment stands, with what has gone back of it."""
    back = total_refunded(payment.refunds)
    if back:
        return f"{_PAYMENT[payment.status]}, {display(back, payment.currency)} refunded"
    return _PAYMENT[payment.status]


def address_of(address: Address | None) -> str | None:
    """An address, in one line."""
    if address is None:
        return None
    city = " ".join(filter(None, (address.postal_code, address.city)))
    return (
        ", ".join(filter(None, (address.line1, address.line2, city, address.state, address.country))) or None
    )


def _is_made_up(customer: Customer) -> bool:
    return customer.external_id is None or customer.external_id.startswith("anon_")


ASKED: dict[IntakePaymentStatus, str] = {
    "open": "to be paid",
    "failed": "not paid yet",
    "processing": "under way",
    "succeeded": "paid",
    "canceled": "canceled",
}
"""How what was asked of somebody by e-mail stands."""
