"""Why a unit of work exists. The cause's own row is stored in the commit, also when nothing else changed."""

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from application.idempotency import IdempotencyKey
from domain.effects import Effect
from domain.ids import EventId, OrganizationId, RequestId, TaskId
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact

StripeFact: TypeAlias = PaymentFact | SetupFact | ReversalFact
"""What Stripe tells us of an intent, or of what it paid."""


class ApiRequest(Struct, frozen=True):
    """Somebody called the HTTP API, or a browser came back from paying; maybe under a key of its own."""

    request_id: RequestId
    idempotency: IdempotencyKey | None = None


class CommandLine(Struct, frozen=True):
    """Somebody ran a command on the server."""

    command: str
    request_id: RequestId


class InboundEvent(Struct, frozen=True):
    """Stripe told us something, signed. `id` is Stripe's, and is handled once.

    `organization_id` is what the event's object says, or empty when it says none. What could not be
    handled is kept with the `refusal`'s code and reason and with the fact itself, to be tried again.
    """

    id: str
    type: str
    organization_id: OrganizationId
    livemode: bool
    received_at: datetime
    refusal: str | None = None
    reason: str | None = None
    fact: StripeFact | None = None


class Task(Struct, frozen=True):
    """An effect to be performed: written with the event that wants it, deleted when it is done.

    `attempts` counts leases. `correlation_id` and `causation_id` lead back to what wanted it.
    """

    id: TaskId
    organization_id: OrganizationId
    livemode: bool
    effect: Effect
    created_at: datetime
    due_at: datetime
    correlation_id: str
    causation_id: EventId
    attempts: int = 0
    last_error: str | None = None
    parked_at: datetime | None = None


class DeliveryTried(Struct, frozen=True):
    """An event was brought to an endpoint, or was not. It has no row here: the worker records its attempts
    beside the books. `correlation_id` and `event_id` lead back to what was told."""

    correlation_id: str
    event_id: EventId


Cause = ApiRequest | CommandLine | InboundEvent | Task | DeliveryTried
