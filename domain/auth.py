"""Who is asking. Rules that differ by kind stand in one `match`."""

from typing import assert_never

from msgspec import Struct

from domain.ids import ApiKeyId, CustomerId, OrganizationId, UserId


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


class SignedIn(Struct, frozen=True, tag="signed_in"):
    """A person in the billing portal, who has proven an e-mail address: all customers that are linked to
    their account, and nothing else."""

    user_id: UserId
    organization_id: OrganizationId
    livemode: bool


class LetIn(Struct, frozen=True, tag="let_in"):
    """Somebody in the billing portal whom the application has let in by a link: to this customer, and to
    none else, also not of the same account."""

    customer_id: CustomerId
    organization_id: OrganizationId
    livemode: bool


Buyer = SignedIn | LetIn
"""A buyer who looks after what is theirs. What they may see is for the database to say (row-level
security)."""

Caller = AuthContext | Buyer
"""Whoever acts."""


class ClientToken(Struct, frozen=True):
    """What the buyer of one checkout session holds: it lets them say who they are, and complete that session
    where there is nothing to pay. Nothing else, and nobody's but that session's."""

    secret: str

    def __repr__(self) -> str:
        return "ClientToken(…)"


class Actor(Struct, frozen=True, omit_defaults=True):
    """Who caused an event, as it is published: `user` (of the API), `buyer` (in the portal), `anonymous`, or
    `worker` (an effect, by nobody)."""

    type: str
    user_id: UserId | None = None
    api_key_id: ApiKeyId | None = None


def actor_of(auth: Caller | None) -> Actor:
    """The published form of who is acting; nobody is, when the worker performs an effect."""
    match auth:
        case None:
            return Actor("worker")
        case Authenticated(user_id=user_id, api_key_id=api_key_id):
            return Actor("user", user_id, api_key_id)
        case Anonymous():
            return Actor("anonymous")
        case SignedIn(user_id=user_id):
            return Actor("buyer", user_id)
        case LetIn():
            return Actor("buyer")
        case _:
            assert_never(auth)
