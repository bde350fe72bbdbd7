"""What is read of users in memory; the promises stand in `application.ports`."""

import asyncio

from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from domain.auth import AuthContext
from domain.ids import UserId
from domain.user import User


class UserReads:
    """The part of the store that reads users."""

    _books: Books

    async def user_in_books(self, auth: AuthContext, id: UserId) -> User | None:
        found = copied(TenantBooks(self._books, auth.organization_id, livemode=auth.livemode).get(User, id))
        await asyncio.sleep(0)
        return found
