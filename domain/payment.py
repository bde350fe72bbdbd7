"""Payments: what has become known of a payment intent, in whatever order it came.

A payment is a join of facts, as `domain.intent` says; refunds and disputes are known by their id.
"""

from datetime import datetime

from msgspec import Struct

from domain.change import Change
from domain.events import Event
from domain.ids import (
    CheckoutSessionId,
    CustomerId,
    Ids,
    IntakePaymentId,
    InvoiceId,
    OrganizationId,
    PaymentId,
    PurchaseId,
)
from domain.intent import (
    CANCELED,
    Attempt,
    Ending,
    Endings,
    IntentStatus,
    failure_of,
    merge_attempts,
    merge_endings,
    news_of,
    status_of,
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

PaymentStatus = IntentStatus


class PaymentFact(Struct, frozen=True, tag="payment_intent"):
    """What Stripe reports of a payment intent at some moment; `amount` in minor units of `currency`.

    `organization_id`, `livemode` and what it pays, one of `checkout_session_id`, `invoice_id` and
    `intake_payment_id`, are what the intent's metadata says: we wrote them when we made it, so a fact without
    them is not of our making.
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
    invoice_id: InvoiceId | None = None
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    intake_payment_id: IntakePaymentId | None = None

    @property
    def money_moves(self) -> bool:
        """Whether the buyer has paid or is paying: then there is a customer, and a purchase."""
        return self.ending == "succeeded" or any(attempt.status != "failed" for attempt in self.attempts)


class Payment(Struct, frozen=True):
    """The money side of a purchase, or of what was asked by e-mail; one for each payment intent. `amount` is
    in minor units of `currency`."""

    id: PaymentId
    organization_id: OrganizationId
    livemode: bool
    payment_intent_id: str
    checkout_session_id: CheckoutSessionId | None
    customer_id: CustomerId | None
    purchase_id: PurchaseId | None
    invoice_id: InvoiceId | None
    amount: int
    currency: str
    endings: Endings
    attempts: tuple[Attempt, ...]
    status: PaymentStatus
    created_at: datetime
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    intake_payment_id: IntakePaymentId | None = None
    version: int = 0

    @property
    def refunded_amount(self) -> int:
        """What has gone back or is on its way: the sum of the refunds that have not failed."""
        return total_refunded(self.refunds)

    @property
    def failure_code(self) -> str | None:
        """Why the payment has failed, while it has; of several failed attempts, the last by id."""
        failure = failure_of(self.status, self.attempts)
        return failure.failure_code if failure else None

    @property
    def failure_message(self) -> str | None:
        """The same, as Stripe says it to a person."""
        failure = failure_of(self.status, self.attempts)
        return failure.failure_message if failure else None


def status_after(fact: PaymentFact, known: Payment | None) -> PaymentStatus:
    """How the payment stands with this fact merged in."""
    return status_of(*_merged(fact, known))


def is_abandoned_after(fact: PaymentFact, known: Payment | None) -> bool:
    """Whether nobody paid in time, with this fact merged in, and that is all that ended the payment."""
    endings, _ = _merged(fact, known)
    return endings == ("abandoned",)


def is_known(fact: PaymentFact, known: Payment | None) -> bool:
    """Whether the payment has all of this fact already."""
    return known is not None and (
        _merged(fact, known) == (known.endings, known.attempts)
        and merge_refunds(known.refunds, fact.refunds) == known.refunds
        and merge_disputes(known.disputes, fact.disputes) == known.disputes
    )


def refunded_after(fact: PaymentFact, known: Payment | None) -> int:
    """What has gone back or is on its way, with this fact merged in."""
    return total_refunded(merge_refunds(known.refunds if known else (), fact.refunds))


def record(
    fact: PaymentFact,
    known: Payment | None,
    *,
    organization_id: OrganizationId,
    checkout_session_id: CheckoutSessionId | None,
    customer_id: CustomerId | None,
    purchase_id: PurchaseId | None,
    invoice_id: InvoiceId | None,
    intake_payment_id: IntakePaymentId | None = None,
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
        invoice_id=invoice_id,
        amount=fact.amount,
        currency=fact.currency,
        endings=endings,
        attempts=attempts,
        status=status_of(endings, attempts),
        created_at=known.created_at if known else now,
        refunds=refunds,
        disputes=disputes,
        intake_payment_id=intake_payment_id,
        version=known.version if known else 0,
    )
    if after == known:
        return None
    return Change(after, _events(known, after), known)


def _merged(fact: PaymentFact, known: Payment | None) -> tuple[Endings, tuple[Attempt, ...]]:
    return (
        merge_endings(known.endings if known else (), fact.ending),
        merge_attempts(known.attempts if known else (), fact.attempts),
    )


def _events(before: Payment | None, after: Payment) -> tuple[Event, ...]:
    news = news_of(before.attempts if before else (), after.attempts)
    ended = set(before.endings) if before else set()
    events = [Event("payment.failed", attempt.id) for attempt in news if attempt.status == "failed"]
    events += [Event("payment.processing", attempt.id) for attempt in news if attempt.status == "pending"]
    if not ended & CANCELED and CANCELED & set(after.endings):  # by whomever, it is canceled once
        events.append(Event("payment.canceled", "canceled"))
    if "succeeded" in set(after.endings) - ended:
        events.append(Event("payment.succeeded", "succeeded"))
    events += refund_events(before.refunds if before else (), after.refunds)
    events += dispute_events(before.disputes if before else (), after.disputes)
    return tuple(events) or (Event("payment.updated"),)
