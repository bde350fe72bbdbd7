"""The books are held against Stripe: what they miss is found, and booked as if the webhook had brought it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from application.causes import InboundEvent, StripeFact
from application.operator_ports import Inbox, InboxRow, Unsettled, Unsettleds
from application.payments.compare_with_stripe import CompareWithStripe
from application.ports import (
    Clock,
    CustomerAtStripe,
    CustomerRepository,
    PaymentGateway,
    StripeHistory,
    ToldByStripe,
    UserRepository,
)
from domain.auth import Anonymous
from domain.customer import Customer
from domain.errors import DomainError, ProviderRefused, Unavailable
from domain.ids import OrganizationId
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact
from domain.user import User
from entrypoints.findings import Finding, customer_of_nobody, deleted_at_stripe, difference, not_at_stripe
from entrypoints.news import News
from entrypoints.reconcile_reading import KINDS, Run, pause, told

STEPS: Final = len(KINDS) + 1
"""The last one is what waits here for an intent of which Stripe has said nothing."""

_PAGE = 100


class Books(CustomerRepository, UserRepository, Unsettleds, Protocol):
    """What is compared, of one organization at a time."""


class AllBooks(Unsettleds, Inbox, Protocol):
    """What is read across organizations."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Whatever is booked meanwhile, by a webhook or by another such run, is booked once: a run that is cut
    off or made twice does no harm."""

    history: StripeHistory
    gateway: PaymentGateway
    compare: CompareWithStripe
    news: News
    books: Books
    all_books: AllBooks
    clock: Clock

    async def __call__(self, run: Run) -> AsyncIterator[Finding]:
        """Each thing that differs, once it is applied where that is wanted. Raises Unavailable if Stripe or
        the database is away, or Stripe says that it was asked too often, and ProviderRefused if it does not
        list what it has: what was found by then has been said, and the next run finds the rest."""
        await self._begin(run)
        for kind in KINDS:
            async for one in told(self.history, self.clock, run, kind):
                if run.stop.is_set():
                    return
                if (finding := await self._look_at(run, one)) is not None:
                    yield finding
            run.steps_done += 1
        if run.wanted.asks_for_open:
            async for finding in self._what_waits(run):
                yield finding
        run.steps_done += 1

    async def _begin(self, run: Run) -> None:
        everybody = frozenset(await self.all_books.organization_ids())
        one = run.wanted.organization_id
        run.organizations = everybody if one is None else everybody & {one}
        last: InboxRow | None = None
        while page := await self.all_books.unhandled(_PAGE, last):
            for row in page:
                of_ours = row.organization_id in run.organizations or not row.organization_id
                if of_ours and row.livemode == run.wanted.livemode:
                    run.in_inbox += 1
                    if row.fact is not None:
                        run.kept.add(_said(row.fact))
            last = page[-1]

    async def _look_at(self, run: Run, told: ToldByStripe) -> Finding | None:
        run.looked_at += 1
        fact = told.fact
        if isinstance(fact, ReversalFact):
            if fact.payment_intent_id in run.strangers:
                return None
        elif fact.organization_id not in run.organizations:
            run.strangers.add(told.object_id)
            return None
        if isinstance(fact, CustomerAtStripe):
            return await self._customer(fact)
        named = None if isinstance(fact, ReversalFact) else fact.organization_id
        now = self.clock.now()
        cause = InboundEvent(told.id, told.type, named or OrganizationId(""), fact.livemode, now)
        if isinstance(fact, ReversalFact):  # Stripe is asked whose it is
            await pause(run)
        found = await self.compare(fact, cause)
        if found is None or found.organization_id not in run.organizations:
            return None
        if found.refusal is not None and _said(fact) in run.kept:
            return None
        finding = difference(told, found)
        return await self._applied(run, fact, cause, finding) if run.wanted.apply else finding

    async def _applied(self, run: Run, fact: StripeFact, cause: InboundEvent, finding: Finding) -> Finding:
        try:
            booked = await self.news(fact, replace(cause, organization_id=finding.organization_id))
        except Unavailable:
            raise
        except DomainError as failure:
            return replace(finding, outcome="failed", code=failure.code)
        if booked.refusal is None:
            return replace(finding, outcome="applied")
        run.kept.add(_said(fact))
        return replace(finding, outcome="kept", code=booked.refusal)

    async def _customer(self, told: CustomerAtStripe) -> Finding | None:
        """Whoever was deleted here need not be there, and may be."""
        auth = Anonymous(told.organization_id, told.livemode)
        holder: Customer | User | None = None
        if told.customer_id is not None:
            holder = await self.books.customer_in_books(auth, told.customer_id)
        elif told.user_id is not None:
            holder = await self.books.user_in_books(auth, told.user_id)
        if isinstance(holder, Customer) and holder.deleted_at is not None:
            return None
        known = holder.stripe_customer_id if holder else None
        is_known = known == told.stripe_customer_id
        if told.deleted:
            return deleted_at_stripe(told) if is_known else None
        return None if is_known else customer_of_nobody(told, known)

    async def _what_waits(self, run: Run) -> AsyncIterator[Finding]:
        """Sessions and invoices of whose intent nothing was said yet: Stripe is asked for it."""
        for organization_id in sorted(run.organizations):
            auth = Anonymous(organization_id, run.wanted.livemode)
            last: str | None = None
            while page := await self.books.unsettled(auth, _PAGE, last):
                for waiting in page:
                    if waiting.intent_id in run.intents_seen:
                        continue
                    await pause(run)
                    if run.stop.is_set():
                        return
                    if (finding := await self._ask(run, auth, waiting)) is not None:
                        yield finding
                last = page[-1].id

    async def _ask(self, run: Run, auth: Anonymous, waiting: Unsettled) -> Finding | None:
        fact: PaymentFact | SetupFact
        by_payment = waiting.collects == "payment"
        ask = self.gateway.payment_intent if by_payment else self.gateway.setup_intent
        try:
            fact = await ask(waiting.intent_id, livemode=auth.livemode)
        except ProviderRefused:
            return not_at_stripe(auth.organization_id, waiting.id, waiting.intent_id, livemode=auth.livemode)
        kind = "payment_intent" if by_payment else "setup_intent"
        return await self._look_at(run, ToldByStripe(kind, waiting.intent_id, fact))


def _said(fact: StripeFact) -> bytes:
    """By which two tellings are known as one. What was set up is told with some and not with others; an
    address is taken out of what is kept of a customer who is deleted."""
    match fact:
        case SetupFact():
            return msgspec.json.encode(replace(fact, payment_method=None))
        case PaymentFact():
            return msgspec.json.encode(replace(fact, receipt_email=None))
        case _:
            return msgspec.json.encode(fact)
