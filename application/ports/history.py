"""What the payment provider can be asked for afterwards: what has happened there, and what there is."""

import hashlib
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias

import msgspec
from msgspec import Struct

from application.causes import StripeFact
from domain.ids import CustomerId, OrganizationId, UserId

HistoryKind: TypeAlias = Literal["event", "payment_intent", "setup_intent", "refund", "dispute", "customer"]

KEPT = timedelta(days=30)
"""So long the provider keeps events; its objects it keeps for good."""


class Period(Struct, frozen=True):
    """From `since` on, and before `until`; to the second."""

    since: datetime
    until: datetime


class CustomerAtStripe(Struct, frozen=True):
    """A customer there, with our marks of whom it is for. `deleted`: it was, and is no more."""

    stripe_customer_id: str
    livemode: bool
    organization_id: OrganizationId
    customer_id: CustomerId | None = None
    user_id: UserId | None = None
    deleted: bool = False


class ToldByStripe(Struct, frozen=True):
    """One thing that the provider says. `object_id` is what it is about; `event_id` is null where no event
    told it, but the object itself, as it is now."""

    type: str
    object_id: str
    fact: StripeFact | CustomerAtStripe
    event_id: str | None = None

    @property
    def id(self) -> str:
        """By which it is booked, once: an event by its own, whoever brings it; an object by what it says."""
        if self.event_id is not None:
            return self.event_id
        said = hashlib.sha256(msgspec.json.encode(self.fact)).hexdigest()[:16]
        return f"reconcile:{self.object_id}:{said}"


class HistoryPage(Struct, frozen=True):
    """Newest first. `after` is where the next page begins; null when there is none."""

    told: tuple[ToldByStripe, ...]
    after: str | None = None


class StripeHistory(Protocol):
    """What has happened at the provider, page by page.

    Raises Unavailable and ProviderRefused as PaymentGateway does. What is of no concern to the books is left
    out, so that a page may be empty and not the last.
    """

    async def history(
        self, kind: HistoryKind, period: Period, *, livemode: bool, after: str | None = None
    ) -> HistoryPage:
        """Events of the period that our webhook would be told, and of customers who were deleted; or objects
        that were made in it, as they are now."""
