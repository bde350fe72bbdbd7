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
from domain.subscription import Overdue, Subscription, period_end


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


def is_renewed(subscription: Subscription) -> bool:
    """Whether its next period begins when this one is over. Nobody is billed for a free plan."""
    return subscription.status in ("active", "trialing") and not subscription.is_free


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


class Owed(Struct, frozen=True):
    """An invoice that is to be paid, and the purchase that it was made out for, if it was for one."""

    invoice: Invoice
    purchase: Purchase | None


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
    last attempt that has failed.

    What is void is not asked for any more: whatever was under way then changes nothing about that, unless it
    succeeds. Money that has moved is booked.
    """
    if known.status == "void" and payment != "succeeded":
        payment = "canceled"
    changes: list[Change[Any] | None] = [
        purchase.follow_payment(bought, payment, refunded, now) if bought else None,
        invoice.follow_payment(known, payment, refunded, now),
        follow_charge(subscription, known, payment, failure) if subscription else None,
    ]
    return [change for change in changes if change is not None]


def follow_charge(
    subscription: Subscription, charged: Invoice, payment: IntentStatus, failure: Attempt | None
) -> Change[Subscription] | None:
    """The subscription after the charge for one of its periods; None when nothing is new.

    The invoice is overdue once an attempt has failed, and while none has succeeded: also while another one is
    under way, as that may become known first. A charge that was canceled is not asked for any more. That
    there is an intent, which nobody has tried to pay, says nothing of why that is so.
    """
    if payment == "open":
        return None
    if payment == "succeeded":
        return _standing(subscription, charged, None, is_paid=True)
    if payment == "canceled" or failure is None:
        return _standing(subscription, charged, None)
    return _standing(
        subscription, charged, Overdue(charged.id, failure.failure_code, failure.failure_message)
    )


def not_chargeable(
    subscription: Subscription, charged: Invoice, unusable: str | None = None
) -> Change[Subscription] | None:
    """There is nothing to charge it to; or what there is is `unusable`, in the words of the provider. None
    when that was known."""
    overdue = Overdue(charged.id, "payment_method_missing", "There is no payment method to charge.")
    if unusable is not None:
        overdue = Overdue(charged.id, "payment_method_unusable", unusable)
    return _standing(subscription, charged, overdue)


def _standing(
    subscription: Subscription, charged: Invoice, overdue: Overdue | None, *, is_paid: bool = False
) -> Change[Subscription] | None:
    """The subscription as all that is overdue makes it, whatever became known first. One that has ended stays
    so, and one that was never paid for waits for that."""
    if subscription.status == "canceled":
        return None
    others = [known for known in subscription.overdue if known.invoice_id != charged.id]
    remaining = sorted([*others, *((overdue,) if overdue else ())], key=lambda known: known.invoice_id)
    status = subscription.status
    if remaining:
        status = "incomplete" if status == "incomplete" else "past_due"
    elif status == "past_due" or (status == "incomplete" and is_paid):
        status = "active"
    after = replace(subscription, status=status, overdue=tuple(remaining))
    if after == subscription:
        return None
    return Change(after, (_event(subscription, after),), subscription)


def _event(before: Subscription, after: Subscription) -> Event:
    if before.status == after.status:
        return Event("subscription.updated")
    return Event("subscription.activated" if after.status == "active" else "subscription.past_due")
