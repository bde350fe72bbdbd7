"""Use cases and the payment gateway, with a note taken of each call. Nothing of it is known inside."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from time import perf_counter
from typing import Any, TypeVar, cast

from opentelemetry.trace import SpanKind

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
from entrypoints.logs import code_of
from entrypoints.metrics.counted import Metrics, Timings
from entrypoints.tracing import step_span

UseCase = TypeVar("UseCase")


def measured(use_case: type[UseCase], timings: Timings) -> type[UseCase]:
    """The same use case, whose calls are timed and counted by how they ended."""
    name = use_case.__name__
    call: Any = use_case.__call__
    note = timings.note

    async def timed(self: UseCase, *args: object, **named: object) -> object:
        started = perf_counter()
        outcome = "canceled"
        try:
            with step_span(name):
                answer = await call(self, *args, **named)
            outcome = "ok"
        except Exception as error:
            outcome = code_of(error)
            raise
        finally:
            note((name, outcome), perf_counter() - started)
        return answer

    return cast("type[UseCase]", type(name, (use_case,), {"__slots__": (), "__call__": timed}))


class MeasuredGateway:
    """A PaymentGateway in front of another."""

    def __init__(self, gateway: PaymentGateway, metrics: Metrics) -> None:
        self._gateway = gateway
        self._timings = metrics.stripe_calls

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        with self._noted("create_customer"):
            return await self._gateway.create_customer(
                customer, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
            )

    async def find_customer(
        self, id: CustomerId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        with self._noted("find_customer"):
            return await self._gateway.find_customer(id, organization_id=organization_id, livemode=livemode)

    async def update_customer(
        self, customer: Customer, stripe_customer_id: str, idempotency_key: str
    ) -> None:
        with self._noted("update_customer"):
            await self._gateway.update_customer(customer, stripe_customer_id, idempotency_key)

    async def delete_customer(self, stripe_customer_id: str, *, livemode: bool) -> None:
        with self._noted("delete_customer"):
            await self._gateway.delete_customer(stripe_customer_id, livemode=livemode)

    async def create_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        with self._noted("create_user_customer"):
            return await self._gateway.create_user_customer(
                user_id, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
            )

    async def find_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        with self._noted("find_user_customer"):
            return await self._gateway.find_user_customer(
                user_id, organization_id=organization_id, livemode=livemode
            )

    async def update_user_customer(self, user: User, stripe_customer_id: str, idempotency_key: str) -> None:
        with self._noted("update_user_customer"):
            await self._gateway.update_user_customer(user, stripe_customer_id, idempotency_key)

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        with self._noted("create_intent"):
            return await self._gateway.create_intent(session, stripe_customer_id, idempotency_key)

    async def create_invoice_intent(
        self, invoice: Invoice, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        with self._noted("create_invoice_intent"):
            return await self._gateway.create_invoice_intent(invoice, stripe_customer_id, idempotency_key)

    async def create_intake_intent(
        self, asked: IntakePayment, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        with self._noted("create_intake_intent"):
            return await self._gateway.create_intake_intent(asked, stripe_customer_id, idempotency_key)

    async def find_payer(self, email: str, *, organization_id: OrganizationId, livemode: bool) -> str | None:
        with self._noted("find_payer"):
            return await self._gateway.find_payer(email, organization_id=organization_id, livemode=livemode)

    async def create_payer(
        self, email: str, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        with self._noted("create_payer"):
            return await self._gateway.create_payer(
                email, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
            )

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        with self._noted("payment_intent"):
            return await self._gateway.payment_intent(id, livemode=livemode)

    async def setup_intent(self, id: str, *, livemode: bool) -> SetupFact:
        with self._noted("setup_intent"):
            return await self._gateway.setup_intent(id, livemode=livemode)

    async def change_amount(self, session: CheckoutSession, idempotency_key: str) -> None:
        with self._noted("change_amount"):
            await self._gateway.change_amount(session, idempotency_key)

    async def charge(self, charge: OffSessionCharge, *, livemode: bool, idempotency_key: str) -> None:
        with self._noted("charge"):
            await self._gateway.charge(charge, livemode=livemode, idempotency_key=idempotency_key)

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        with self._noted("cancel_payment_intent"):
            await self._gateway.cancel_payment_intent(id, livemode=livemode, idempotency_key=idempotency_key)

    async def cancel_setup_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        with self._noted("cancel_setup_intent"):
            await self._gateway.cancel_setup_intent(id, livemode=livemode, idempotency_key=idempotency_key)

    async def create_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> Refund:
        with self._noted("create_refund"):
            return await self._gateway.create_refund(
                refund, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
            )

    async def time_there(self, *, livemode: bool) -> datetime:
        with self._noted("time_there"):
            return await self._gateway.time_there(livemode=livemode)

    async def find_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool
    ) -> Refund | None:
        with self._noted("find_refund"):
            return await self._gateway.find_refund(refund, organization_id=organization_id, livemode=livemode)

    def _noted(self, operation: str) -> AbstractContextManager[None]:
        return _noted(self._timings, operation)


class MeasuredHistory:
    """A StripeHistory in front of another."""

    def __init__(self, history: StripeHistory, metrics: Metrics) -> None:
        self._history = history
        self._timings = metrics.stripe_calls

    async def history(
        self, kind: HistoryKind, period: Period, *, livemode: bool, after: str | None = None
    ) -> HistoryPage:
        with _noted(self._timings, "history"):
            return await self._history.history(kind, period, livemode=livemode, after=after)


@contextmanager
def _noted(timings: Timings, operation: str) -> Iterator[None]:
    started = perf_counter()
    result = "canceled"
    try:
        with step_span(f"Stripe {operation}", SpanKind.CLIENT):
            yield
        result = "ok"
    except Exception as error:
        result = code_of(error)
        raise
    finally:
        timings.note((operation, result), perf_counter() - started)
