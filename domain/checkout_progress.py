"""How a checkout session goes on once it is open: it is paid, canceled, or its time is up."""

from datetime import datetime
from typing import assert_never

from msgspec import UNSET
from msgspec.structs import replace

from domain.change import Change
from domain.checkout import BuyerDetails, CheckoutSession, CheckoutSessionStatus
from domain.errors import Rejected
from domain.events import Event
from domain.ids import CustomerId, PurchaseId
from domain.payment import PaymentStatus


def attach_intent(
    session: CheckoutSession, payment_intent_id: str, client_secret: str | None
) -> Change[CheckoutSession] | None:
    """Stripe's payment intent for this session is known now; None when it was known already."""
    after = replace(
        session,
        payment_intent_id=payment_intent_id,
        client_secret=client_secret or session.client_secret,
    )
    return Change(after, (Event("checkout_session.updated"),), session) if after != session else None


def check_open(session: CheckoutSession, now: datetime) -> None:
    """Raises Rejected `checkout_session_not_open`, also while the books have yet to say that it expired."""
    if session.status != "open" or is_over(session, now):
        status = "expired" if session.status == "open" else session.status
        raise Rejected("checkout_session_not_open", f"This checkout session is {status}.")


def describe_buyer(
    session: CheckoutSession, details: BuyerDetails, now: datetime
) -> Change[CheckoutSession] | None:
    """The buyer says who they are; None when nothing is new. Raises Rejected `checkout_session_not_open`."""
    check_open(session, now)
    email, name = details.customer_email, details.customer_name
    after = replace(
        session,
        customer_email=session.customer_email if email is UNSET else email,
        customer_name=session.customer_name if name is UNSET else name,
    )
    return Change(after, (Event("checkout_session.updated"),), session) if after != session else None


def expire(session: CheckoutSession, now: datetime) -> Change[CheckoutSession] | None:
    """The seller wants it to be over now; None when it is already.

    Raises Rejected `checkout_session_not_open` when it is being paid, has been paid, or was canceled.
    """
    match session.status:
        case "open":
            return _expired(replace(session, expires_at=min(now, session.expires_at)), session)
        case "expired":
            return None
        case "pending" | "failed" | "succeeded":
            raise Rejected(
                "checkout_session_not_open", f"This checkout session is {session.status}: it cannot expire."
            )
        case _:
            assert_never(session.status)


def expire_in_time(session: CheckoutSession) -> Change[CheckoutSession] | None:
    """Its time is up; None when there is nothing left to expire.

    While money is under way it stays pending: should that fail, `follow_payment` finds its time is up.
    """
    return _expired(session, session) if session.status == "open" else None


def is_over(session: CheckoutSession, now: datetime) -> bool:
    """Whether it can be paid no longer, also while the books have yet to say so."""
    return session.status == "expired" or session.expires_at <= now


def _expired(after: CheckoutSession, before: CheckoutSession) -> Change[CheckoutSession]:
    return Change(replace(after, status="expired"), (Event("checkout_session.expired"),), before)


def follow_payment(
    session: CheckoutSession,
    payment: PaymentStatus,
    *,
    abandoned: bool,
    now: datetime,
    payment_intent_id: str | None,
    customer_id: CustomerId | None,
    purchase_id: PurchaseId | None,
) -> Change[CheckoutSession] | None:
    """The session after its payment; None when nothing is new.

    Derived from how the payment stands and whether the session's time is up, so that order cannot matter. A
    failed attempt leaves the session open for another one while there is time. One that has expired is
    pending again while somebody is paying all the same, and succeeded when they have. `abandoned`: canceled
    because it had expired, and by nobody else.
    """
    after = replace(
        session,
        status=_status(payment, abandoned=abandoned, is_over=is_over(session, now)),
        payment_intent_id=payment_intent_id,
        customer_id=customer_id,
        purchase_id=purchase_id,
    )
    if after == session:
        return None
    return Change(after, (_event(session, after),), session)


def _status(payment: PaymentStatus, *, abandoned: bool, is_over: bool) -> CheckoutSessionStatus:
    match payment:
        case "succeeded":
            return "succeeded"
        case "canceled":
            return "expired" if abandoned else "failed"
        case "processing":
            return "pending"
        case "failed" | "open":
            return "expired" if is_over else "open"
        case _:
            assert_never(payment)


def _event(before: CheckoutSession, after: CheckoutSession) -> Event:
    if before.status == after.status:
        return Event("checkout_session.updated")
    match after.status:
        case "succeeded":
            return Event("checkout_session.succeeded")
        case "pending":
            return Event("checkout_session.pending")
        case "failed":
            return Event("checkout_session.failed")
        case "expired":
            return Event("checkout_session.expired")
        case "open":
            return Event("checkout_session.updated")
        case _:
            assert_never(after.status)
