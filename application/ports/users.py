"""People's accounts with the organization."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import AuthContext, Authenticated
from domain.ids import UserId
from domain.sign_up import NewUser, SignUpContext
from domain.user import User
from domain.user_changes import UserChanges, UserTaken


class UserUpdateContext(Struct, frozen=True):
    """What changing a user is decided on: what others have taken of what they are to be called."""

    user: User
    taken: UserTaken


class UserFilter(Struct, frozen=True):
    """Which users are asked for: with this e-mail in any spelling, who are this customer at Stripe, and those
    who are none there yet."""

    email: str | None = None
    stripe_customer_id: str | None = None
    without_stripe_customer: bool = False


class UserRepository(Protocol):
    """Users, as their use cases need them."""

    async def user_in_books(self, auth: AuthContext, id: UserId) -> User | None:
        """By id."""

    async def user(self, auth: AuthContext, reference: str) -> User | None:
        """By id (`usr_…`) or external id."""

    async def sign_up_context(self, auth: Authenticated, draft: NewUser) -> SignUpContext:
        """By external id; by e-mail, among those who have proven it and among those who have not."""

    async def user_update_context(
        self, auth: Authenticated, reference: str, changes: UserChanges
    ) -> UserUpdateContext | None:
        """By id or external id; who else has the external id of `changes`, and the e-mail that the user has
        with them."""

    async def user_page(
        self, auth: Authenticated, wanted: UserFilter, limit: int, before: UserId | None = None
    ) -> Sequence[User]:
        """At most so many, newest first; those made `before` one of them, if it is given."""

    async def count_users_without_stripe_customer(self, auth: Authenticated) -> int:
        """How many there are."""

    async def users_without_stripe_customer(
        self, auth: Authenticated, limit: int, after: UserId | None = None
    ) -> Sequence[User]:
        """At most so many, oldest first; those made `after` one of them, if it is given."""
