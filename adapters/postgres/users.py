"""What is read of users in PostgreSQL: functions of sql/21_users.sql."""

from collections.abc import Sequence

import msgspec

from adapters.postgres.database import Database
from application.ports import UserFilter, UserUpdateContext
from domain.auth import AuthContext, Authenticated
from domain.ids import UserId
from domain.sign_up import NewUser, SignUpContext
from domain.text import email_key
from domain.user import User
from domain.user_changes import UserChanges

_USER = msgspec.json.Decoder(User)
_USERS = msgspec.json.Decoder(list[User])
_SIGN_UP_CONTEXT = msgspec.json.Decoder(SignUpContext)
_UPDATE_CONTEXT = msgspec.json.Decoder(UserUpdateContext)


class UserReads:
    """The part of the store that reads users."""

    database: Database

    async def user_in_books(self, auth: AuthContext, id: UserId) -> User | None:
        return await self.user(auth, id)

    async def user(self, auth: AuthContext, reference: str) -> User | None:
        found = await self.database.call("user_account", auth.organization_id, auth.livemode, reference)
        return None if found is None else _USER.decode(found)

    async def sign_up_context(self, auth: Authenticated, draft: NewUser) -> SignUpContext:
        tenant = auth.organization_id, auth.livemode
        key = email_key(draft.email)
        return _SIGN_UP_CONTEXT.decode(
            await self.database.call("sign_up_context", *tenant, draft.external_id, key)
        )

    async def user_update_context(
        self, auth: Authenticated, reference: str, changes: UserChanges
    ) -> UserUpdateContext | None:
        external_id = changes.external_id if isinstance(changes.external_id, str) else None
        email = email_key(changes.email) if isinstance(changes.email, str) else None
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("user_update_context", *tenant, reference, external_id, email)
        return None if found is None else _UPDATE_CONTEXT.decode(found)

    async def user_page(
        self, auth: Authenticated, wanted: UserFilter, limit: int, before: UserId | None = None
    ) -> Sequence[User]:
        found = await self.database.call(
            "user_page",
            auth.organization_id,
            auth.livemode,
            limit,
            before,
            email_key(wanted.email) if wanted.email is not None else None,
            wanted.stripe_customer_id,
            wanted.without_stripe_customer,
        )
        return _USERS.decode(found)

    async def count_users_without_stripe_customer(self, auth: Authenticated) -> int:
        tenant = auth.organization_id, auth.livemode
        counted: int = await self.database.call("count_users_unknown_to_stripe", *tenant)
        return counted

    async def users_without_stripe_customer(
        self, auth: Authenticated, limit: int, after: UserId | None = None
    ) -> Sequence[User]:
        tenant = auth.organization_id, auth.livemode
        return _USERS.decode(await self.database.call("users_unknown_to_stripe", *tenant, limit, after))
