"""What can have happened, by its public name. Published language: add names, never rename."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from domain.auth import Actor
from domain.ids import EventId, OrganizationId, RequestId

EventType = Literal[
    "api_key.created",
    "api_key.revoked",
    "balance.corrected",
    "balance.granted",
    "balance.moved",
    "catalog.applied",
    "checkout_session.created",
    "checkout_session.expired",
    "checkout_session.failed",
    "checkout_session.pending",
    "checkout_session.succeeded",
    "checkout_session.updated",
    "customer.created",
    "customer.deleted",
    "customer.linked",
    "customer.stripe_deletion_requested",
    "customer.updated",
    "dispute.closed",
    "entity.attached",
    "entity.created",
    "entity.deleted",
    "feature.archived",
    "feature.created",
    "feature.updated",
    "intake_payment.canceled",
    "intake_payment.created",
    "intake_payment.failed",
    "intake_payment.linked",
    "intake_payment.processing",
    "intake_payment.succeeded",
    "intake_payment.updated",
    "invoice.charge_due",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.partially_refunded",
    "invoice.payment_intent_created",
    "invoice.refunded",
    "invoice.updated",
    "invoice.voided",
    "organization.created",
    "organization.updated",
    "payment.canceled",
    "payment.disputed",
    "payment.failed",
    "payment.processing",
    "payment.refund_failed",
    "payment.refund_pending",
    "payment.refunded",
    "payment.succeeded",
    "payment.updated",
    "payment_method.added",
    "price.archived",
    "price.created",
    "pricing_model.archived",
    "pricing_model.created",
    "pricing_model.updated",
    "product.archived",
    "product.created",
    "product.updated",
    "purchase.completed",
    "purchase.created",
    "purchase.failed",
    "purchase.partially_refunded",
    "purchase.refunded",
    "purchase.updated",
    "setup.canceled",
    "setup.failed",
    "setup.processing",
    "setup.succeeded",
    "setup.updated",
    "subscription.activated",
    "subscription.canceled",
    "subscription.cancellation_scheduled",
    "subscription.cancellation_withdrawn",
    "subscription.created",
    "subscription.past_due",
    "subscription.renewed",
    "subscription.updated",
    "subscription_item.created",
    "usage.threshold_reached",
    "user.created",
    "user.signed_up",
    "user.updated",
    "webhook_endpoint.created",
    "webhook_endpoint.deleted",
    "webhook_endpoint.disabled",
    "webhook_endpoint.test",
    "webhook_endpoint.updated",
]


SUBJECT_ID = r"\A[a-z]+_[0-9a-z]{26}\Z"
"""The form of the id of whatever an event is about."""


class Event(Struct, frozen=True):
    """Why a state is as it is. `fact` names what makes it unique where the state's version does not."""

    type: EventType
    fact: str | None = None


class Subject(Struct, frozen=True):
    """What an event is about."""

    type: str
    id: str


class EventData(Struct, frozen=True):
    """The subject's view as the event left it, and the fields that were otherwise before (null: new)."""

    object: dict[str, Any]
    previous: dict[str, Any] | None = None


class RecordedEvent(Struct, frozen=True):
    """An event as it is stored and published. Immutable, but for its sequence, given once it has committed.

    `hash` is of (type, subject, version or fact): a consumer that has seen it has seen this event.
    `sequence` counts from 1 without gaps, per organization and mode, in an order no commit can disturb.
    """

    id: EventId
    organization_id: OrganizationId
    livemode: bool
    type: EventType
    occurred_at: datetime
    subject: Subject
    data: EventData
    actor: Actor
    request_id: RequestId | None
    correlation_id: str
    causation_id: str | None
    hash: str
    sequence: int | None = None
