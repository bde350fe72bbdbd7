"""What is read of users in PostgreSQL: functions of sql/21_users.sql."""

import msgspec

from adapters.postgres.database import Database
from domain.auth import AuthContext
from domain.ids import UserId
from domain.user import User

_USER = msgspec.json.Decoder(User)


class UserReads:
    """The part of the store that reads users."""

    database: Database

    async def user_in_books(self, auth: AuthContext, id: UserId) -> User | None:
        found = await self.database.call("user_in_books", auth.organization_id, auth.livemode, id)
        return None if found is None else _USER.decode(found)
