"""Payments, and what news of an intent is decided on."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import AuthContext, Authenticated
from domain.checkout import CheckoutSession
from domain.completion import Ground
from domain.ids import (
    CheckoutSessionId,
    IntakePaymentId,
    PaymentId,
)
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment, PaymentFact
from domain.purchase import Purchase
from domain.setup import Setup, SetupFact


class BookingContext(Struct, frozen=True):
    """What a fact is decided on. `handled`: the inbound event is in the books already.

    `session` or `intake` is what the fact names; `completing` the one that the intent is known to complete,
    whatever the fact names. `ground` is what completing the session is decided on; where the fact names an
    invoice, it holds that, its purchase, its subscription and its customer.
    """

    handled: bool
    session: CheckoutSession | None
    completing: CheckoutSessionId | IntakePaymentId | None
    payment: Payment | None
    setup: Setup | None
    ground: Ground
    intake: IntakePayment | None = None


class PaymentRecord(Struct, frozen=True):
    """A payment, and the purchase and the invoice that it pays: null while no money has moved."""

    payment: Payment
    purchase: Purchase | None
    invoice: Invoice | None


class PaymentRepository(Protocol):
    """Payments, and what a payment fact is decided on."""

    async def fact_context(self, fact: PaymentFact | SetupFact, inbound_event_id: str) -> BookingContext:
        """By the organization, mode, checkout session, invoice and intake payment that the fact names; empty
        where it names none."""

    async def payment(self, auth: AuthContext, id: PaymentId) -> PaymentRecord | None:
        """By id."""

    async def payments(
        self,
        auth: Authenticated,
        limit: int,
        before: PaymentId | None = None,
        *,
        customer: str | None = None,
        user: str | None = None,
    ) -> Sequence[Payment]:
        """At most so many, newest first; those made `before` one of them, and those of a customer, or of a
        user's customers and intake payments, by id or external id, if they are given. Raises Rejected
        `customer_not_found`, `user_not_found`."""

    async def session_context(self, auth: AuthContext, id: CheckoutSessionId) -> BookingContext | None:
        """By the id of a checkout session of this organization and mode; None when there is no such one."""

    async def intake_return_context(self, id: IntakePaymentId) -> BookingContext | None:
        """By the public id of an intake payment, whosever it is; None when there is no such one."""

    async def return_context(self, id: CheckoutSessionId) -> BookingContext | None:
        """By the public id of a checkout session, whosever it is; None when there is no such session."""
