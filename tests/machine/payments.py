"""What can be done about payments and by the worker, as values (see operations.py)."""

from dataclasses import dataclass
from datetime import timedelta

from application.causes import InboundEvent
from application.payments.news import BuyerReturned, StripeReported
from application.payments.refund_payment import RefundAsked
from domain.auth import Authenticated
from domain.ids import CheckoutSessionId, OrganizationId, UserId
from domain.reversal import NewRefund
from tests.machine.known import Known
from tests.machine.news import Flaw, News, flawed, told
from tests.machine.operations import LEASE, request
from tests.machine.service import Service


@dataclass(frozen=True)
class Report:
    """Stripe's webhook brings news of a session's intent, of which something may not fit.

    `event` names Stripe's event, which may have come before; None is a new one.
    """

    session: int
    news: News
    charge: int
    flaw: Flaw | None = None
    event: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        fact = told(known.session(self.session), self.news, self.charge)
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
class Pay:
    """The intent moves at the provider, and nobody is told."""

    session: int
    news: News
    charge: int

    async def __call__(self, service: Service, known: Known) -> object:
        session = known.session(self.session)
        if session is not None and session.payment_intent_id is not None:
            service.provider.put(told(session, self.news, self.charge))
        return None


@dataclass(frozen=True)
class Return:
    """A buyer's browser is back from paying; without a number, to a session that is not there."""

    session: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        session = known.session(self.session) if self.session is not None else None
        returned = BuyerReturned(session.id if session else CheckoutSessionId("cs_none"), request(service))
        if session is not None and session.collects == "payment_method":
            return await service.process_setup_intent(returned)
        return await service.process_payment_intent(returned)


@dataclass(frozen=True)
class GiveBack:
    """The seller refunds so much of a payment, or all that is left; of one that is not there, without one."""

    payment: int
    amount: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        payment = known.payment(self.payment)
        if payment is None:
            return None
        owner = Authenticated(UserId("usr_seller"), payment.organization_id, payment.livemode)
        asked = RefundAsked(payment.id, NewRefund(amount=self.amount), owner, request(service))
        return await service.refund_payment(asked)


@dataclass(frozen=True)
class Lease:
    """A worker takes tasks that are due. In which order it gets them is not promised."""

    limit: int

    async def __call__(self, service: Service, known: Known) -> object:
        leased = await service.worker_store.lease(self.limit, service.clock.now(), LEASE)
        return sorted(leased, key=lambda task: task.id)


@dataclass(frozen=True)
class Perform:
    """A worker performs a task that was leased, be it long ago."""

    task: int

    async def __call__(self, service: Service, known: Known) -> object:
        task = known.leased(self.task)
        if task is not None:
            await service.effects(task)
        return None


@dataclass(frozen=True)
class Postpone:
    """A worker could not perform a task that was leased."""

    task: int
    delay: timedelta
    counted: bool

    async def __call__(self, service: Service, known: Known) -> object:
        task = known.leased(self.task)
        if task is not None:
            due_at = service.clock.now() + self.delay
            await service.worker_store.postpone(task, "unavailable", due_at, counted=self.counted)
        return None


@dataclass(frozen=True)
class Park:
    """A worker gives up a task that was leased."""

    task: int

    async def __call__(self, service: Service, known: Known) -> object:
        task = known.leased(self.task)
        if task is not None:
            await service.worker_store.park(task, "rejected", service.clock.now())
        return None
