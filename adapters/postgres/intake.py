"""What is asked of people by e-mail, in PostgreSQL: functions of sql/21_intake.sql."""

from collections.abc import Sequence

import msgspec

from adapters.postgres.database import Database
from application.ports import Bill, BookingContext, IntakeFilter, IntakeRecord
from domain.auth import AuthContext, Authenticated
from domain.ids import IntakePaymentId
from domain.intake_payment import IntakePayment
from domain.text import email_key
from domain.user import User, no_such_user

_USER = msgspec.json.Decoder(User)
_RECORD = msgspec.json.Decoder(IntakeRecord)
_PAGE = msgspec.json.Decoder(list[IntakePayment])
_BILL = msgspec.json.Decoder(Bill)
_CONTEXT = msgspec.json.Decoder(BookingContext)


class IntakeReads:
    """The part of the store that reads intake payments."""

    database: Database

    async def user_of_email(self, auth: AuthContext, email: str) -> User | None:
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("user_of_email", *tenant, email_key(email))
        return None if found is None else _USER.decode(found)

    async def intake_payment(self, auth: AuthContext, id: IntakePaymentId) -> IntakeRecord | None:
        found = await self.database.call("intake_payment", auth.organization_id, auth.livemode, id)
        return None if found is None else _RECORD.decode(found)

    async def intake_payments(
        self, auth: Authenticated, wanted: IntakeFilter, limit: int, before: IntakePaymentId | None = None
    ) -> Sequence[IntakePayment]:
        key = email_key(wanted.email) if wanted.email is not None else None
        found = await self.database.call(
            "intake_page",
            auth.organization_id,
            auth.livemode,
            limit,
            before,
            wanted.user,
            key,
            wanted.status,
        )
        if found is None:
            assert wanted.user is not None
            raise no_such_user(wanted.user)
        return _PAGE.decode(found)

    async def bill(self, id: IntakePaymentId) -> Bill | None:
        found = await self.database.call("resolve_bill", id)
        return None if found is None else _BILL.decode(found)

    async def intake_return_context(self, id: IntakePaymentId) -> BookingContext | None:
        found = await self.database.call("resolve_intake_return_context", id)
        return None if found is None else _CONTEXT.decode(found)
