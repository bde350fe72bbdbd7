"""Stripe is told that nobody shall complete it: the effect of a session that has expired, of an invoice that
is void, or of an intake payment that was taken back."""

from dataclasses import dataclass
from typing import assert_never

from application.causes import Task
from application.ports import Clock, EventOutbox, PaymentGateway
from application.unit_of_work import UnitOfWork
from domain.effects import (
    CancelIntakeIntent,
    CancelInvoiceIntent,
    CancelPaymentIntent,
    CancelSetupIntent,
)
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class CancelIntentAtStripe:
    """Cancel the intent of what nobody is to complete any more. What comes of it is booked by its webhook, as
    everything is: that it was canceled, or that the buyer was faster.
    """

    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(
        self,
        effect: CancelPaymentIntent | CancelSetupIntent | CancelInvoiceIntent | CancelIntakeIntent,
        task: Task,
    ) -> None:
        # A number for each attempt, as Stripe keeps a refusal: a session may expire, be paid by a debit that
        # takes days and fails, and expire again. Canceling twice does nothing.
        key = f"{_subject_of(effect)}:cancel:{task.id}:{task.attempts}"
        match effect:
            case (
                CancelPaymentIntent(payment_intent_id=id)
                | CancelInvoiceIntent(payment_intent_id=id)
                | CancelIntakeIntent(payment_intent_id=id)
            ):
                await self.gateway.cancel_payment_intent(id, livemode=task.livemode, idempotency_key=key)
            case CancelSetupIntent(setup_intent_id=id):
                await self.gateway.cancel_setup_intent(id, livemode=task.livemode, idempotency_key=key)
            case _:
                assert_never(effect)
        await self.outbox.commit(UnitOfWork(task, None, self.ids, self.clock.now()))


def _subject_of(
    effect: CancelPaymentIntent | CancelSetupIntent | CancelInvoiceIntent | CancelIntakeIntent,
) -> str:
    match effect:
        case CancelPaymentIntent() | CancelSetupIntent():
            return effect.checkout_session_id
        case CancelInvoiceIntent():
            return effect.invoice_id
        case CancelIntakeIntent():
            return effect.intake_payment_id
        case _:
            assert_never(effect)
