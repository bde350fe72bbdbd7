"""A customer who is not there is charged for an invoice: the effects of its being due."""

from dataclasses import dataclass
from typing import assert_never

from application.causes import Task
from application.ports import (
    BillingRepository,
    ChargeContext,
    Clock,
    EventOutbox,
    OffSessionCharge,
    PaymentGateway,
)
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import billing, invoice
from domain.auth import Anonymous
from domain.effects import ChargeInvoice, CreateInvoiceIntent
from domain.errors import NotFound, Unavailable
from domain.ids import Ids, InvoiceId


@dataclass(frozen=True, slots=True)
class ChargeForInvoice:
    """Charge for an invoice by the subscription's means of payment.

    There is one payment intent for each invoice. It is made without moving money, and is in the books before
    it is confirmed; Stripe lets an intent succeed once. So however often this is tried, and whatever is
    forgotten in between, nobody pays twice. Each attempt has its own key, as Stripe repeats a refusal. What
    comes of it is booked by its webhook, as every payment is.
    """

    billing: BillingRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, effect: CreateInvoiceIntent | ChargeInvoice, task: Task) -> None:
        """Raises Unavailable `customer_not_at_stripe` while the customer's own effect is still to be done."""
        context = await self._context(task, effect.invoice_id)
        work = UnitOfWork(task, None, self.ids, self.clock.now())
        if context.invoice.amount_due and context.subscription.status != "canceled":
            match effect:
                case CreateInvoiceIntent():
                    await self._prepare(context, work)
                case ChargeInvoice():
                    await self._charge(context, effect)
                case _:
                    assert_never(effect)
        await self.outbox.commit(work)

    async def _prepare(self, context: ChargeContext, work: UnitOfWork) -> None:
        if context.payment_method is None:
            if (change := billing.not_chargeable(context.subscription, context.invoice)) is not None:
                work.record(change)
            return
        made = await self.gateway.create_invoice_intent(
            context.invoice, _at_stripe(context), idempotency_key=context.invoice.id
        )
        if (attached := invoice.attach_intent(context.invoice, made.id)) is not None:
            work.record(attached)

    async def _charge(self, context: ChargeContext, effect: ChargeInvoice) -> None:
        assert context.payment_method is not None, "an intent is made for a means of payment"
        charge = OffSessionCharge(
            effect.payment_intent_id,
            context.payment_method.stripe_payment_method_id,
            _at_stripe(context),
        )
        await self.gateway.charge(
            charge,
            livemode=context.invoice.livemode,
            # The means of payment too: it may be another one when the same attempt is tried again, and Stripe
            # refuses a known key with other parameters.
            idempotency_key=f"{effect.invoice_id}:{effect.attempt}:{charge.stripe_payment_method_id}",
        )

    async def _context(self, task: Task, id: InvoiceId) -> ChargeContext:
        context = await self.billing.charge_context(Anonymous(task.organization_id, task.livemode), id)
        if context is None:
            raise NotFound("invoice_not_found", f"There is no invoice '{id}'.")
        return context


def _at_stripe(context: ChargeContext) -> str:
    if context.customer.stripe_customer_id is None:
        raise Unavailable("customer_not_at_stripe", "Stripe does not know the customer yet.")
    return context.customer.stripe_customer_id
