"""People's accounts with the organization."""

from typing import Protocol

from domain.auth import AuthContext
from domain.ids import UserId
from domain.user import User


class UserRepository(Protocol):
    """Users, as their use cases need them."""

    async def user_in_books(self, auth: AuthContext, id: UserId) -> User | None:
        """By id."""
