"""Who is asking. Rules that differ by kind stand in one `match`."""

from typing import assert_never

from msgspec import Struct

from domain.ids import ApiKeyId, OrganizationId, UserId


class Authenticated(Struct, frozen=True, tag="authenticated"):
    """A user of the organization, acting through an API key (or, without one, through the command line)."""

    user_id: UserId
    organization_id: OrganizationId
    livemode: bool
    api_key_id: ApiKeyId | None = None


class Anonymous(Struct, frozen=True, tag="anonymous"):
    """A buyer without an account, known only through the checkout session that is being paid.

    Organization and mode come from that session, never from a request's body.
    """

    organization_id: OrganizationId
    livemode: bool


AuthContext = Authenticated | Anonymous


class ClientToken(Struct, frozen=True):
    """What the buyer of one checkout session holds: it lets them say who they are, and complete that session
    where there is nothing to pay. Nothing else, and nobody's but that session's."""

    secret: str

    def __repr__(self) -> str:
        return "ClientToken(…)"


class Actor(Struct, frozen=True, omit_defaults=True):
    """Who caused an event, as it is published: `user`, `anonymous`, or `worker` (an effect, by nobody)."""

    type: str
    user_id: UserId | None = None
    api_key_id: ApiKeyId | None = None


def actor_of(auth: AuthContext | None) -> Actor:
    """The published form of who is acting; nobody is, when the worker performs an effect."""
    match auth:
        case None:
            return Actor("worker")
        case Authenticated(user_id=user_id, api_key_id=api_key_id):
            return Actor("user", user_id, api_key_id)
        case Anonymous():
            return Actor("anonymous")
        case _:
            assert_never(auth)
