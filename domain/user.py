"""People's own accounts with an organization."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.change import Change
from domain.errors import NotFound, Rejected
from domain.events import Event
from domain.ids import OrganizationId, UserId
from domain.text import EmailKey, email_key, external_id

OUR_PREFIX = "usr_"
"""Of our own ids of users: what begins with it is never an external id."""

ExternalUserId = Annotated[
    str, Meta(extra_json_schema={"pattern": r"^(?!cus_|anon_|usr_)[A-Za-z0-9_-]{1,255}$"})
]
"""Checked by `external_user_id`, which has messages of its own; the pattern says the same in schemas."""


class User(Struct, frozen=True):
    """The account of a person with one organization, in one mode.

    `external_id` is the application's id. An e-mail address may be claimed by one who has not proven that it
    is theirs and, beside them, be the proven one of another (`email_verified_at`): whoever claims an address
    neither takes its place from who has it, nor is taken for them. `stripe_customer_id` comes from an effect.
    """

    id: UserId
    organization_id: OrganizationId
    livemode: bool
    external_id: str | None
    email: str
    email_key: EmailKey
    email_verified_at: datetime | None
    name: str | None
    stripe_customer_id: str | None
    stripe_customer_created_at: datetime | None
    created_at: datetime
    version: int = 0

    @property
    def email_verified(self) -> bool:
        """Whether they have proven that the address is theirs: among those of either kind it is unique."""
        return self.email_verified_at is not None


def new_user(
    user_id: UserId, organization_id: OrganizationId, *, livemode: bool, email: str, now: datetime
) -> Change[User]:
    """The account, in one mode, of an organization's owner, who has the same id in both."""
    user = User(
        id=user_id,
        organization_id=organization_id,
        livemode=livemode,
        external_id=None,
        email=email,
        email_key=email_key(email),
        email_verified_at=None,
        name=None,
        stripe_customer_id=None,
        stripe_customer_created_at=None,
        created_at=now,
    )
    return Change(user, (Event("user.created"),))


def attach_stripe_customer(user: User, stripe_customer_id: str, now: datetime) -> Change[User]:
    """Stripe knows the user from now on, by this id."""
    after = replace(user, stripe_customer_id=stripe_customer_id, stripe_customer_created_at=now)
    return Change(after, (Event("user.updated"),), user)


def called(user: User) -> tuple[str, str | None]:
    """E-mail and name: what Stripe is told of a user."""
    return user.email, user.name


def external_user_id(value: str) -> str:
    """The application's own id of a user, checked as those of customers are. Raises Rejected
    `invalid_external_id`."""
    return external_id(value, reserved=(OUR_PREFIX,))


def no_such_user(reference: str, field: str = "user") -> Rejected:
    """Why nothing is listed of a user who is not there."""
    return Rejected("user_not_found", f"There is no user '{reference}'.", field=field)


def nobody() -> NotFound:
    """There is no such user at this address, or it is somebody else's."""
    return NotFound("user_not_found", "There is no such user.")
