"""What can be done about invoices and what they are charged for, as values (see operations.py)."""

from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from application.causes import InboundEvent
from application.payments.news import StripeReported
from domain.errors import DomainError, NotFound
from domain.ids import InvoiceId, OrganizationId
from domain.payment import PaymentFact
from entrypoints.inbox_retries import again
from tests.machine.known import Known
from tests.machine.operations import LEASE, request
from tests.machine.service import Service
from tests.machine.setting_up import card_of

_ROUNDS = 3
Flaw = Literal["amount", "customer", "intent"]
Listed = Literal["payments", "purchases", "subscriptions", "invoices"]


@dataclass(frozen=True)
class Settle:
    """A worker does all that is due, and Stripe tells what came of it. The answer is what was refused."""

    async def __call__(self, service: Service, known: Known) -> object:
        refused: list[str] = []
        for _ in range(_ROUNDS):
            leased = await service.worker_store.lease(1000, service.clock.now(), LEASE)
            for task in sorted(leased, key=lambda task: task.id):
                try:
                    await service.effects(task)
                except DomainError as error:
                    refused.append(f"{type(task.effect).__name__}: {error.code}")
            for intent in service.provider.charged():
                await _report(service, service.provider.intent(intent))
        return refused


@dataclass(frozen=True)
class ReportCharge:
    """Stripe's webhook brings news of an invoice's intent, as it is; of one that is nobody's, without any.

    With another amount, or of another customer, it does not fit."""

    invoice: int
    flaw: Flaw | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        invoice = known.invoice(self.invoice)
        intent_id = invoice.payment_intent_id if invoice else None
        if invoice is None or intent_id is None:
            nobodys = InvoiceId("inv_none") if invoice is None else invoice.id
            fact = PaymentFact("pi_none", False, 900, "usd", invoice_id=nobodys)
        else:
            fact = service.provider.intent(intent_id)
        return await _report(service, _flawed(fact, self.flaw))


def _flawed(fact: PaymentFact, flaw: Flaw | None) -> PaymentFact:
    match flaw:
        case "amount":
            return replace(fact, amount=fact.amount + 1)
        case "customer":
            return replace(fact, stripe_customer_id="cus_of_somebody_else")
        case "intent":
            return replace(fact, payment_intent_id=f"{fact.payment_intent_id}_other")
        case None:
            return fact


async def _report(service: Service, fact: PaymentFact) -> object:
    cause = InboundEvent(
        id=f"evt_of_{request(service).request_id}",
        type="payment_intent.updated",
        organization_id=fact.organization_id or OrganizationId(""),
        livemode=fact.livemode,
        received_at=service.clock.now(),
    )
    return await service.process_payment_intent(StripeReported(fact, cause))


@dataclass(frozen=True)
class Decline:
    """The card that was left in a session is declined from now on, or (None) not any more."""

    session: int
    code: str | None

    async def __call__(self, service: Service, known: Known) -> object:
        session = known.session(self.session)
        if session is not None and self.code is not None:
            service.provider.declines[card_of(session)] = self.code
        elif session is not None:
            service.provider.declines.pop(card_of(session), None)
        return None


@dataclass(frozen=True)
class RetryKept:
    """The first of what Stripe told and did not fit is tried again, if it is time."""

    async def __call__(self, service: Service, known: Known) -> object:
        rows = await service.worker_store.lease_unhandled(1, service.clock.now())
        return [(row, await service.news(*again(row))) for row in rows]


@dataclass(frozen=True)
class ReadList:
    """A page of a list: all of a tenant, or a customer's, from the beginning or from one on."""

    tenant: int
    kind: Listed
    limit: int
    customer: str | None
    status: str | None
    before: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        auth, store = known.tenant(self.tenant), service.store
        picked = {
            "payments": known.payment,
            "purchases": known.purchase,
            "subscriptions": known.subscription,
            "invoices": known.invoice,
        }[self.kind]
        before = picked(self.before) if self.before is not None else None
        given = {} if self.kind == "payments" else {"status": self.status}
        read = getattr(store, self.kind)
        return list(
            await read(auth, self.limit, before.id if before else None, customer=self.customer, **given)
        )


@dataclass(frozen=True)
class ReadOne:
    """One of these, which may be somebody else's."""

    tenant: int
    kind: Literal["payment", "purchase", "subscription", "invoice", "shown_invoice"]
    pick: int

    async def __call__(self, service: Service, known: Known) -> object:
        auth, store = known.tenant(self.tenant), service.store
        match self.kind:
            case "payment" if payment := known.payment(self.pick):
                return await store.payment(auth, payment.id)
            case "purchase" if purchase := known.purchase(self.pick):
                return await store.purchase(auth, purchase.id)
            case "subscription" if plan := known.subscription(self.pick):
                return await store.subscription(auth, plan.id)
            case "invoice" if invoice := known.invoice(self.pick):
                return await store.invoice(auth, invoice.id)
            case "shown_invoice" if invoice := known.invoice(self.pick):
                return await store.shown_invoice(invoice.id)
            case _:
                raise NotFound("nothing_there", "There is none yet.")


@dataclass(frozen=True)
class ReadKept:
    """What Stripe told of one tenant and did not fit."""

    tenant: int
    limit: int
    before: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        row = known.inbound(self.before) if self.before is not None else None
        place = (row.received_at, row.id) if row else None
        return list(await service.store.kept(known.tenant(self.tenant), self.limit, place))
