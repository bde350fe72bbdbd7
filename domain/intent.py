"""What becomes known of an intent at Stripe, one to pay or one to set up, in whatever order it comes.

A join of facts (design, rule 9): merging is commutative, associative and idempotent, so that duplicates and
reordering cannot matter. Attempts are known by their id, and how the intent ended is a set that only grows.
`succeeded` and `canceled` are final, a failed attempt is not
(docs.stripe.com/payments/paymentintents/lifecycle). Nothing is ordered by time.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

AttemptStatus = Literal["pending", "failed", "succeeded"]
Ending = Literal["abandoned", "canceled", "succeeded"]
"""`abandoned`: canceled because nobody acted in time, which is what we tell Stripe when a session expires."""
IntentStatus = Literal["open", "processing", "failed", "canceled", "succeeded"]
Endings: TypeAlias = tuple[Ending, ...]

CANCELED: frozenset[Ending] = frozenset({"abandoned", "canceled"})
_CERTAINTY: dict[AttemptStatus, int] = {"pending": 0, "failed": 1, "succeeded": 2}


class Attempt(Struct, frozen=True):
    """One try. `id` is the charge's, else made of the payment method and the error's code."""

    id: str
    status: AttemptStatus
    failure_code: str | None = None
    failure_message: str | None = None


def merge_attempts(known: tuple[Attempt, ...], reported: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Both, attempt by attempt; of two reports on one attempt the more certain one, in the order of ids."""
    merged: dict[str, Attempt] = {}
    for attempt in (*known, *reported):
        other = merged.get(attempt.id, attempt)
        merged[attempt.id] = max(attempt, other, key=_certainty)
    return tuple(merged[key] for key in sorted(merged))


def merge_endings(known: Endings, reported: Ending | None) -> Endings:
    """Every way in which it is known to have ended, in one order."""
    return tuple(sorted({*known, *((reported,) if reported else ())}))


def _certainty(attempt: Attempt) -> tuple[int, str, str]:
    return _CERTAINTY[attempt.status], attempt.failure_code or "", attempt.failure_message or ""


def status_of(endings: Endings, attempts: tuple[Attempt, ...]) -> IntentStatus:
    """What the facts come to. Success outranks all; an attempt under way outranks those that failed."""
    if "succeeded" in endings:
        return "succeeded"
    if endings:
        return "canceled"
    outcomes = {attempt.status for attempt in attempts}
    if "pending" in outcomes:
        return "processing"
    return "failed" if "failed" in outcomes else "open"


def failure_of(status: IntentStatus, attempts: tuple[Attempt, ...]) -> Attempt | None:
    """Why it has failed, while it has."""
    return last_failed(attempts) if status == "failed" else None


def last_failed(attempts: tuple[Attempt, ...]) -> Attempt | None:
    """Of several failed attempts, the last by id."""
    return next((attempt for attempt in reversed(attempts) if attempt.status == "failed"), None)


def news_of(before: tuple[Attempt, ...], after: tuple[Attempt, ...]) -> list[Attempt]:
    """The attempts that were not known, or not known to stand as they do."""
    known = {(attempt.id, attempt.status) for attempt in before}
    return [attempt for attempt in after if (attempt.id, attempt.status) not in known]
