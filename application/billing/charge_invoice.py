"""A customer who is not there is charged for an invoice: the effects of its being due."""

from dataclasses import dataclass
from typing import Any, assert_never

from application.causes import Task
from application.ports import (
    BillingRepository,
    ChargeContext,
    Clock,
    EventOutbox,
    OffSessionCharge,
    PaymentGateway,
    PaymentMethodUnusable,
)
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import billing, invoice
from domain.auth import Anonymous
from domain.change import Change
from domain.checkout_progress import Intent
from domain.effects import ChargeInvoice, CreateInvoiceIntent
from domain.errors import Conflict, NotFound, Unavailable
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

    async def __call__(self, effect: CreateInvoiceIntent | ChargeInvoice, task: Task) -> None:
        """Raises Unavailable `customer_not_at_stripe` while the customer's own effect is still to be done."""
        match effect:
            case CreateInvoiceIntent():
                await self._prepare(effect, task)
            case ChargeInvoice():
                context = await self._context(task, effect.invoice_id)
                try:
                    if _is_charged(context):
                        await self._charge(context, effect)
                except PaymentMethodUnusable as unusable:
                    await self._overdue(context, str(unusable), task)
                else:
                    await self.outbox.commit(self._work(task))
            case _:
                assert_never(effect)

    async def _prepare(self, effect: CreateInvoiceIntent, task: Task) -> None:
        context = await self._context(task, effect.invoice_id)
        made = await self._made(context)
        try:
            await self._book(context, made, task)
        except Conflict:
            await self._read_and_book(effect, made, task)

    async def _made(self, context: ChargeContext) -> Intent | None:
        if context.payment_method is None or not _is_charged(context):
            return None
        return await self.gateway.create_invoice_intent(
            context.invoice, _at_stripe(context), idempotency_key=context.invoice.id
        )

    @retry_on_stale()
    async def _read_and_book(self, effect: CreateInvoiceIntent, made: Intent | None, task: Task) -> None:
        context = await self._context(task, effect.invoice_id)
        await self._book(context, made or await self._made(context), task)

    async def _book(self, context: ChargeContext, made: Intent | None, task: Task) -> None:
        """What was made is in the books whatever has become of the invoice meanwhile: where that is void, its
        intent is known, and canceled."""
        work = self._work(task)
        change: Change[Any] | None = None
        if made is not None:
            change = invoice.attach_intent(context.invoice, made.id)
        elif context.payment_method is None and _is_charged(context):
            change = billing.not_chargeable(context.subscription, context.invoice)
        if change is not None:
            work.record(change)
        await self.outbox.commit(work)

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

    @retry_on_stale()
    async def _overdue(self, tried: ChargeContext, why: str, task: Task) -> None:
        """It waits for another means of payment, as if this one had been declined; unless that is chosen."""
        context = await self._context(task, tried.invoice.id)
        work = self._work(task)
        if _is_charged(context) and context.payment_method == tried.payment_method:
            change = billing.not_chargeable(context.subscription, context.invoice, why)
            if change is not None:
                work.record(change)
        await self.outbox.commit(work)

    def _work(self, task: Task) -> UnitOfWork:
        return UnitOfWork(task, None, self.ids, self.clock.now())

    async def _context(self, task: Task, id: InvoiceId) -> ChargeContext:
        context = await self.billing.charge_context(Anonymous(task.organization_id, task.livemode), id)
        if context is None:
            raise NotFound("invoice_not_found", f"There is no invoice '{id}'.")
        return context


def _is_charged(context: ChargeContext) -> bool:
    """Whether something is due, and for something that the customer has."""
    return context.invoice.amount_due > 0 and context.subscription.status != "canceled"


def _at_stripe(context: ChargeContext) -> str:
    if context.customer.stripe_customer_id is None:
        raise Unavailable("customer_not_at_stripe", "Stripe does not know the customer yet.")
    return context.customer.stripe_customer_id
