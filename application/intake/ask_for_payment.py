"""Somebody is to be asked by e-mail for an amount."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.intake.at_stripe import payer_at_stripe
from application.ports import Clock, EventOutbox, IntakeRecord, IntakeRepository, PaymentGateway
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import intake_payment
from domain.auth import Authenticated
from domain.change import stored
from domain.checkout_progress import Intent
from domain.errors import Conflict
from domain.ids import Ids, IntakePaymentId
from domain.intake_payment import IntakePayment, NewIntakePayment


@dataclass(frozen=True, slots=True)
class AskForPayment:
    """Write down what is asked of whom, and have Stripe make the payment intent by which they pay it.

    It is in the books before Stripe hears of it, with the account that has the e-mail, if there is one: so
    whoever goes on with it means the same payer, and no webhook can come for one that we do not know. The
    intent's key is its id, so there is one intent for it whatever happens in between.
    """

    intakes: IntakeRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(
        self, draft: NewIntakePayment, auth: Authenticated, cause: ApiRequest
    ) -> IntakePayment:
        """Raises Unavailable where Stripe does not answer: what is asked stays in the books then."""
        user = await self.intakes.user_of_email(auth, draft.email)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        asked = work.record(intake_payment.ask(draft, auth, user.id if user else None, self.ids, now))
        work.begin(asked.id)
        await self.outbox.commit(work)
        return await self._give(IntakeRecord(stored(asked), user), auth, cause)

    async def resume(self, id: str, auth: Authenticated, cause: ApiRequest) -> IntakePayment:
        """Go on with what was asked by the same named request, which had no answer."""
        return await self._give(await self._current(IntakePaymentId(id), auth), auth, cause)

    async def _give(self, record: IntakeRecord, auth: Authenticated, cause: ApiRequest) -> IntakePayment:
        payer = await self._payer(record)
        intent = await self.gateway.create_intake_intent(record.asked, payer, idempotency_key=record.asked.id)
        try:
            return await self._store(record, intent, payer, auth, cause)
        except Conflict:  # the new intent's own webhook was faster than our reply from Stripe
            return await self._read_and_store(record, intent, payer, auth, cause)

    async def _payer(self, record: IntakeRecord) -> str:
        """The same one each time, as the intent is made for one payer."""
        asked = record.asked
        if asked.stripe_customer_id is not None:
            return asked.stripe_customer_id
        return await payer_at_stripe(asked, self.gateway)

    @retry_on_stale()
    async def _read_and_store(
        self, record: IntakeRecord, intent: Intent, payer: str, auth: Authenticated, cause: ApiRequest
    ) -> IntakePayment:
        current = await self._current(record.asked.id, auth)
        return await self._store(current, intent, payer, auth, cause)

    async def _current(self, id: IntakePaymentId, auth: Authenticated) -> IntakeRecord:
        record = await self.intakes.intake_payment(auth, id)
        assert record is not None, "intake payments are never deleted"
        return record

    async def _store(
        self, record: IntakeRecord, intent: Intent, payer: str, auth: Authenticated, cause: ApiRequest
    ) -> IntakePayment:
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        change = intake_payment.attach_intent(record.asked, intent, payer)
        after = stored(work.record(change)) if change else record.asked
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after
