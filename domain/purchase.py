"""Purchases: what was bought, by whom, and whether it is paid, or was."""

from datetime import datetime
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.catalog import Price
from domain.change import Change
from domain.errors import Rejected
from domain.events import Event
from domain.ids import CheckoutSessionId, CustomerId, Ids, OrganizationId, PriceId, PurchaseId
from domain.money import Quantity
from domain.payment import PaymentStatus
from domain.text import NamedCustomer

PurchaseStatus = Literal["open", "pending", "paid", "failed", "refunded", "partially_refunded"]
COMPLETE: frozenset[PurchaseStatus] = frozenset({"paid", "refunded", "partially_refunded"})
"""Of a purchase that has been paid, whatever went back since."""


class Purchase(Struct, frozen=True):
    """Something bought. `amount` is the total in minor units of `currency`; of a subscription, what its first
    period costs. `checkout_session_id` is the session that it is paid by: one at a time; null while there has
    been none. An application may make the purchase before it is paid.
    """

    id: PurchaseId
    organization_id: OrganizationId
    livemode: bool
    checkout_session_id: CheckoutSessionId | None
    customer_id: CustomerId
    price_id: PriceId
    quantity: int
    amount: int
    currency: str
    status: PurchaseStatus
    created_at: datetime
    completed_at: datetime | None = None
    version: int = 0


class NewPurchase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The purchase an application makes for a customer, to be paid later through a checkout session."""

    customer: NamedCustomer
    price: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00]*\Z")]
    quantity: Quantity = 1


def buy(
    customer_id: CustomerId, price: Price, quantity: int, amount: int, ids: Ids, now: datetime
) -> Purchase:
    """A purchase of this price by this customer; nothing has been paid for it. Not yet in the books."""
    return Purchase(
        id=ids.new(PurchaseId),
        organization_id=price.organization_id,
        livemode=price.livemode,
        checkout_session_id=None,
        customer_id=customer_id,
        price_id=price.id,
        quantity=quantity,
        amount=amount,
        currency=price.currency,
        status="open",
        created_at=now,
    )


def made(purchase: Purchase) -> Change[Purchase]:
    """The purchase is agreed upon, and nothing has been paid."""
    return Change(purchase, (Event("purchase.created"),))


def pay_through(
    known: Purchase | None,
    new: Purchase,
    session_id: CheckoutSessionId,
    payment: PaymentStatus,
    refunded: int,
    now: datetime,
) -> Change[Purchase] | None:
    """The purchase that this session pays, after its payment: the one `known`, else the `new` one; None when
    nothing is new.

    `purchase.completed` is told once, when it is paid. A failed attempt leaves the purchase open. Raises
    Rejected `purchase_not_open` where another session pays it already.
    """
    if known is None:
        paid = replace(new, checkout_session_id=session_id)
        after = _moved(paid, _status(payment, refunded, new.amount), now)
        return Change(after, (Event("purchase.created"), *_events(None, after)))
    if known.checkout_session_id not in (None, session_id) and known.status not in ("open", "failed"):
        raise Rejected("purchase_not_open", f"The purchase is {known.status}, by another checkout session.")
    sold = replace(known, checkout_session_id=session_id, amount=new.amount)
    return _changed(known, sold, payment, refunded, now)


def is_completed_by(change: Change[Purchase]) -> bool:
    """Whether it is paid now, for the first time."""
    before = change.before
    return change.after.completed_at is not None and (before is None or before.completed_at is None)


def follow_payment(
    known: Purchase, payment: PaymentStatus, refunded: int, now: datetime
) -> Change[Purchase] | None:
    """The purchase after its payment, of which so much has gone back; None when nothing is new.

    A refund that fails counts back, so that it may be paid in full again.
    """
    return _changed(known, known, payment, refunded, now)


def _changed(
    known: Purchase, sold: Purchase, payment: PaymentStatus, refunded: int, now: datetime
) -> Change[Purchase] | None:
    after = _moved(sold, _status(payment, refunded, sold.amount), now)
    if after == known:
        return None
    return Change(after, _events(known, after) or (Event("purchase.updated"),), known)


def _moved(known: Purchase, status: PurchaseStatus, now: datetime) -> Purchase:
    completed_at = known.completed_at or (now if status in COMPLETE else None)
    return replace(known, status=status, completed_at=completed_at)


def _status(payment: PaymentStatus, refunded: int, amount: int) -> PurchaseStatus:
    match payment:
        case "succeeded" if refunded == 0:
            return "paid"
        case "succeeded":
            return "partially_refunded" if refunded < amount else "refunded"
        case "canceled":
            return "failed"
        case "processing":
            return "pending"
        case "failed" | "open":
            return "open"
        case _:
            assert_never(payment)


def _events(before: Purchase | None, after: Purchase) -> tuple[Event, ...]:
    events: list[Event] = []
    if after.completed_at is not None and (before is None or before.completed_at is None):
        events.append(Event("purchase.completed"))
    if before is not None and before.status == after.status:
        return tuple(events)
    match after.status:
        case "failed":
            events.append(Event("purchase.failed"))
        case "partially_refunded":
            events.append(Event("purchase.partially_refunded"))
        case "refunded":
            events.append(Event("purchase.refunded"))
        case _:
            pass
    return tuple(events)
