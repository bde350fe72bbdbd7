"""Setups: what has become known of a setup intent, by which a buyer leaves a means of payment."""

from datetime import datetime

from msgspec import Struct

from domain.change import Change
from domain.events import Event
from domain.ids import CheckoutSessionId, CustomerId, Ids, OrganizationId, PaymentMethodId, SetupId
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
from domain.payment_method import StoredMethod


class SetupFact(Struct, frozen=True, tag="setup_intent"):
    """What Stripe reports of a setup intent at some moment. `payment_method` is what was set up, once it was.

    `organization_id`, `livemode` and `checkout_session_id` are what the intent's metadata says: we wrote
    them when we made it, so a fact without them is not of our making.
    """

    setup_intent_id: str
    livemode: bool
    ending: Ending | None = None
    attempts: tuple[Attempt, ...] = ()
    stripe_customer_id: str | None = None
    payment_method: StoredMethod | None = None
    organization_id: OrganizationId | None = None
    checkout_session_id: CheckoutSessionId | None = None


class Setup(Struct, frozen=True):
    """How leaving a means of payment stands; one for each setup intent. No money moves by it."""

    id: SetupId
    organization_id: OrganizationId
    livemode: bool
    setup_intent_id: str
    checkout_session_id: CheckoutSessionId
    customer_id: CustomerId | None
    payment_method_id: PaymentMethodId | None
    endings: Endings
    attempts: tuple[Attempt, ...]
    status: IntentStatus
    created_at: datetime
    version: int = 0

    @property
    def failure_code(self) -> str | None:
        """Why it has failed, while it has."""
        failure = failure_of(self.status, self.attempts)
        return failure.failure_code if failure else None

    @property
    def failure_message(self) -> str | None:
        """The same, as Stripe says it to a person."""
        failure = failure_of(self.status, self.attempts)
        return failure.failure_message if failure else None


def status_after(fact: SetupFact, known: Setup | None) -> IntentStatus:
    """How the setup stands with this fact merged in."""
    return status_of(*_merged(fact, known))


def is_abandoned_after(fact: SetupFact, known: Setup | None) -> bool:
    """Whether nobody acted in time, with this fact merged in, and that is all that ended the setup."""
    endings, _ = _merged(fact, known)
    return endings == ("abandoned",)


def is_known(fact: SetupFact, known: Setup | None) -> bool:
    """Whether the setup has all of this fact already."""
    return known is not None and _merged(fact, known) == (known.endings, known.attempts)


def record(
    fact: SetupFact,
    known: Setup | None,
    *,
    organization_id: OrganizationId,
    checkout_session_id: CheckoutSessionId,
    customer_id: CustomerId | None,
    payment_method_id: PaymentMethodId | None,
    ids: Ids,
    now: datetime,
) -> Change[Setup] | None:
    """The setup with this fact merged in; None when the fact adds nothing.

    Each failed attempt, success and cancellation is told by exactly one event, whatever came before or after
    it; an attempt under way by one, unless how it ended was known before.
    """
    endings, attempts = _merged(fact, known)
    if not (endings or attempts):
        return None
    after = Setup(
        id=known.id if known else ids.new(SetupId),
        organization_id=organization_id,
        livemode=fact.livemode,
        setup_intent_id=fact.setup_intent_id,
        checkout_session_id=checkout_session_id,
        customer_id=customer_id,
        payment_method_id=payment_method_id or (known.payment_method_id if known else None),
        endings=endings,
        attempts=attempts,
        status=status_of(endings, attempts),
        created_at=known.created_at if known else now,
        version=known.version if known else 0,
    )
    return Change(after, _events(known, after), known) if after != known else None


def _merged(fact: SetupFact, known: Setup | None) -> tuple[Endings, tuple[Attempt, ...]]:
    return (
        merge_endings(known.endings if known else (), fact.ending),
        merge_attempts(known.attempts if known else (), fact.attempts),
    )


def _events(before: Setup | None, after: Setup) -> tuple[Event, ...]:
    news = news_of(before.attempts if before else (), after.attempts)
    ended = set(before.endings) if before else set()
    events = [Event("setup.failed", attempt.id) for attempt in news if attempt.status == "failed"]
    events += [Event("setup.processing", attempt.id) for attempt in news if attempt.status == "pending"]
    if not ended & CANCELED and CANCELED & set(after.endings):
        events.append(Event("setup.canceled", "canceled"))
    if "succeeded" in set(after.endings) - ended:
        events.append(Event("setup.succeeded", "succeeded"))
    return tuple(events) or (Event("setup.updated"),)
