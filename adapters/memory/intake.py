"""What is asked of people by e-mail, in memory; the promises stand in `application.ports`."""

import asyncio
from collections.abc import Sequence
from itertools import islice

from adapters.memory.booking import BookingBooks
from adapters.memory.books import Books, copied
from application.ports import Bill, BookingContext, IntakeFilter, IntakeRecord
from domain.account import Organization
from domain.auth import AuthContext, Authenticated
from domain.ids import IntakePaymentId
from domain.intake_payment import IntakePayment
from domain.payment import Payment
from domain.text import email_key
from domain.user import User


class IntakeReads:
    """The part of the store that reads intake payments."""

    _books: Books

    async def user_of_email(self, auth: AuthContext, email: str) -> User | None:
        key = email_key(email)
        found = [user for user in self._intake_books(auth).rows(User) if user.email_key == key]
        found.sort(key=lambda user: not user.email_verified)
        answer = copied(found[0]) if found else None
        await asyncio.sleep(0)
        return answer

    async def intake_payment(self, auth: AuthContext, id: IntakePaymentId) -> IntakeRecord | None:
        books = self._intake_books(auth)
        asked = books.get(IntakePayment, id)
        found = copied(IntakeRecord(asked, books.get(User, asked.user_id))) if asked else None
        await asyncio.sleep(0)
        return found

    async def intake_payments(
        self, auth: Authenticated, wanted: IntakeFilter, limit: int, before: IntakePaymentId | None = None
    ) -> Sequence[IntakePayment]:
        books = self._intake_books(auth)
        user = books.named_user(wanted.user) if wanted.user is not None else None
        key = email_key(wanted.email) if wanted.email is not None else None
        found = (
            row
            for row in reversed(books.rows(IntakePayment))
            if (before is None or row.id < before)
            and (user is None or row.user_id == user.id)
            and key in (None, row.email_key)
            and wanted.status in (None, row.status)
        )
        page = [copied(row) for row in islice(found, limit)]
        await asyncio.sleep(0)
        return page

    async def bill(self, id: IntakePaymentId) -> Bill | None:
        asked = self._whosever(id)
        found = None
        if asked is not None:
            seller = BookingBooks(self._books, asked.organization_id, livemode=True)
            books = BookingBooks(self._books, asked.organization_id, livemode=asked.livemode)
            organization = seller.get(Organization, asked.organization_id)
            assert organization is not None, "whatever is asked is asked by somebody"
            found = copied(Bill(asked, organization.name, books.get(Payment, asked.payment_id)))
        await asyncio.sleep(0)
        return found

    async def intake_return_context(self, id: IntakePaymentId) -> BookingContext | None:
        asked = self._whosever(id)
        found = None
        if asked is not None:
            books = BookingBooks(self._books, asked.organization_id, livemode=asked.livemode)
            found = copied(books.paying(asked))
        await asyncio.sleep(0)
        return found

    def _whosever(self, id: IntakePaymentId) -> IntakePayment | None:
        """Every organization's: its public id says not whose it is."""
        rows = self._books.states.values()
        return next((row for row in rows if isinstance(row, IntakePayment) and row.id == id), None)

    def _intake_books(self, auth: AuthContext) -> BookingBooks:
        return BookingBooks(self._books, auth.organization_id, livemode=auth.livemode)
