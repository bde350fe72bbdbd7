"""What can be done about intake payments, as values (see operations.py)."""

from dataclasses import dataclass

from application.answer_once import AnswerOnce
from application.causes import InboundEvent
from application.idempotency import IdempotencyKey, Reply
from application.payments.news import PayerReturned, StripeReported
from application.ports import IntakeFilter
from domain.ids import IntakePaymentId, OrganizationId, RequestId
from domain.intake_payment import IntakePayment, IntakePaymentStatus, NewIntakePayment
from tests.machine.known import Known
from tests.machine.news import Flaw, News, asked_of, flawed
from tests.machine.operations import request
from tests.machine.service import Service


@dataclass(frozen=True)
class Ask:
    """Somebody is asked for money by e-mail."""

    tenant: int
    email: str

    async def __call__(self, service: Service, known: Known) -> object:
        return await service.ask_for_payment(_draft(self.email), known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class AskOnce:
    """The same under this key; what was begun is gone on with."""

    tenant: int
    key: str
    email: str

    async def __call__(self, service: Service, known: Known) -> object:
        auth, asking = known.tenant(self.tenant), service.ask_for_payment
        return await AnswerOnce(service.store)(
            auth,
            service.ids.new(RequestId),
            IdempotencyKey("intake", self.key, self.email, _as_reply),
            lambda cause: asking(_draft(self.email), auth, cause),
            lambda begun, cause: asking.resume(begun, auth, cause),
        )


@dataclass(frozen=True)
class TakeBack:
    """A seller, perhaps somebody else's, asks no longer; without a number, for one that is not there."""

    tenant: int
    asked: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        return await service.cancel_intake_payment(_id(known, self.asked), auth, request(service))


@dataclass(frozen=True)
class ReportAsked:
    """Stripe's webhook brings news of an intake payment's intent, of which something may not fit."""

    asked: int
    news: News
    charge: int
    flaw: Flaw | None = None
    event: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        fact = asked_of(known.asked(self.asked), self.news, self.charge)
        if self.flaw is not None:
            fact = flawed(fact, self.flaw, known)
        request_id = request(service).request_id
        cause = InboundEvent(
            id=self.event or f"evt_of_{request_id}",
            type=f"payment_intent.{self.news}",
            organization_id=fact.organization_id or OrganizationId(""),
            livemode=fact.livemode,
            received_at=service.clock.now(),
        )
        return await service.process_payment_intent(StripeReported(fact, cause))


@dataclass(frozen=True)
class PayAsked:
    """The intent moves at the provider, and nobody is told."""

    asked: int
    news: News
    charge: int

    async def __call__(self, service: Service, known: Known) -> object:
        asked = known.asked(self.asked)
        if asked is not None and asked.payment_intent_id is not None:
            service.provider.put(asked_of(asked, self.news, self.charge))
        return None


@dataclass(frozen=True)
class PayerBack:
    """A payer's browser is back; without a number, to what is not there."""

    asked: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        returned = PayerReturned(_id(known, self.asked), request(service))
        return await service.process_payment_intent(returned)


@dataclass(frozen=True)
class ReadAsked:
    """One, its page, and what is listed of somebody: their intake payments, and all their payments."""

    tenant: int
    asked: int | None
    user: int | None
    email: str | None
    status: IntakePaymentStatus | None
    before: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        auth, store, named = known.tenant(self.tenant), service.store, _id(known, self.asked)
        user = known.tenant(self.user).user_id if self.user is not None else None
        before = known.asked(self.before) if self.before is not None else None
        one = await store.bill(named), await store.intake_payment(auth, named)
        wanted = IntakeFilter(user, self.email, self.status)
        page = await store.intake_payments(auth, wanted, 2, before.id if before else None)
        return one, page, await store.payments(auth, 2, user=user)


def _draft(email: str) -> NewIntakePayment:
    return NewIntakePayment(email=email, amount=2500, currency="usd", description="Consultation")


def _as_reply(asked: IntakePayment) -> Reply:
    return Reply(201, f"{asked.id} {asked.payment_intent_id}")


def _id(known: Known, pick: int | None) -> IntakePaymentId:
    asked = known.asked(pick) if pick is not None else None
    return asked.id if asked else IntakePaymentId("intake_none")
