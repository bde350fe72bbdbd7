"""A payment provider in memory: idempotent as Stripe is, and it fails when it is told to."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from application.ports import PaymentIntent
from domain.checkout import CheckoutSession
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.errors import ProviderRefused, Unavailable
from domain.ids import CustomerId, OrganizationId
from domain.payment import Attempt, AttemptStatus, Ending, PaymentFact
from domain.reversal import Refund, RefundReason, ReversalFact, total_refunded

T = TypeVar("T", str, PaymentIntent, Refund)
Moment = Literal["before", "after"]


class Call(Struct, frozen=True):
    """One call that came in, whatever became of it."""

    name: str
    livemode: bool
    idempotency_key: str | None = None


class KnownCustomer(Struct, frozen=True):
    """A customer as the provider keeps it, with our metadata."""

    id: str
    livemode: bool
    organization_id: OrganizationId
    customer: CreateStripeCustomer


class _Kept(Struct, frozen=True):
    """What a key was first used for, and what came of it."""

    parameters: tuple[Any, ...]
    result: Any


class MemoryGateway:
    """Test and live mode share nothing, not even idempotency keys. Intents move when a test says so."""

    def __init__(self, *, modes: frozenset[bool] = frozenset({False, True})) -> None:
        self.calls: list[Call] = []
        self.customers: list[KnownCustomer] = []
        self._modes = modes
        self._intents: dict[str, PaymentFact] = {}
        self._refunds: dict[str, list[Refund]] = {}
        self._kept: dict[tuple[bool, str], _Kept] = {}
        self._failures: list[Moment] = []

    def fail_next(self, moment: Moment) -> None:
        """The next call, or the one after those told to fail already, ends in Unavailable: `before` it did
        anything, or `after`, when only the reply was lost.
        """
        self._failures.append(moment)

    def forget_keys(self) -> None:
        """A day has passed: keys mean nothing any more, and the same call would act again."""
        self._kept.clear()

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        def act() -> str:
            made = KnownCustomer(f"cus_memory{len(self.customers) + 1}", livemode, organization_id, customer)
            self.customers.append(made)
            return made.id

        call = Call("create_customer", livemode, idempotency_key)
        return await self._idempotent(call, (customer, organization_id), act)

    async def find_customer(
        self, id: CustomerId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        failure = await self._begun(Call("find_customer", livemode))
        wanted = id, organization_id, livemode
        found = [
            known.id
            for known in self.customers
            if (known.customer.customer_id, known.organization_id, known.livemode) == wanted
        ]
        await self._ended(failure)
        return found[0] if found else None

    async def create_payment_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> PaymentIntent:
        wanted = PaymentFact(
            payment_intent_id="",
            livemode=session.livemode,
            amount=session.amount,
            currency=session.currency,
            stripe_customer_id=stripe_customer_id,
            organization_id=session.organization_id,
            checkout_session_id=session.id,
        )

        def act() -> PaymentIntent:
            made = f"pi_memory{len(self._intents) + 1}"
            self._intents[made] = replace(wanted, payment_intent_id=made)
            return PaymentIntent(made, f"{made}_secret")

        call = Call("create_payment_intent", session.livemode, idempotency_key)
        return await self._idempotent(call, (wanted,), act)

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        failure = await self._begun(Call("payment_intent", livemode))
        intent = self._intents.get(id)
        if intent is None or intent.livemode != livemode:
            raise ProviderRefused("payment_intent_not_found", f"No such payment_intent: '{id}'")
        await self._ended(failure)
        return intent

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        def act() -> str:
            intent = self._intents.get(id)
            if intent is None or intent.livemode != livemode:
                raise ProviderRefused("payment_intent_not_found", f"No such payment_intent: '{id}'")
            paying = any(attempt.status == "pending" for attempt in intent.attempts)
            if intent.ending is None and not paying:
                self._intents[id] = replace(intent, ending="abandoned")

            return id

        await self._idempotent(Call("cancel_payment_intent", livemode, idempotency_key), (id,), act)

    async def create_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> Refund:
        def act() -> Refund:
            return self._refund(
                refund.payment_intent_id, refund.amount, refund.refund_id, refund.reason, livemode=livemode
            )

        call = Call("create_refund", livemode, idempotency_key)
        return await self._idempotent(call, (refund, organization_id), act)

    async def find_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool
    ) -> Refund | None:
        failure = await self._begun(Call("find_refund", livemode))
        made = self._refunds.get(refund.payment_intent_id, [])
        await self._ended(failure)
        return next((known for known in made if known.id == refund.refund_id), None)

    def refund(self, id: str, amount: int) -> ReversalFact:
        """Somebody refunds so much in the provider's own dashboard: it names none of our ids."""
        intent = self._intents[id]
        made = self._refund(id, amount, None, None, livemode=intent.livemode)
        return ReversalFact(id, intent.livemode, refunds=(made,))

    def fail_refund(self, id: str, stripe_refund_id: str) -> ReversalFact:
        """The buyer's bank sends a refund of this intent back: it counts no more."""
        made = self._refunds[id]
        for place, known in enumerate(made):
            if known.stripe_refund_id == stripe_refund_id:
                made[place] = replace(known, status="failed", failure_reason="lost_or_stolen_card")
                return ReversalFact(id, self._intents[id].livemode, refunds=(made[place],))
        raise AssertionError(f"{id} has no refund {stripe_refund_id}")

    def refunds_of(self, id: str) -> tuple[Refund, ...]:
        """All that was refunded of an intent, whoever asked."""
        return tuple(self._refunds.get(id, ()))

    def _refund(
        self, id: str, amount: int, ours: str | None, reason: RefundReason | None, *, livemode: bool
    ) -> Refund:
        intent = self._intents.get(id)
        if intent is None or intent.livemode != livemode:
            raise ProviderRefused("payment_intent_not_found", f"No such payment_intent: '{id}'")
        made = self._refunds.setdefault(id, [])
        left = intent.amount - total_refunded(tuple(made)) if intent.ending == "succeeded" else 0
        if amount > left:
            raise ProviderRefused(
                "payment_provider_refused",
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            )
        known_as = f"re_{id}_{len(made) + 1}"
        made.append(Refund(ours or known_as, amount, "succeeded", known_as, reason))
        return made[-1]

    def put(self, intent: PaymentFact) -> None:
        """The intent is like this now, whatever it was."""
        self._intents[intent.payment_intent_id] = intent

    def process(self, id: str) -> PaymentFact:
        """The buyer is paying by something slow: an attempt is under way."""
        return self._try(id, "pending")

    def fail(self, id: str, code: str = "card_declined") -> PaymentFact:
        """The attempt under way, or else a new one, fails; the buyer may try again."""
        return self._try(id, "failed", code)

    def succeed(self, id: str, *, receipt_email: str | None = None) -> PaymentFact:
        """The attempt under way, or else a new one, succeeds."""
        intent = self._try(id, "succeeded", ending="succeeded")
        self._intents[id] = replace(intent, receipt_email=receipt_email or intent.receipt_email)
        return self._intents[id]

    def cancel(self, id: str) -> PaymentFact:
        """Nobody can pay it any more."""
        self._intents[id] = replace(self._not_ended(id), ending="canceled")
        return self._intents[id]

    def _try(
        self, id: str, status: AttemptStatus, code: str | None = None, *, ending: Ending | None = None
    ) -> PaymentFact:
        intent = self._not_ended(id)
        settled = tuple(attempt for attempt in intent.attempts if attempt.status != "pending")
        message = f"The payment failed: {code}." if code else None
        attempt = Attempt(f"ch_{id}_{len(settled) + 1}", status, code, message)
        self._intents[id] = replace(intent, attempts=(*settled, attempt), ending=ending)
        return self._intents[id]

    def _not_ended(self, id: str) -> PaymentFact:
        intent = self._intents[id]
        assert intent.ending is None, f"{id} has {intent.ending}: its end is final"
        return intent

    async def _idempotent(self, call: Call, parameters: tuple[Any, ...], act: Callable[[], T]) -> T:
        assert call.idempotency_key is not None
        failure = await self._begun(call)
        slot = call.livemode, call.idempotency_key
        parameters = (call.name, *parameters)
        kept = self._kept.get(slot) or _Kept(parameters, act())
        if kept.parameters != parameters:
            raise ProviderRefused(
                "idempotency_error", f"The key '{call.idempotency_key}' was used with other parameters."
            )
        self._kept[slot] = kept
        await self._ended(failure)
        result: T = kept.result
        return result

    async def _begun(self, call: Call) -> Moment | None:
        self.calls.append(call)
        await asyncio.sleep(0)
        if call.livemode not in self._modes:
            raise Unavailable("payment_provider_not_configured", "There is no provider for this mode.")
        failure = self._failures.pop(0) if self._failures else None
        if failure == "before":
            raise _unavailable()
        return failure

    async def _ended(self, failure: Moment | None) -> None:
        await asyncio.sleep(0)
        if failure == "after":
            raise _unavailable()


def _unavailable() -> Unavailable:
    return Unavailable("payment_provider_unavailable", "The payment provider did not answer.")
