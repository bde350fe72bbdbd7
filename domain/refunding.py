"""Giving money back: how much of a payment can be, and what becomes of it."""

from msgspec.structs import replace

from domain.change import Change
from domain.errors import Rejected
from domain.events import Event
from domain.ids import Ids, RefundId
from domain.payment import Payment
from domain.reversal import NewRefund, Refund, merge_refunds, refund_events


def ask_refund(payment: Payment, draft: NewRefund, ids: Ids) -> tuple[Change[Payment], Refund]:
    """A refund of so much, or of all that is left; it counts from now on, until it fails.

    Raises Rejected `payment_not_refundable` unless the payment has succeeded, and `refund_exceeds_payment`
    when less is left than is asked for.
    """
    if payment.status != "succeeded":
        raise Rejected(
            "payment_not_refundable",
            f"The payment is {payment.status}: only one that has succeeded can be refunded.",
        )
    left = max(0, payment.amount - payment.refunded_amount)
    amount = left if draft.amount is None else draft.amount
    if not 0 < amount <= left:
        raise Rejected(
            "refund_exceeds_payment",
            f"Of the payment, {left} {payment.currency} (in the minor unit) can still be refunded.",
            field="amount",
        )
    asked = Refund(ids.new(RefundId), amount, "pending", reason=draft.reason, metadata=draft.metadata)
    change = follow_refund(payment, asked)
    assert change is not None, "a new refund is news"
    return change, asked


def follow_refund(payment: Payment, refund: Refund) -> Change[Payment] | None:
    """The payment with what became known of one refund merged in; None when nothing is new."""
    after = replace(payment, refunds=merge_refunds(payment.refunds, (refund,)))
    if after == payment:
        return None
    told = refund_events(payment.refunds, after.refunds)
    return Change(after, tuple(told) or (Event("payment.updated"),), payment)
