"""Stripe is told that nobody shall pay: the effect of a session that has expired."""

from dataclasses import dataclass

from application.causes import Task
from application.ports import Clock, EventOutbox, PaymentGateway
from application.unit_of_work import UnitOfWork
from domain.effects import CancelPaymentIntent
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class CancelIntentAtStripe:
    """Cancel the intent of an expired session. What comes of it is booked by its webhook, as everything is:
    that it was canceled, or that the buyer was faster.
    """

    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(self, effect: CancelPaymentIntent, task: Task) -> None:
        # A number for each attempt, as Stripe keeps a refusal: a session may expire, be paid by a debit that
        # takes days and fails, and expire again. Canceling twice does nothing.
        key = f"{effect.checkout_session_id}:cancel:{task.id}:{task.attempts}"
        await self.gateway.cancel_payment_intent(
            effect.payment_intent_id, livemode=task.livemode, idempotency_key=key
        )
        await self.outbox.commit(UnitOfWork(task, None, self.ids, self.clock.now()))
