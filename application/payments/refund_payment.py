"""Money is to go back: somebody asks for it, or the worker finishes what somebody asked for."""

from dataclasses import dataclass
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from application.causes import ApiRequest, Task
from application.ports import Clock, EventOutbox, PaymentGateway, PaymentRecord, PaymentRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import invoice, purchase, refunding
from domain.auth import Anonymous, AuthContext, Authenticated
from domain.change import Change, stored
from domain.effects import CreateRefund, create_refund
from domain.errors import Conflict, NotFound, ProviderRefused, Rejected, Unavailable
from domain.ids import Ids, PaymentId
from domain.payment import Payment
from domain.reversal import REFUSED, NewRefund, Refund, is_made, refused


class RefundAsked(Struct, frozen=True):
    """The seller gives money back."""

    payment_id: PaymentId
    draft: NewRefund
    auth: Authenticated
    cause: ApiRequest


class RefundDue(Struct, frozen=True):
    """A refund was asked for; whoever asked has made it at Stripe by now, or never will."""

    effect: CreateRefund
    task: Task


class Refunded(Struct, frozen=True):
    """The payment as it stands now, and the refund in it."""

    record: PaymentRecord
    refund: Refund


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """Give back a payment, or a part of it.

    The refund is in the books before Stripe hears of it, under the payment's version, and counts from then
    on: however many are asked for at once, never more than was paid goes back. One that Stripe refuses has
    failed, and counts no more. Its id is the idempotency key: there is one whatever happens in between.
    """

    payments: PaymentRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(self, why: RefundAsked | RefundDue) -> Refunded:
        """The refund, `pending` while Stripe does not answer: the worker then goes on asking.

        Raises NotFound `payment_not_found`, Rejected `payment_not_refundable`, `refund_exceeds_payment`, and
        `refund_refused` with Stripe's words when Stripe says no.
        """
        match why:
            case RefundAsked():
                return await self._answered(await self._book_asked(why), why)
            case RefundDue():
                return await self._finish(why.effect, why.task)
            case _:
                assert_never(why)

    async def resume(self, refund_id: str, why: RefundAsked) -> Refunded:
        """Go on with a refund that the same named request asked for, and that had no answer."""
        record = await self._record(why.auth, why.payment_id)
        return await self._answered(Refunded(record, _refund(record.payment, refund_id)), why)

    async def _answered(self, asked: Refunded, why: RefundAsked) -> Refunded:
        answer = asked.refund
        if not is_made(answer):
            answer = await self._asked_of_stripe(asked, why)
        if answer.failure_reason == REFUSED:
            raise Rejected("refund_refused", answer.failure_message or "Stripe refused the refund.")
        return await self._book(asked.record, answer, why)

    async def _asked_of_stripe(self, asked: Refunded, why: RefundAsked) -> Refund:
        try:
            return await self._made_at_stripe(create_refund(asked.record.payment, asked.refund), why.auth)
        except Unavailable:  # it may have been heard or not; that it was asked for is in the books
            return asked.refund
        except ProviderRefused as refusal:
            answer = refused(asked.refund, refusal.detail)
            # A refusal is no reply to be kept: whoever sends a named request again finds the refund, refused.
            await self._book(asked.record, answer, replace(why, cause=ApiRequest(why.cause.request_id)))
            return answer

    @retry_on_stale(attempts=30)
    async def _book_asked(self, why: RefundAsked) -> Refunded:
        known = await self._record(why.auth, why.payment_id)
        change, refund = refunding.ask_refund(known.payment, why.draft, self.ids)
        work = UnitOfWork(why.cause, why.auth, self.ids, self.clock.now())
        record = self._follow(known, change, work)
        work.begin(refund.id)
        await self.outbox.commit(work)
        return Refunded(record, refund)

    async def _book(self, known: PaymentRecord, answer: Refund, why: RefundAsked) -> Refunded:
        try:
            return await self._store(known, answer, why)
        except Conflict:  # the refund's own webhook was faster than our reply from Stripe, or another refund
            return await self._read_and_store(answer, why)

    @retry_on_stale(attempts=30)
    async def _read_and_store(self, answer: Refund, why: RefundAsked) -> Refunded:
        return await self._store(await self._record(why.auth, why.payment_id), answer, why)

    async def _store(self, known: PaymentRecord, answer: Refund, why: RefundAsked) -> Refunded:
        work = UnitOfWork(why.cause, why.auth, self.ids, self.clock.now())
        change = refunding.follow_refund(known.payment, answer)
        record = self._follow(known, change, work)
        refunded = Refunded(record, _refund(record.payment, answer.id))
        work.answer(refunded)
        if work.is_needed:
            await self.outbox.commit(work)
        return refunded

    @retry_on_stale()
    async def _finish(self, effect: CreateRefund, task: Task) -> Refunded:
        books = Anonymous(task.organization_id, task.livemode)
        record = await self._record(books, effect.payment_id)
        work = UnitOfWork(task, None, self.ids, self.clock.now())
        refund = _refund(record.payment, effect.refund_id)
        if not is_made(refund):
            try:
                answer = await self._found_at_stripe(effect, books) or await self._made_at_stripe(
                    effect, books
                )
            except ProviderRefused as refusal:
                answer = refused(refund, refusal.detail)
            record = self._follow(record, refunding.follow_refund(record.payment, answer), work)
        await self.outbox.commit(work)
        return Refunded(record, _refund(record.payment, effect.refund_id))

    async def _found_at_stripe(self, effect: CreateRefund, books: AuthContext) -> Refund | None:
        """An earlier try may have got through, and its key may protect no more or be kept with a failure."""
        return await self.gateway.find_refund(
            effect, organization_id=books.organization_id, livemode=books.livemode
        )

    async def _made_at_stripe(self, effect: CreateRefund, books: AuthContext) -> Refund:
        return await self.gateway.create_refund(
            effect,
            organization_id=books.organization_id,
            livemode=books.livemode,
            idempotency_key=effect.refund_id,
        )

    async def _record(self, books: AuthContext, id: PaymentId) -> PaymentRecord:
        record = await self.payments.payment(books, id)
        if record is None:
            raise NotFound("payment_not_found", "There is no such payment.")
        return record

    def _follow(
        self, known: PaymentRecord, change: Change[Payment] | None, work: UnitOfWork
    ) -> PaymentRecord:
        """The payment's change, and purchase and invoice after it, as they are once `work` is committed."""
        if change is None:
            return known
        paid = work.record(change)
        now = self.clock.now()
        bought, billed = known.purchase, known.invoice
        if bought and (followed := purchase.follow_payment(bought, paid.status, paid.refunded_amount, now)):
            bought = stored(work.record(followed))
        if billed and (told := invoice.follow_payment(billed, paid.status, paid.refunded_amount, now)):
            billed = stored(work.record(told))
        return PaymentRecord(stored(paid), bought, billed)


def _refund(payment: Payment, id: str) -> Refund:
    return next(refund for refund in payment.refunds if refund.id == id)
