"""What Stripe says is held against the books: would it change them?"""

from dataclasses import dataclass
from typing import assert_never

from msgspec import Struct

from application.causes import InboundEvent, StripeFact
from application.payments import booking_payments, booking_setups
from application.payments.at_stripe import of_the_payment, with_its_method
from application.ports import Clock, PaymentGateway, PaymentRepository
from domain import payment, setup
from domain.errors import DomainError, ProviderRefused
from domain.ids import Ids, OrganizationId
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact


class Difference(Struct, frozen=True):
    """What the books miss of it, by the events that would tell it; or the `refusal`, where it does not fit.
    `about` is what it names of ours: a checkout session, an invoice or an intake payment."""

    organization_id: OrganizationId
    about: str | None
    events: tuple[str, ...] = ()
    refusal: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CompareWithStripe:
    """Decides as the webhook would, and commits nothing. So there is no second rule of what is in the books.

    An event that has been handled is not looked at again: what it told is in them. Nor is what is in them
    already a difference where it would not fit any more, as when the customer has been deleted since.
    """

    payments: PaymentRepository
    gateway: PaymentGateway
    ids: Ids
    clock: Clock

    async def __call__(self, fact: StripeFact, cause: InboundEvent) -> Difference | None:
        """None where the books have all of it, and where it is none of ours."""
        match fact:
            case ReversalFact():
                try:
                    return await self._payment(await of_the_payment(fact, self.gateway), cause)
                except ProviderRefused:  # there is no such intent any more
                    return None
            case PaymentFact():
                return await self._payment(fact, cause)
            case SetupFact():
                return await self._setup(fact, cause)
            case _:
                assert_never(fact)

    async def _payment(self, fact: PaymentFact, cause: InboundEvent) -> Difference | None:
        about = fact.checkout_session_id or fact.invoice_id or fact.intake_payment_id
        if fact.organization_id is None or about is None:
            return None
        context = await self.payments.fact_context(fact, cause.id)
        if context.handled:
            return None
        try:
            work, _ = booking_payments.decide(fact, context, cause, self.ids, self.clock.now())
        except DomainError as refusal:
            if payment.is_known(fact, context.payment):
                return None
            return Difference(fact.organization_id, about, refusal=refusal.code, reason=refusal.detail)
        return Difference(fact.organization_id, about, work.tells) if work.tells else None

    async def _setup(self, reported: SetupFact, cause: InboundEvent) -> Difference | None:
        about = reported.checkout_session_id
        if reported.organization_id is None or about is None:
            return None
        context = await self.payments.fact_context(reported, cause.id)
        if context.handled:
            return None
        try:
            fact = await with_its_method(reported, self.gateway)
        except ProviderRefused:
            return None
        if fact is not reported:
            context = await self.payments.fact_context(fact, cause.id)
        try:
            work, _ = booking_setups.decide(fact, context, cause, self.ids, self.clock.now())
        except DomainError as refusal:
            if setup.is_known(fact, context.setup):
                return None
            return Difference(reported.organization_id, about, refusal=refusal.code, reason=refusal.detail)
        return Difference(reported.organization_id, about, work.tells) if work.tells else None
