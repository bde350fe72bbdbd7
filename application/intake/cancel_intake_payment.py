"""A seller takes back what was asked by e-mail."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, IntakeRepository
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import intake_payment
from domain.auth import Authenticated
from domain.change import stored
from domain.errors import NotFound
from domain.ids import Ids, IntakePaymentId
from domain.intake_payment import IntakePayment


@dataclass(frozen=True, slots=True)
class CancelIntakePayment:
    """Cancel what nobody is paying. The books say so first; then Stripe's intent is canceled, as an effect.
    Should somebody pay in between, it is booked all the same.
    """

    intakes: IntakeRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(self, id: IntakePaymentId, auth: Authenticated, cause: ApiRequest) -> IntakePayment:
        """Raises NotFound `intake_payment_not_found`, and Rejected `intake_payment_not_open` where it is
        being paid, or has been."""
        record = await self.intakes.intake_payment(auth, id)
        if record is None:
            raise NotFound("intake_payment_not_found", "There is no such intake payment.")
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        change = intake_payment.cancel(record.asked, now)
        after = stored(work.record(change)) if change else record.asked
        work.answer(after)
        if work.is_needed:
            await self.outbox.commit(work)
        return after
