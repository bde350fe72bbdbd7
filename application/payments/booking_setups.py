"""What becomes of a fact of a setup intent, decided purely: whether it is booked or only compared."""

from datetime import datetime

from application.causes import Cause
from application.ports import BookingContext
from application.unit_of_work import UnitOfWork
from domain import completion, setup
from domain.auth import Anonymous
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.completion import Outcome
from domain.errors import Rejected
from domain.ids import Ids
from domain.setup import SetupFact


def decide(
    fact: SetupFact, context: BookingContext, cause: Cause, ids: Ids, now: datetime
) -> tuple[UnitOfWork, CheckoutSession]:
    """All that changes by it, and the session as it then stands. Raises Rejected, with a code for each way of
    not fitting."""
    session = _fitting(fact, context)
    work = UnitOfWork(cause, Anonymous(session.organization_id, session.livemode), ids, now)
    status = setup.status_after(fact, context.setup)
    outcome = Outcome(
        status=status,
        binding=fact.ending == "succeeded",
        abandoned=setup.is_abandoned_after(fact, context.setup),
        setup_intent_id=fact.setup_intent_id,
        method=fact.payment_method,
    )
    completed = completion.follow(session, context.ground, outcome, ids, now)
    for change in completed.changes:
        work.record(change)
    left = setup.record(
        fact,
        context.setup,
        organization_id=session.organization_id,
        checkout_session_id=session.id,
        customer_id=completed.customer_id,
        payment_method_id=completed.payment_method_id,
        ids=ids,
        now=now,
    )
    if left is not None:
        work.record(left)
    return work, stored(work.record(completed.session)) if completed.session else session


def _fitting(fact: SetupFact, context: BookingContext) -> CheckoutSession:
    """The session that the fact is about. Raises Rejected, with a code for each way of not fitting."""
    if fact.checkout_session_id is None or fact.organization_id is None:
        raise Rejected("setup_intent_not_ours", "The setup intent's metadata names no checkout session.")
    session = context.session
    if session is None:
        raise Rejected(
            "checkout_session_unknown", f"There is no checkout session '{fact.checkout_session_id}'."
        )
    known = session.setup_intent_id
    if session.collects != "payment_method" or known not in (None, fact.setup_intent_id):
        raise Rejected("setup_intent_mismatch", f"The session is completed by {known}, not by this intent.")
    if context.completing not in (None, session.id):
        raise Rejected(
            "setup_intent_mismatch", f"The intent completes another session, {context.completing}."
        )
    method = context.ground.payment_method
    if method is not None and method.customer_id != session.customer_id:
        raise Rejected("setup_intent_mismatch", "The payment method is another customer's.")
    customer = context.ground.customer
    if customer is not None and customer.deleted_at is not None and fact.ending == "succeeded":
        raise Rejected("customer_deleted", "The customer has been deleted: there is nobody to charge.")
    expected = customer.stripe_customer_id if customer else None
    if expected and fact.stripe_customer_id and expected != fact.stripe_customer_id:
        raise Rejected("stripe_customer_mismatch", "The intent belongs to another Stripe customer.")
    return session
