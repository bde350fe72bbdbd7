"""What is asked of people by e-mail."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import AuthContext, Authenticated
from domain.ids import IntakePaymentId
from domain.intake_payment import IntakePayment, IntakePaymentStatus
from domain.payment import Payment
from domain.user import User


class IntakeFilter(Struct, frozen=True):
    """Which intake payments are asked for: a user's, by id or external id; those asked of this e-mail, in any
    spelling; those with one status."""

    user: str | None = None
    email: str | None = None
    status: IntakePaymentStatus | None = None


class IntakeRecord(Struct, frozen=True):
    """An intake payment, and the account that it is attached to, if it is."""

    asked: IntakePayment
    user: User | None


class Bill(Struct, frozen=True):
    """What its page shows: `seller` is the organization's name. Nothing of whoever has the e-mail."""

    asked: IntakePayment
    seller: str
    payment: Payment | None

    @property
    def refusal(self) -> str | None:
        """Why the last attempt has failed, as Stripe says it to a person."""
        return self.payment.failure_message if self.payment else None


class IntakeRepository(Protocol):
    """Intake payments, and whose they are."""

    async def user_of_email(self, auth: AuthContext, email: str) -> User | None:
        """The account with this e-mail, in any spelling: the one that has proven it, else the one that says
        so."""

    async def intake_payment(self, auth: AuthContext, id: IntakePaymentId) -> IntakeRecord | None:
        """By id."""

    async def intake_payments(
        self, auth: Authenticated, wanted: IntakeFilter, limit: int, before: IntakePaymentId | None = None
    ) -> Sequence[IntakePayment]:
        """At most so many, newest first; those made `before` one of them, if it is given. Raises Rejected
        `user_not_found`."""

    async def bill(self, id: IntakePaymentId) -> Bill | None:
        """By the public id of an intake payment, whosever it is; None when there is no such one."""
