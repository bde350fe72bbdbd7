"""Payments: what has become known of a payment intent, in whatever order it came.

A payment is a join of facts (design, rule 9). Merging is commutative, associative and idempotent, so that
duplicates and reordering cannot matter: attempts are known by their charge, refunds and disputes by their
id, and how the intent ended is a set that only grows. `succeeded` and `canceled` are final, a failed attempt
is not (docs.stripe.com/payments/paymentintents/lifecycle). Nothing is ordered by time.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from domain.change import Change
from domain.events import Event
from domain.ids import (
    CheckoutSessionId,
    CustomerId,
    Ids,
    OrganizationId,
    PaymentId,
    PurchaseId,
)
from domain.reversal import (
    Dispute,
    Refund,
    dispute_events,
    merge_disputes,
    merge_refunds,
    refund_events,
    total_refunded,
)

AttemptStatus = Literal["pending", "failed", "succeeded"]
Ending = Literal["abandoned", "canceled", "succeeded"]
"""`abandoned`: canceled because nobody paid in time, which is what we tell Stripe when a session expires."""
PaymentStatus = Literal["open", "processing", "failed", "canceled", "succeeded"]

_CANCELED: frozenset[Ending] = frozenset({"abandoned", "canceled"})
_CERTAINTY: dict[AttemptStatus, int] = {"pending": 0, "failed": 1, "succeeded": 2}


class Attempt(Struct, frozen=True):
    """One try at charging. `id` is the charge's, else made of the payment method and the error's code."""

    id: str
    status: AttemptStatus
    failure_code: str | None = None
    failure_message: str | None = None


class PaymentFact(Struct, frozen=True, tag="payment_intent"):
    """What Stripe reports of a payment intent at some moment; `amount` in minor units of `currency`.

    `organization_id`, `livemode` and `checkout_session_id` are what the intent's metadata says: we wrote
    them when we made it, so a fact without them is not of our making.
    """

    payment_intent_id: str
    livemode: bool
    amount: int
    currency: str
    ending: Ending | None = None
    attempts: tuple[Attempt, ...] = ()
    stripe_customer_id: str | None = None
    receipt_email: str | None = None
    organization_id: OrganizationId | None = None
    checkout_session_id: CheckoutSessionId | None = None
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def money_moves(self) -> bool:
        """Whether the buyer has paid or is paying: then there is a customer, and a purchase."""
        return self.ending == "succeeded" or any(attempt.status != "failed" for attempt in self.attempts)


class Payment(Struct, frozen=True):
    """The money side of a purchase; one for each payment intent. `amount` is in minor units of `currency`."""

    id: PaymentId
    organization_id: OrganizationId
    livemode: bool
    payment_intent_id: str
    checkout_session_id: CheckoutSessionId
    customer_id: CustomerId | None
    purchase_id: PurchaseId | None
    amount: int
    currency: str
    endings: tuple[Ending, ...]
    attempts: tuple[Attempt, ...]
    status: PaymentStatus
    created_at: datetime
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    version: int = 0

    @property
    def refunded_amount(self) -> int:
        """What has gone back or is on its way: the sum of the refunds that have not failed."""
        return total_refunded(self.refunds)

    @property
    def failure_code(self) -> str | None:
        """Why the payment has failed, while it has; of several failed attempts, the last by id."""
        return self._failure.failure_code if self._failure else None

    @property
    def failure_message(self) -> str | None:
        """The same, as Stripe says it to a person."""
        return self._failure.failure_message if self._failure else None

    @property
    def _failure(self) -> Attempt | None:
        failed = [attempt for attempt in self.attempts if attempt.status == "failed"]
        return failed[-1] if failed and self.status == "failed" else None


def merge_attempts(known: tuple[Attempt, ...], reported: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Both, attempt by attempt; of two reports on one attempt the more certain one, in the order of ids."""
    merged: dict[str, Attempt] = {}
    for attempt in (*known, *reported):
        other = merged.get(attempt.id, attempt)
        merged[attempt.id] = max(attempt, other, key=_certainty)
    return tuple(merged[key] for key in sorted(merged))


