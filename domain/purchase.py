"""Purchases: what was bought, by whom, and whether it is paid, or was."""

from datetime import datetime
from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.change import Change
from domain.checkout import CheckoutSession
from domain.events import Event
from domain.ids import CheckoutSessionId, CustomerId, Ids, OrganizationId, PriceId, PurchaseId
from domain.payment import PaymentStatus

PurchaseStatus = Literal["open", "pending", "paid", "failed", "refunded", "partially_refunded"]
COMPLETE: frozenset[PurchaseStatus] = frozenset({"paid", "refunded", "partially_refunded"})
"""Of a purchase that has been paid, whatever went back since."""


class Purchase(Struct, frozen=True):
    """Something bought; one for each checkout session. `amount` is the total in minor units of `currency`."""

    id: PurchaseId
    organization_id: OrganizationId
    livemode: bool
    checkout_session_id: CheckoutSessionId
    customer_id: CustomerId
    price_id: PriceId
    quantity: int
    amount: int
    currency: str
    status: PurchaseStatus
    created_at: datetime
    completed_at: datetime | None = None
    version: int = 0


def follow_payment(
    session: CheckoutSession,
    known: Purchase | None,
    payment: PaymentStatus,
    refunded: int,
    customer_id: CustomerId,
    ids: Ids,
    now: datetime,
) -> Change[Purchase] | None:
    """The session's purchase after its payment, made if there is none yet; None when nothing is new.

    `refunded`: so much of the payment has gone back. `purchase.completed` is told once, when it is paid. A
    failed attempt leaves the purchase open.
    """
    if known is not None:
        return _moved(known, _status(payment, refunded, known.amount), now)
    status = _status(payment, refunded, session.amount)
    purchase = Purchase(
        id=ids.new(PurchaseId),
        organization_id=session.organization_id,
        livemode=session.livemode,
        checkout_session_id=session.id,
        customer_id=customer_id,
        price_id=session.price_id,
        quantity=session.quantity,
        amount=session.amount,
        currency=session.currency,
        status=status,
        created_at=now,
        completed_at=now if status in COMPLETE else None,
    )
    return Change(purchase, (Event("purchase.created"), *_events(None, purchase)))


def follow_refunds(known: Purchase, refunded: int, now: datetime) -> Change[Purchase] | None:
    """A paid purchase when so much of its payment has gone back; None when nothing is new.

    A refund that fails counts back, so that it may be paid in full again.
    """
    return _moved(known, _status("succeeded", refunded, known.amount), now)


def _moved(known: Purchase, status: PurchaseStatus, now: datetime) -> Change[Purchase] | None:
    if known.status == status:
        return None
    completed_at = known.completed_at or (now if status in COMPLETE else None)
    after = replace(known, status=status, completed_at=completed_at)
    return Change(after, _events(known, after) or (Event("purchase.updated"),), known)


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
