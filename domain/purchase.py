"""Purchases: what was bought, by whom, and whether it is paid."""

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
    customer_id: CustomerId,
    ids: Ids,
    now: datetime,
) -> Change[Purchase] | None:
    """The session's purchase after its payment, made if there is none yet; None when nothing is new.

    `purchase.completed` is told once, when it is paid. A failed attempt leaves the purchase open.
    """
    status = _status(payment)
    if known is None:
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
            completed_at=now if status == "paid" else None,
        )
        created = Event("purchase.created")
        return Change(purchase, (created,) if status in ("open", "pending") else (created, _event(status)))
    if known.status == status:
        return None
    completed_at = now if status == "paid" else known.completed_at
    return Change(replace(known, status=status, completed_at=completed_at), (_event(status),), known)


def _status(payment: PaymentStatus) -> PurchaseStatus:
    match payment:
        case "succeeded":
            return "paid"
        case "canceled":
            return "failed"
        case "processing":
            return "pending"
        case "failed" | "open":
            return "open"
        case _:
            assert_never(payment)


def _event(status: PurchaseStatus) -> Event:
    match status:
        case "paid":
            return Event("purchase.completed")
        case "failed":
            return Event("purchase.failed")
        case _:
            return Event("purchase.updated")
