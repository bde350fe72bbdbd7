"""What is told of usage: the event that the ledger stores with it, and why it was not recorded."""

import hashlib
from datetime import datetime

import msgspec

from application.causes import ApiRequest
from application.ports.usage import Outcome, no_such_feature
from application.unit_of_work import event_hash
from domain.auth import Authenticated, actor_of
from domain.customer import nobody
from domain.entity import no_such
from domain.errors import DomainError, NotFound, Rejected
from domain.events import Event, EventData, EventType, RecordedEvent, Subject
from domain.ids import EventId, Ids, UsageId


def usage_event(
    type: EventType, usage_id: UsageId, auth: Authenticated, cause: ApiRequest, ids: Ids, now: datetime
) -> RecordedEvent:
    """An event about a record of usage, but for its data: that is what the ledger makes of it."""
    event = Event(type)
    return RecordedEvent(
        id=ids.new(EventId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        type=event.type,
        occurred_at=now,
        subject=Subject("usage", usage_id),
        data=EventData({}),
        actor=actor_of(auth),
        request_id=cause.request_id,
        correlation_id=cause.request_id,
        causation_id=None,
        hash=event_hash(event, usage_id, 1),
    )


def fingerprint(*asked: object) -> str:
    """Of all that was asked, to know the same request again."""
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def refused(outcome: Outcome, feature: str = "") -> DomainError:
    """Why nothing was recorded, in the words of whoever has asked."""
    not_counted = "This feature is had or not: there is nothing to count."
    reused = "This key was given to other usage: give each a key of its own."
    reasons: dict[Outcome, DomainError] = {
        "customer_not_found": nobody(),
        "feature_not_found": no_such_feature(feature),
        "entity_not_found": no_such(),
        "balance_not_found": NotFound("balance_not_found", "There is no such balance."),
        "feature_is_boolean": Rejected("feature_is_boolean", not_counted, field="feature"),
        "balance_not_counted": Rejected(
            "balance_not_counted", "Nothing is counted of this balance.", field="amount"
        ),
        "insufficient_balance": Rejected(
            "insufficient_balance", "There are not as many units left.", field="amount"
        ),
        "idempotency_key_reused": Rejected("idempotency_key_reused", reused, field="idempotency_key"),
    }
    return reasons[outcome]
