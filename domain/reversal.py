"""Money that goes back: refunds, and disputes. Both are facts of a payment, known by an id, and merge in any
order and number (design, rule 9).
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.events import Event
from domain.text import Metadata

RefundStatus = Literal["pending", "succeeded", "canceled", "failed"]
RefundReason = Literal["duplicate", "fraudulent", "requested_by_customer"]
DisputeStatus = Literal["open", "closed", "won", "lost"]
"""`closed`: an inquiry that came to nothing, or prevented (docs.stripe.com/disputes/how-disputes-work)."""

REFUSED = "refused"
"""Why a refund has failed that was never made; those that were fail for the provider's reasons."""

Text = TypeVar("Text", bound=str)

_CERTAINTY: Mapping[RefundStatus, int] = {"pending": 0, "succeeded": 1, "canceled": 2, "failed": 3}
_CLOSURE: Mapping[DisputeStatus, int] = {"open": 0, "closed": 1, "won": 2, "lost": 3}


class NewRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The refund an application asks for: `amount` in the payment's minor unit, or all that is left of it."""

    amount: Annotated[int, Meta(ge=1)] | None = None
    reason: RefundReason | None = None
    metadata: Metadata = {}


class Refund(Struct, frozen=True):
    """Money given back. `id` is ours (`rfd_…`) when it was asked for here, else Stripe's (`re_…`).

    A refund may succeed and fail afterwards, when the buyer's bank sends it back: a failed one stays failed
    (docs.stripe.com/refunds#failed-refunds).
    """

    id: str
    amount: int
    status: RefundStatus
    stripe_refund_id: str | None = None
    reason: RefundReason | None = None
    failure_reason: str | None = None
    failure_message: str | None = None
    metadata: dict[str, str] = {}


class Dispute(Struct, frozen=True):
    """A buyer's bank wants `amount` back, in minor units of `currency`. `id` is Stripe's."""

    id: str
    amount: int
    currency: str
    status: DisputeStatus
    reason: str | None = None


class ReversalFact(Struct, frozen=True, tag="reversal"):
    """What Stripe reports of a refund or a dispute. It says not whose it is: its payment intent does."""

    payment_intent_id: str
    livemode: bool
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()


def merge_refunds(known: tuple[Refund, ...], reported: tuple[Refund, ...]) -> tuple[Refund, ...]:
    """Both, refund by refund, in the order of ids.

    What Stripe calls by one id is one refund, also when only one of two reports names ours.
    """
    ours: dict[str | None, str] = {}
    for refund in (*known, *reported):
        ours[refund.stripe_refund_id] = max(refund.id, ours.get(refund.stripe_refund_id, ""))
    merged: dict[str, Refund] = {}
    for refund in (*known, *reported):
        known_as = ours[refund.stripe_refund_id] if refund.stripe_refund_id is not None else refund.id
        merged[known_as] = _joined(replace(refund, id=known_as), merged.get(known_as, refund))
    return tuple(merged[key] for key in sorted(merged))


def _joined(one: Refund, other: Refund) -> Refund:
    return Refund(
        id=one.id,
        amount=max(one.amount, other.amount),
        status=max(one.status, other.status, key=_CERTAINTY.__getitem__),
        stripe_refund_id=_told(one.stripe_refund_id, other.stripe_refund_id),
        reason=_told(one.reason, other.reason),
        failure_reason=_told(one.failure_reason, other.failure_reason),
        failure_message=_told(one.failure_message, other.failure_message),
        metadata=max(one.metadata, other.metadata, key=lambda metadata: sorted(metadata.items())),
    )


def merge_disputes(known: tuple[Dispute, ...], reported: tuple[Dispute, ...]) -> tuple[Dispute, ...]:
    """Both, dispute by dispute; of two reports on one the more final one, in the order of ids."""
    merged: dict[str, Dispute] = {}
    for dispute in (*known, *reported):
        other = merged.get(dispute.id, dispute)
        merged[dispute.id] = max(dispute, other, key=_finality)
    return tuple(merged[key] for key in sorted(merged))


def _finality(dispute: Dispute) -> tuple[int, int, str]:
    return _CLOSURE[dispute.status], dispute.amount, dispute.reason or ""


def _told(one: Text | None, other: Text | None) -> Text | None:
    return max((told for told in (one, other) if told is not None), default=None)


def refused(refund: Refund, message: str) -> Refund:
    """It will never be made: the provider said no, in these words."""
    return replace(refund, status="failed", failure_reason=REFUSED, failure_message=message)


def is_made(refund: Refund) -> bool:
    """Whether it is known what the provider made of it, be it nothing."""
    return refund.status != "pending" or refund.stripe_refund_id is not None


def total_refunded(refunds: tuple[Refund, ...]) -> int:
    """What has gone back or is on its way: a refund that fails, however late, counts no more."""
    return sum(refund.amount for refund in refunds if refund.status in ("pending", "succeeded"))


def refund_events(before: tuple[Refund, ...], after: tuple[Refund, ...]) -> list[Event]:
    """What is new of refunds, each told once: that one is asked for, has succeeded, or came to nothing."""
    told = {_of_refund(refund) for refund in before}
    return [event for refund in after if (event := _of_refund(refund)) not in told]


def _of_refund(refund: Refund) -> Event:
    match refund.status:
        case "pending":
            return Event("payment.refund_pending", refund.id)
        case "succeeded":
            return Event("payment.refunded", refund.id)
        case "canceled" | "failed":
            return Event("payment.refund_failed", refund.id)
        case _:
            assert_never(refund.status)


def dispute_events(before: tuple[Dispute, ...], after: tuple[Dispute, ...]) -> list[Event]:
    """What is new of disputes: that one was opened, and that it is closed, each told once in any order."""
    told = {event for dispute in before for event in _of_dispute(dispute)}
    return [event for dispute in after for event in _of_dispute(dispute) if event not in told]


def _of_dispute(dispute: Dispute) -> tuple[Event, ...]:
    opened = Event("payment.disputed", dispute.id)
    return (opened,) if dispute.status == "open" else (opened, Event("dispute.closed", dispute.id))
