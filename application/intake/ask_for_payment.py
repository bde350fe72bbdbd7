"""Somebody is to be asked by e-mail for an amount."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.intake.at_stripe import payer_at_stripe
from application.ports import (
    Clock,
    EventOutbox,
    IntakeRecord,
    IntakeRepository,
    PaymentGateway,
    UserRepository,
)
from application.unit_of_work import UnitOfWork, retry_on_stale
from application.users.at_stripe import make_user_known
from domain import intake_payment, user
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
    users: UserRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(
        self, draft: NewIntakePayment, auth: Authenticated, cause: ApiRequest
    ) -> IntakePayment:
        """Raises Unavailable where Stripe does not answer: what is asked stays in the books then."""
        known = await self.intakes.user_of_email(auth, draft.email)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        asked = work.record(intake_payment.ask(draft, auth, known.id if known else None, self.ids, now))
        work.begin(asked.id)
        await self.outbox.commit(work)
        return await self._give(IntakeRecord(stored(asked), known), auth, cause)

    async def resume(self, id: str, auth: Authenticated, cause: ApiRequest) -> IntakePayment:
        """Go on with what was asked by the same named request, which had no answer."""
        return await self._give(await self._current(IntakePaymentId(id), auth), auth, cause)

    async def _give(self, record: IntakeRecord, auth: Authenticated, cause: ApiRequest) -> IntakePayment:
        payer = await self._payer(record, cause)
        asked = record.asked
        intent = await self.gateway.create_intake_intent(asked, payer, idempotency_key=asked.id)
        try:
            return await self._store(record, intent, payer, auth, cause)
        except Conflict:  # the intent's own webhook was faster than Stripe's reply, or the user has changed
            return await self._read_and_store(asked.id, intent, payer, auth, cause)

    async def _payer(self, record: IntakeRecord, cause: ApiRequest) -> str:
        """Stripe's customer: the user's, who is made known if they are not yet; else whose the address is
        there. Whoever the intent was made for already stays the payer."""
        asked, known = record.asked, record.user
        if known is None:
            return asked.stripe_customer_id or await payer_at_stripe(asked, self.gateway)
        theirs = known.stripe_customer_id or await make_user_known(
            known, self.users, self.gateway, now=self.clock.now(), by=cause.request_id
        )
        return asked.stripe_customer_id or theirs

    @retry_on_stale()
    async def _read_and_store(
        self, id: IntakePaymentId, intent: Intent, payer: str, auth: Authenticated, cause: ApiRequest
    ) -> IntakePayment:
        record = await self._current(id, auth)
        if record.user is not None:  # who was renamed is told to Stripe again, before the books say they are
            payer = await self._payer(record, cause)
        return await self._store(record, intent, payer, auth, cause)

    async def _current(self, id: IntakePaymentId, auth: Authenticated) -> IntakeRecord:
        record = await self.intakes.intake_payment(auth, id)
        assert record is not None, "intake payments are never deleted"
        return record

    async def _store(
        self, record: IntakeRecord, intent: Intent, payer: str, auth: Authenticated, cause: ApiRequest
    ) -> IntakePayment:
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        if record.user is not None and record.user.stripe_customer_id is None:
            work.record(user.attach_stripe_customer(record.user, payer, now))
        change = intake_payment.attach_intent(record.asked, intent, payer)
        after = stored(work.record(change)) if change else record.asked
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after
