"""A caller who names its request may send it again: it is done once, and answered the same each time (design,
section 5, after docs.stripe.com/api/idempotent_requests).

The reply is stored by the commit that does what was asked, under the caller's key. Whoever commits under the
same key later is told Repeated, before anything else is looked at, and finds the reply. Where Stripe has to
be asked before there is a reply, the first commit stores which row it will be about.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct

from domain.auth import Authenticated
from domain.errors import Repeated
from domain.ids import OrganizationId

KEPT = timedelta(hours=24)
"""How long a reply is kept; after that the same key is a new request."""


class Reply(Struct, frozen=True):
    """What is answered, byte for byte: an HTTP status and the text of the body."""

    status: int
    body: str


REDACTED = Reply(404, "")
"""What is kept in place of a reply that told of a customer who is deleted."""


class IdempotencyKey(Struct, frozen=True):
    """The caller's `key` for a request on a `route`, what was asked by its `fingerprint`, and how the use
    case's result becomes the reply.
    """

    route: str
    key: str
    fingerprint: str
    encode: Callable[[Any], Reply]


class KeptReply(Struct, frozen=True):
    """What has become of a named request. Without a `reply` it is being done, or was when something ended it:
    then `subject_id` is the row to go on with.
    """

    organization_id: OrganizationId
    livemode: bool
    route: str
    key: str
    fingerprint: str
    subject_id: str | None
    reply: Reply | None
    created_at: datetime


def repeated() -> Repeated:
    """For the store: something is kept under this key."""
    return Repeated("idempotency_key_in_use", "A request with this Idempotency-Key is being done. Try again.")


class KeptReplies(Protocol):
    """What has been answered to named requests."""

    async def kept_reply(self, auth: Authenticated, route: str, key: str) -> KeptReply | None:
        """Of this organization and mode; None when nothing has been done under this key."""

    async def forget_replies(self, before: datetime, limit: int) -> int:
        """Forget up to `limit` that were kept before then, and say how many. As the worker: nobody else sees
        those of all organizations."""
