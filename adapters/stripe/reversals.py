"""What Stripe says of a refund or a dispute, in the words of the books. Pure; the only reader of their JSON.

A refund is read here whether we made it or our webhook is told of it, so that both ways of learning of one
tell the same (docs.stripe.com/refunds, docs.stripe.com/disputes/how-disputes-work).
"""

import msgspec
from msgspec import Struct

from adapters.stripe.marks import refund_id
from adapters.stripe.translation import Expanded, id_of
from domain.reversal import Dispute, DisputeStatus, Refund, RefundReason, RefundStatus, ReversalFact


class _Refund(Struct):
    """docs.stripe.com/api/refunds/object, as far as the books are concerned. It has no mode of its own."""

    id: str
    amount: int
    status: str | None = None
    payment_intent: str | Expanded | None = None
    reason: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] | None = None


class _Dispute(Struct):
    """docs.stripe.com/api/disputes/object"""

    id: str
    amount: int
    currency: str
    status: str
    reason: str | None = None
    payment_intent: str | Expanded | None = None


class _Refunds(Struct):
    data: list[_Refund]


_refund = msgspec.json.Decoder(_Refund)
_refunds = msgspec.json.Decoder(_Refunds)
_dispute = msgspec.json.Decoder(_Dispute)


def refund_of(refund: str) -> Refund:
    """The refund that this JSON tells. Raises msgspec.DecodeError when it is not one."""
    return _read(_refund.decode(refund))


def refunds_of(page: str) -> list[Refund]:
    """The refunds of a list's page."""
    return [_read(refund) for refund in _refunds.decode(page).data]


def refund_fact(refund: msgspec.Raw, *, livemode: bool) -> ReversalFact | None:
    """What a webhook tells of a refund; None where no intent was paid: then it is none of ours."""
    told = _refund.decode(refund)
    intent = id_of(told.payment_intent)
    return ReversalFact(intent, livemode, refunds=(_read(told),)) if intent else None


def dispute_fact(dispute: msgspec.Raw, *, livemode: bool) -> ReversalFact | None:
    """What a webhook tells of a dispute; None where no intent was paid: then it is none of ours."""
    told = _dispute.decode(dispute)
    intent = id_of(told.payment_intent)
    disputed = Dispute(told.id, told.amount, told.currency, _dispute_status(told.status), told.reason)
    return ReversalFact(intent, livemode, disputes=(disputed,)) if intent else None


def _read(refund: _Refund) -> Refund:
    return Refund(
        id=refund_id(refund.metadata or {}) or refund.id,
        amount=refund.amount,
        status=_refund_status(refund.status),
        stripe_refund_id=refund.id,
        reason=_reason(refund.reason),
        failure_reason=refund.failure_reason,
    )


def _reason(reason: str | None) -> RefundReason | None:
    match reason:
        case "duplicate" | "fraudulent" | "requested_by_customer":
            return reason
        case _:  # Stripe has reasons that nobody can give
            return None


def _refund_status(status: str | None) -> RefundStatus:
    match status:
        case "succeeded" | "canceled" | "failed":
            return status
        case _:  # pending, requires_action, and what Stripe may add: it counts until it fails
            return "pending"


def _dispute_status(status: str) -> DisputeStatus:
    match status:
        case "won" | "lost":
            return status
        case "warning_closed" | "prevented":
            return "closed"
        case _:
            return "open"
