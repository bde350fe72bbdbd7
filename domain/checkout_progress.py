"""How a checkout session goes on once it is open: it is paid, canceled, or its time is up."""

from datetime import datetime
from typing import assert_never

from msgspec import UNSET, Struct
from msgspec.structs import replace

from domain.change import Change
from domain.checkout import MOST_QUANTITIES, BuyerDetails, CheckoutSession, CheckoutSessionStatus
from domain.errors import Rejected
from domain.events import Event
from domain.intent import IntentStatus
from domain.money import total


class Intent(Struct, frozen=True):
    """An intent as Stripe made it; the secret lets a browser complete it."""

    id: str
    client_secret: str | None


def attach_intent(session: CheckoutSession, intent: Intent) -> Change[CheckoutSession] | None:
    """Stripe's intent for this session is known now; None when it was known already."""
    after = replace(
        session,
        payment_intent_id=intent.id if session.collects == "payment" else None,
        setup_intent_id=intent.id if session.collects == "payment_method" else None,
        client_secret=intent.client_secret or session.client_secret,
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
    """The buyer says who they are, and how many they want; None when nothing is new.

    Raises Rejected `checkout_session_not_open`, `quantity_fixed`, `amount_too_large`.
    """
    check_open(session, now)
    email, name, address = details.customer_email, details.customer_name, details.billing_address
    after = replace(
        session,
        customer_email=session.customer_email if email is UNSET else email,
        customer_name=session.customer_name if name is UNSET else name,
        billing_address=session.billing_address if address is UNSET else address,
    )
    if details.quantity is not UNSET and details.quantity != session.quantity:
        after = _of_quantity(after, details.quantity)
    return Change(after, (Event("checkout_session.updated"),), session) if after != session else None


def _of_quantity(session: CheckoutSession, quantity: int) -> CheckoutSession:
    """The same for so many. Every quantity ever asked for is remembered: whichever amount the buyer turns out
    to have paid, it is known what for."""
    if not session.sells or session.purchase_id is not None or len(session.quantities) >= MOST_QUANTITIES:
        raise Rejected("quantity_fixed", "The quantity can be changed no more.", field="quantity")
    if session.collects == "payment" and session.payment_intent_id is None:
        raise Rejected("quantity_fixed", "The quantity cannot be changed yet. Try again.", field="quantity")
    amount = total(session.unit_amount, quantity)
    return replace(
        session,
        quantity=quantity,
        quantities=(*(known for known in session.quantities if known != quantity), quantity),
        amount=amount,
    )


def paid_quantity(session: CheckoutSession, amount: int, currency: str) -> int | None:
    """For how many the buyer has paid, who was asked for several quantities one after the other; None when
    the amount is none that they were ever asked for."""
    if currency != session.currency:
        return None
    asked = (quantity for quantity in session.quantities if quantity * session.unit_amount == amount)
    return next(asked, None)


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

    While money is under way it stays pending: should that fail, `follow_intent` finds its time is up.
    """
    return _expired(session, session) if session.status == "open" else None


def is_over(session: CheckoutSession, now: datetime) -> bool:
    """Whether it can be paid no longer, also while the books have yet to say so."""
    return session.status == "expired" or session.expires_at <= now


def _expired(after: CheckoutSession, before: CheckoutSession) -> Change[CheckoutSession]:
    return Change(replace(after, status="expired"), (Event("checkout_session.expired"),), before)


def follow_intent(
    session: CheckoutSession,
    intent: IntentStatus,
    *,
    abandoned: bool,
    now: datetime,
    known: CheckoutSession,
) -> Change[CheckoutSession] | None:
    """The session after its payment or setup, with what else became `known` of it; None when nothing is new.

    Derived from how the intent stands and whether the session's time is up, so that order cannot matter. A
    failed attempt leaves the session open for another one while there is time. One that has expired is
    pending again while somebody is paying all the same, and succeeded when they have. `abandoned`: canceled
    because it had expired, and by nobody else.
    """
    after = replace(known, status=_status(intent, abandoned=abandoned, is_over=is_over(session, now)))
    if after == session:
        return None
    return Change(after, (_event(session, after),), session)


def _status(intent: IntentStatus, *, abandoned: bool, is_over: bool) -> CheckoutSessionStatus:
    match intent:
        case "succeeded":
            return "succeeded"
        case "canceled":
            return "expired" if abandoned else "failed"
        case "processing":
            return "pending"
        case "failed" | "open":
            return "expired" if is_over else "open"
        case _:
            assert_never(intent)


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
