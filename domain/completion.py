"""Completing a checkout: who buys, what they have bought, and how the session stands after it.

The one core of every way to complete a session, whether money is moved for it or there is nothing to pay:
customer, purchase and session come from here, and so do their events.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from domain import checkout_progress, customer, purchase
from domain.auth import Anonymous
from domain.change import Change
from domain.checkout import CheckoutSession
from domain.customer import CustomerTerms
from domain.ids import CustomerId, Ids, PurchaseId
from domain.payment import PaymentStatus
from domain.purchase import Purchase


class Outcome(Struct, frozen=True, kw_only=True):
    """How what is asked of the buyer stands, as far as it is known.

    `binding`: they have done it, or are doing it, so that there is a customer and a purchase. `abandoned`: it
    was canceled because the session had expired, and by nobody else. `email` is what became known of theirs;
    so much of what they have paid was `refunded`.
    """

    status: PaymentStatus
    binding: bool
    abandoned: bool = False
    payment_intent_id: str | None = None
    email: str | None = None
    refunded: int = 0


NOTHING_TO_PAY = Outcome(status="succeeded", binding=True)
"""Nothing is asked of them, so it is done."""


class Completion(Struct, frozen=True):
    """What follows from an outcome: customer and purchase, where they are new or changed, and the session.

    `customer_id` and `purchase_id` are the session's from now on.
    """

    acquired: tuple[Change[Any], ...]
    session: Change[CheckoutSession] | None
    customer_id: CustomerId | None
    purchase_id: PurchaseId | None


def follow(
    session: CheckoutSession,
    known: Purchase | None,
    outcome: Outcome,
    terms: CustomerTerms,
    ids: Ids,
    now: datetime,
) -> Completion:
    """What this outcome makes of the session, whose purchase is `known` if there is one already.

    Where nobody is known to be buying, the customer is made, and never found by e-mail: a stranger could else
    write on somebody's customer by knowing an address. Raises Rejected `no_default_pricing_model`.
    """
    acquired: list[Change[Any]] = []
    customer_id, purchase_id = session.customer_id, session.purchase_id
    if customer_id is None and outcome.binding:
        draft = customer.anonymous_draft(
            session.id, terms, email=session.customer_email or outcome.email, name=session.customer_name
        )
        buyer = Anonymous(session.organization_id, session.livemode)
        creation, _ = customer.create(draft, buyer, terms, ids, now)
        acquired.append(creation)
        customer_id = creation.after.id
    if customer_id is not None and (outcome.binding or known is not None):
        bought = purchase.follow_payment(
            session, known, outcome.status, outcome.refunded, customer_id, ids, now
        )
        if bought is not None:
            acquired.append(bought)
            purchase_id = bought.after.id
    followed = checkout_progress.follow_payment(
        session,
        outcome.status,
        abandoned=outcome.abandoned,
        now=now,
        payment_intent_id=outcome.payment_intent_id,
        customer_id=customer_id,
        purchase_id=purchase_id,
    )
    return Completion(tuple(acquired), followed, customer_id, purchase_id)
