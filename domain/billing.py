"""Billing: whom an invoice is made out to, and what its payment makes of what it was for."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from domain import invoice, purchase
from domain.catalog import Price, Product
from domain.change import Change
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.events import Event
from domain.ids import Ids
from domain.intent import Attempt, IntentStatus
from domain.invoice import Billed, BilledTo, Invoice, InvoiceLine
from domain.money import total
from domain.purchase import Purchase
from domain.subscription import Subscription, period_end


def billed_to(buyer: Customer | None, session: CheckoutSession, email: str | None) -> BilledTo:
    """The session's buyer; `email` is what else became known of theirs."""
    return BilledTo(
        name=session.customer_name or (buyer.name if buyer else None),
        email=session.customer_email or (buyer.email if buyer else None) or email,
        address=session.billing_address or (buyer.billing_address if buyer else None),
    )


class RenewalTerms(Struct, frozen=True, kw_only=True):
    """What a subscription is renewed on."""

    price: Price
    product: Product
    quantity: int
    customer: Customer
    sends_receipts: bool


def renew(
    subscription: Subscription, terms: RenewalTerms, ids: Ids, now: datetime
) -> tuple[Change[Subscription], Change[Invoice]]:
    """The subscription's next period, which begins where the last one, or the trial, has ended; and the
    invoice for it, to be charged."""
    start = subscription.current_period_end
    assert start is not None, "what does not end does not renew"
    end = period_end(subscription.billing_anchor, terms.price, start)
    after = replace(subscription, status="active", current_period_start=start, current_period_end=end)
    amount = total(terms.price.amount, terms.quantity)
    customer = terms.customer
    billed = Billed(
        organization_id=subscription.organization_id,
        livemode=subscription.livemode,
        customer_id=customer.id,
        billed_to=BilledTo(customer.name, customer.email, customer.billing_address),
        currency=terms.price.currency,
        lines=(InvoiceLine(terms.product.name, terms.quantity, terms.price.amount, amount, terms.price.id),),
        subscription_id=subscription.id,
        period_start=start,
        period_end=end,
        receipt_email=customer.email if terms.sends_receipts else None,
    )
    return (
        Change(after, (Event("subscription.renewed"),), subscription),
        invoice.issue(billed, "open", 0, ids, now, to_charge=True),
    )


def settle(
    known: Invoice,
    bought: Purchase | None,
    subscription: Subscription | None,
    payment: IntentStatus,
    refunded: int,
    failure: Attempt | None,
    now: datetime,
) -> list[Change[Any]]:
    """What the payment of an invoice makes of it, of its purchase and of its subscription. `failure` is its
    last attempt that has failed."""
    changes: list[Change[Any] | None] = [
        purchase.follow_payment(bought, payment, refunded, now) if bought else None,
        invoice.follow_payment(known, payment, refunded, now),
        follow_charge(subscription, known, payment, failure) if subscription else None,
    ]
    return [change for change in changes if change is not None]


def follow_charge(
    subscription: Subscription, charged: Invoice, payment: IntentStatus, failure: Attempt | None
) -> Change[Subscription] | None:
    """The subscription after the charge for its current period; None when nothing is new.

    Paid, it is active. Once an attempt has failed, and while none has succeeded, it stays `incomplete` if it
    never was paid for, and is `past_due` otherwise, with the reason: also while another attempt is under way
    or the charge was canceled since, as that may become known first. One that has ended stays so, whatever is
    paid for it.
    """
    if subscription.status == "canceled" or charged.period_end != subscription.current_period_end:
        return None
    after = subscription
    if payment == "succeeded":
        if subscription.status in ("incomplete", "past_due"):
            after = replace(after, status="active", failure_code=None, failure_message=None)
    elif failure is not None:
        after = replace(
            after,
            status="incomplete" if subscription.status == "incomplete" else "past_due",
            failure_code=failure.failure_code,
            failure_message=failure.failure_message,
        )
    if after == subscription:
        return None
    return Change(after, (_event(subscription, after),), subscription)


def not_chargeable(subscription: Subscription) -> Change[Subscription] | None:
    """There is nothing to charge it to; None when that was known."""
    after = replace(
        subscription,
        status="incomplete" if subscription.status == "incomplete" else "past_due",
        failure_code="payment_method_missing",
        failure_message="There is no payment method to charge.",
    )
    return Change(after, (_event(subscription, after),), subscription) if after != subscription else None


def _event(before: Subscription, after: Subscription) -> Event:
    if before.status == after.status:
        return Event("subscription.updated")
    return Event("subscription.activated" if after.status == "active" else "subscription.past_due")
