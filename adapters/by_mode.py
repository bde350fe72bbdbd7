"""Test and live mode each with a payment provider of its own: the sandbox beside Stripe itself."""

from datetime import datetime

from application.ports import (
    HistoryKind,
    HistoryPage,
    OffSessionCharge,
    PaymentGateway,
    Period,
    StripeHistory,
)
from domain.checkout import CheckoutSession
from domain.checkout_progress import Intent
from domain.customer import Customer
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.ids import CustomerId, OrganizationId, UserId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.reversal import Refund
from domain.setup import SetupFact
from domain.user import User


class GatewayByMode:
    """Implements PaymentGateway: hands each call to the gateway of its mode."""

    def __init__(self, *, test: PaymentGateway, live: PaymentGateway) -> None:
        self._gateways = {False: test, True: live}

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        return await self._gateways[livemode].create_customer(
            customer, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
        )

    async def find_customer(
        self, id: CustomerId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        return await self._gateways[livemode].find_customer(
            id, organization_id=organization_id, livemode=livemode
        )

    async def update_customer(
        self, customer: Customer, stripe_customer_id: str, idempotency_key: str
    ) -> None:
        gateway = self._gateways[customer.livemode]
        await gateway.update_customer(customer, stripe_customer_id, idempotency_key)

    async def delete_customer(self, stripe_customer_id: str, *, livemode: bool) -> None:
        await self._gateways[livemode].delete_customer(stripe_customer_id, livemode=livemode)

    async def create_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        return await self._gateways[livemode].create_user_customer(
            user_id, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
        )

    async def find_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        return await self._gateways[livemode].find_user_customer(
            user_id, organization_id=organization_id, livemode=livemode
        )

    async def update_user_customer(self, user: User, stripe_customer_id: str, idempotency_key: str) -> None:
        gateway = self._gateways[user.livemode]
        await gateway.update_user_customer(user, stripe_customer_id, idempotency_key)

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        gateway = self._gateways[session.livemode]
        return await gateway.create_intent(session, stripe_customer_id, idempotency_key)

    async def create_invoice_intent(
        self, invoice: Invoice, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        gateway = self._gateways[invoice.livemode]
        return await gateway.create_invoice_intent(invoice, stripe_customer_id, idempotency_key)

    async def create_intake_intent(
        self, asked: IntakePayment, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        gateway = self._gateways[asked.livemode]
        return await gateway.create_intake_intent(asked, stripe_customer_id, idempotency_key)

    async def find_payer(self, email: str, *, organization_id: OrganizationId, livemode: bool) -> str | None:
        gateway = self._gateways[livemode]
        return await gateway.find_payer(email, organization_id=organization_id, livemode=livemode)

    async def create_payer(
        self, email: str, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        return await self._gateways[livemode].create_payer(
            email, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
        )

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        return await self._gateways[livemode].payment_intent(id, livemode=livemode)

    async def setup_intent(self, id: str, *, livemode: bool) -> SetupFact:
        return await self._gateways[livemode].setup_intent(id, livemode=livemode)

    async def change_amount(self, session: CheckoutSession, idempotency_key: str) -> None:
        await self._gateways[session.livemode].change_amount(session, idempotency_key)

    async def charge(self, charge: OffSessionCharge, *, livemode: bool, idempotency_key: str) -> None:
        gateway = self._gateways[livemode]
        await gateway.charge(charge, livemode=livemode, idempotency_key=idempotency_key)

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        gateway = self._gateways[livemode]
        await gateway.cancel_payment_intent(id, livemode=livemode, idempotency_key=idempotency_key)

    async def cancel_setup_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        gateway = self._gateways[livemode]
        await gateway.cancel_setup_intent(id, livemode=livemode, idempotency_key=idempotency_key)

    async def create_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> Refund:
        return await self._gateways[livemode].create_refund(
            refund, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
        )

    async def time_there(self, *, livemode: bool) -> datetime:
        return await self._gateways[livemode].time_there(livemode=livemode)

    async def find_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool
    ) -> Refund | None:
        return await self._gateways[livemode].find_refund(
            refund, organization_id=organization_id, livemode=livemode
        )


class HistoryByMode:
    """Implements StripeHistory, in the same way."""

    def __init__(self, *, test: StripeHistory, live: StripeHistory) -> None:
        self._histories = {False: test, True: live}

    async def history(
        self, kind: HistoryKind, period: Period, *, livemode: bool, after: str | None = None
    ) -> HistoryPage:
        return await self._histories[livemode].history(kind, period, livemode=livemode, after=after)
