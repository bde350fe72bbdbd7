"""The billing portal's door: who asks to be let in, who is in, and for how long.

None of it is in the books (adr/0021): who knocks is no business of whoever reads the events. What follows
from having proven an address, an account and the customers that are linked to it, is.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from msgspec import Struct

from domain.auth import Buyer, LetIn, SignedIn
from domain.errors import Rejected, TooMany
from domain.ids import AccessRequestId, CustomerId, OrganizationId, PortalSessionId, UserId
from domain.text import EmailKey

CODE_LASTS = timedelta(minutes=10)
MOST_TRIES = 5
"""How often somebody may be wrong about a code: a guess hits one time in 200 000."""

SESSION_LASTS = timedelta(hours=24)
LINK_LASTS = timedelta(minutes=15)

KEPT = timedelta(days=2)
"""How long what has ended is kept: longer than anything is counted for."""


class Limit(Struct, frozen=True):
    """So many codes, within so long."""

    most: int
    within: timedelta


ADDRESS_LIMITS = (Limit(5, timedelta(hours=1)), Limit(10, timedelta(days=1)))
"""For one address, whoever asks: so nobody's mailbox is filled, and nobody guesses more than fifty times a
day."""

SENDER_LIMITS = (Limit(20, timedelta(hours=1)), Limit(50, timedelta(days=1)))
"""From one sender, for whichever addresses."""


class Seller(Struct, frozen=True):
    """Whose portal it is."""

    organization_id: OrganizationId
    name: str


class AccessRequest(Struct, frozen=True):
    """Somebody says that an address is theirs, and is to prove it by the code that is mailed there. `sender`
    is a digest of where they ask from; `tries` counts the codes they have given."""

    id: AccessRequestId
    organization_id: OrganizationId
    livemode: bool
    email: str
    email_key: EmailKey
    sender: str
    created_at: datetime
    expires_at: datetime
    tries: int = 0
    used_at: datetime | None = None


class PortalSession(Struct, frozen=True):
    """A browser in which somebody is in the portal. What the browser holds is a secret, of which this is the
    hash; whose it is, is either an account or one customer."""

    id: PortalSessionId
    organization_id: OrganizationId
    livemode: bool
    secret_hash: str
    user_id: UserId | None
    customer_id: CustomerId | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def buyer(self) -> Buyer:
        """Who is in."""
        if self.user_id is not None:
            return SignedIn(self.user_id, self.organization_id, self.livemode)
        assert self.customer_id is not None, "a session is somebody's"
        return LetIn(self.customer_id, self.organization_id, self.livemode)


class PortalLink(Struct, frozen=True):
    """The application vouches for whoever comes by this link: they are this customer. It is used once."""

    organization_id: OrganizationId
    livemode: bool
    secret_hash: str
    customer_id: CustomerId
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


def access_code(key: bytes, id: AccessRequestId) -> str:
    """Six digits for this request, the same each time, which nobody can tell without the key: so the code
    itself is kept nowhere, and can be mailed again."""
    digest = hmac.digest(key, f"portal access code {id}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest) % 1_000_000:06}"


def is_code(key: bytes, id: AccessRequestId, given: str) -> bool:
    """Whether that is the request's code, told in the same time for each that is wrong."""
    digits = "".join(given.split())
    return hmac.compare_digest(access_code(key, id).encode(), digits.encode())


def code_refused() -> Rejected:
    """For a wrong code, and for one that is too old, was used, or was tried too often: it is not said which,
    as whoever guesses would like to know."""
    return Rejected("access_code_invalid", "This code is not right, or does not hold any more.", field="code")


def too_many_codes() -> TooMany:
    """Whoever asks for codes has asked often enough for now."""
    return TooMany("too_many_access_codes", "Too many codes were asked for. Try again in an hour.")


def link_refused() -> Rejected:
    """It was used, or is too old, or never was one."""
    return Rejected("portal_link_invalid", "This link has been used, or does not hold any more.")
