"""What is read of users in memory; the promises stand in `application.ports`."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from application.ports import UserFilter, UserUpdateContext
from domain.auth import AuthContext, Authenticated
from domain.ids import UserId
from domain.sign_up import NewUser, SignUpContext
from domain.text import EmailKey, email_key
from domain.user import User
from domain.user_changes import UserChanges, UserTaken


class UserReads:
    """The part of the store that reads users."""

    _books: Books

    async def user_in_books(self, auth: AuthContext, id: UserId) -> User | None:
        return await self.user(auth, id)

    async def user(self, auth: AuthContext, reference: str) -> User | None:
        found = copied(_of(self._books, auth).user(reference))
        await asyncio.sleep(0)
        return found

    async def sign_up_context(self, auth: Authenticated, draft: NewUser) -> SignUpContext:
        users = _of(self._books, auth).rows(User)
        key = email_key(draft.email)
        named = (one for one in users if one.external_id is not None and one.external_id == draft.external_id)
        found = copied(
            SignUpContext(
                next(named, None),
                next(_with_email(users, key, proven=True), None),
                next(_with_email(users, key, proven=False), None),
            )
        )
        await asyncio.sleep(0)
        return found

    async def user_update_context(
        self, auth: Authenticated, reference: str, changes: UserChanges
    ) -> UserUpdateContext | None:
        books = _of(self._books, auth)
        known = books.user(reference)
        found = None
        if known is not None:
            others = [row for row in books.rows(User) if row.id != known.id]
            key = email_key(changes.email) if isinstance(changes.email, str) else known.email_key
            taken = UserTaken(
                external_id=any(
                    row.external_id is not None and row.external_id == changes.external_id for row in others
                ),
                proven_email=any(_with_email(others, key, proven=True)),
                claimed_email=any(_with_email(others, key, proven=False)),
            )
            found = copied(UserUpdateContext(known, taken))
        await asyncio.sleep(0)
        return found

    async def user_page(
        self, auth: Authenticated, wanted: UserFilter, limit: int, before: UserId | None = None
    ) -> Sequence[User]:
        found = (
            copied(row)
            for row in reversed(_of(self._books, auth).rows(User))
            if (before is None or row.id < before) and _is_wanted(row, wanted)
        )
        page = list(islice(found, limit))
        await asyncio.sleep(0)
        return page

    async def count_users_without_stripe_customer(self, auth: Authenticated) -> int:
        await asyncio.sleep(0)
        return sum(row.stripe_customer_id is None for row in _of(self._books, auth).rows(User))

    async def users_without_stripe_customer(
        self, auth: Authenticated, limit: int, after: UserId | None = None
    ) -> Sequence[User]:
        found = (
            copied(row)
            for row in _of(self._books, auth).rows(User)
            if (after is None or row.id > after) and row.stripe_customer_id is None
        )
        page = list(islice(found, limit))
        await asyncio.sleep(0)
        return page


def _of(books: Books, auth: AuthContext) -> TenantBooks:
    return TenantBooks(books, auth.organization_id, livemode=auth.livemode)


def _with_email(users: Iterable[User], key: EmailKey, *, proven: bool) -> Iterator[User]:
    return (row for row in users if row.email_key == key and row.email_verified == proven)


def _is_wanted(user: User, wanted: UserFilter) -> bool:
    if wanted.email is not None and user.email_key != email_key(wanted.email):
        return False
    if wanted.stripe_customer_id is not None and user.stripe_customer_id != wanted.stripe_customer_id:
        return False
    return not wanted.without_stripe_customer or user.stripe_customer_id is None
