"""Who is calling: `Authorization: Bearer cf_test_…`; a buyer, `Bearer cst_…`."""

import time
from collections.abc import Callable
from typing import Any, TypeAlias

from litestar import Request

from application.ports import Tenants
from domain.account import secret_hash
from domain.auth import Authenticated, ClientToken
from domain.errors import DomainError
from entrypoints.logs import tell

AnyRequest: TypeAlias = Request[Any, Any, Any]

KNOWN_FOR_SECONDS = 5.0
"""How long a key goes on working in a process that has seen it, after it was revoked (design, rule 16)."""

FOR_BUYERS_TOO = "for_buyers_too"
"""In a handler's `opt`: a client token is as good as an API key."""

_PREFIXES = ("cf_test_", "cf_live_")
_OF_BUYERS = "cst_"
_LONGEST = 128


class NotAuthenticated(DomainError):
    """Nobody is known to be calling."""


class ApiKeys:
    """Knows who holds a key.

    Keys that are found are remembered for at most five seconds, by their hash and at most `capacity` of
    them; one that is not found is looked up each time.
    """

    def __init__(
        self,
        tenants: Callable[[], Tenants],
        *,
        seconds: Callable[[], float] = time.monotonic,
        capacity: int = 10_000,
    ) -> None:
        self._tenants = tenants
        self._seconds = seconds
        self._capacity = capacity
        self._known: dict[str, tuple[Authenticated, float]] = {}

    async def holder(self, authorization: str | None) -> Authenticated:
        """Who acts with the key in this header. Raises NotAuthenticated."""
        hashed = secret_hash(_secret_in(authorization))
        asked_at = self._seconds()
        known = self._known.get(hashed)
        if known is not None and asked_at < known[1]:
            return known[0]
        holder = await self._tenants().by_api_key(hashed)
        if holder is None:
            self._known.pop(hashed, None)
            raise NotAuthenticated("api_key_invalid", "This API key is not known, or has been revoked.")
        self._remember(hashed, holder, asked_at + KNOWN_FOR_SECONDS)
        return holder

    def _remember(self, hashed: str, holder: Authenticated, until: float) -> None:
        self._known.pop(hashed, None)
        if len(self._known) >= self._capacity:  # the one in front was remembered first
            del self._known[next(iter(self._known))]
        self._known[hashed] = (holder, until)


async def identify(request: AnyRequest, keys: ApiKeys) -> None:
    """For the routes that ask for a key, before they do anything: who acts becomes the request's `auth`.

    Not in a Litestar guard: for those, the whole route handler is copied at each request.
    """
    holder = await keys.holder(request.headers.get("authorization"))
    tell(organization_id=holder.organization_id, livemode=holder.livemode)
    request.scope["auth"] = holder


def client_token_of(request: AnyRequest) -> ClientToken | None:
    """The client token of a checkout session in the request's header; None where an API key is wanted."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret.startswith(_OF_BUYERS):
        return None
    return ClientToken(secret)


def acts_as_buyer(request: AnyRequest) -> bool:
    """Whether the route is one `FOR_BUYERS_TOO`, and a buyer's token is given; the use case checks it."""
    return FOR_BUYERS_TOO in request.route_handler.opt and client_token_of(request) is not None


def _secret_in(authorization: str | None) -> str:
    if not authorization:
        raise NotAuthenticated(
            "api_key_missing", "Give an API key: the header 'Authorization: Bearer cf_test_…'."
        )
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise NotAuthenticated(
            "api_key_missing", "The Authorization header must be 'Bearer', a space, and an API key."
        )
    if not secret.startswith(_PREFIXES) or len(secret) > _LONGEST:
        raise NotAuthenticated("api_key_invalid", "An API key starts with cf_test_ or cf_live_.")
    return secret