def _certainty(attempt: Attempt) -> tuple[int, str, str]:
    return _CERTAINTY[attempt.status], attempt.failure_code or "", attempt.failure_message or ""


def status_of(endings: tuple[Ending, ...], attempts: tuple[Attempt, ...]) -> PaymentStatus:
    """What the facts come to. Success outranks all; an attempt under way outranks those that failed."""
    if "succeeded" in endings:
        return "succeeded"
    if endings:
        return "canceled"
    outcomes = {attempt.status for attempt in attempts}
    if "pending" in outcomes:
        return "processing"
    return "failed" if "failed" in outcomes else "open"


def status_after(fact: PaymentFact, known: Payment | None) -> PaymentStatus:
    """How the payment stands with this fact merged in."""
    return status_of(*_merged(fact, known))


def is_abandoned_after(fact: PaymentFact, known: Payment | None) -> bool:
    """Whether nobody paid in time, with this fact merged in, and that is all that ended the payment."""
    endings, _ = _merged(fact, known)
    return endings == ("abandoned",)


def refunded_after(fact: PaymentFact, known: Payment | None) -> int:
    """What has gone back or is on its way, with this fact merged in."""
    return total_refunded(merge_refunds(known.refunds if known else (), fact.refunds))


def record(
    fact: PaymentFact,
    known: Payment | None,
    *,
    organization_id: OrganizationId,
    checkout_session_id: CheckoutSessionId,
    customer_id: CustomerId | None,
    purchase_id: PurchaseId | None,
    ids: Ids,
    now: datetime,
) -> Change[Payment] | None:
    """The payment with this fact merged in; None when the fact adds nothing.

    Each failed attempt, success and cancellation is told by exactly one event, whatever came before or after
    it; an attempt under way by one, unless how it ended was known before. So are refunds and disputes.
    """
    endings, attempts = _merged(fact, known)
    refunds = merge_refunds(known.refunds if known else (), fact.refunds)
    disputes = merge_disputes(known.disputes if known else (), fact.disputes)
    if not (endings or attempts or refunds or disputes):
        return None
    after = Payment(
        id=known.id if known else ids.new(PaymentId),
        organization_id=organization_id,
        livemode=fact.livemode,
        payment_intent_id=fact.payment_intent_id,
        checkout_session_id=checkout_session_id,
        customer_id=customer_id,
        purchase_id=purchase_id,
        amount=fact.amount,
        currency=fact.currency,
        endings=endings,
        attempts=attempts,
        status=status_of(endings, attempts),
        created_at=known.created_at if known else now,
        refunds=refunds,
        disputes=disputes,
        version=known.version if known else 0,
    )
    if after == known:
        return None
    return Change(after, _events(known, after), known)


def _merged(fact: PaymentFact, known: Payment | None) -> tuple[tuple[Ending, ...], tuple[Attempt, ...]]:
    endings = {*(known.endings if known else ()), *((fact.ending,) if fact.ending else ())}
    return tuple(sorted(endings)), merge_attempts(known.attempts if known else (), fact.attempts)


def _events(before: Payment | None, after: Payment) -> tuple[Event, ...]:
    known = {(attempt.id, attempt.status) for attempt in before.attempts} if before else set()
    news = [attempt for attempt in after.attempts if (attempt.id, attempt.status) not in known]
    ended = set(before.endings) if before else set()
    events = [Event("payment.failed", attempt.id) for attempt in news if attempt.status == "failed"]
    events += [Event("payment.processing", attempt.id) for attempt in news if attempt.status == "pending"]
    if not ended & _CANCELED and _CANCELED & set(after.endings):  # by whomever, it is canceled once
        events.append(Event("payment.canceled", "canceled"))
    if "succeeded" in set(after.endings) - ended:
        events.append(Event("payment.succeeded", "succeeded"))
    events += refund_events(before.refunds if before else (), after.refunds)
    events += dispute_events(before.disputes if before else (), after.disputes)
    return tuple(events) or (Event("payment.updated"),)
