"""A payment provider in memory: idempotent as Stripe is, and it fails when it is told to."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from msgspec.structs import replace

from adapters.memory.calls import Call
from adapters.memory.history import History
from adapters.memory.known import KnownCustomer
from adapters.memory.payers import Payers
from application.ports import CustomerAtStripe, OffSessionCharge, PaymentMethodUnusable, ToldByStripe
from domain.checkout import CheckoutSession
from domain.checkout_progress import Intent
from domain.customer import Customer
from domain.effects import CreateRefund, CreateStripeCustomer, known_as
from domain.errors import ProviderRefused, Rejected
from domain.ids import CustomerId, OrganizationId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.reversal import Refund, RefundReason, ReversalFact, total_refunded
from domain.setup import SetupFact


class MemoryGateway(Payers, History):
    """Intents move when a test says so, but for those that are charged: at once, and `declines` says which
    payment methods are declined then, with which code."""

    def __init__(self, *, modes: frozenset[bool] = frozenset({False, True})) -> None:
        super().__init__(modes)
        self.customers: list[KnownCustomer] = []
        self.declines: dict[str, str] = {}
        self.detached: set[str] = set()
        self._refunds: dict[str, list[Refund]] = {}

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
            and not known.deleted
        ]
        await self._ended(failure)
        return found[0] if found else None

    async def update_customer(
        self, customer: Customer, stripe_customer_id: str, idempotency_key: str
    ) -> None:
        external_id, email, name = known_as(customer)

        def act() -> None:
            place, known = self._living(stripe_customer_id, livemode=customer.livemode)
            told = replace(known.customer, external_id=external_id, email=email, name=name)
            self.customers[place] = replace(known, customer=told)

        call = Call("update_customer", customer.livemode, idempotency_key)
        await self._idempotent(call, (stripe_customer_id, external_id, email, name), act)

    async def delete_customer(self, stripe_customer_id: str, *, livemode: bool) -> None:
        failure = await self._begun(Call("delete_customer", livemode))
        with suppress(ProviderRefused):
            place, known = self._living(stripe_customer_id, livemode=livemode)
            self.customers[place] = replace(known, deleted=True)
        await self._ended(failure)

    def _living(self, id: str, *, livemode: bool) -> tuple[int, KnownCustomer]:
        for place, known in enumerate(self.customers):
            if (known.id, known.livemode, known.deleted) == (id, livemode, False):
                return place, known
        raise ProviderRefused("payment_provider_refused", f"No such customer: '{id}'")

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        call = Call("create_intent", session.livemode, idempotency_key)
        if session.collects == "payment":
            assert session.currency is not None, "what is sold has a currency"
            wanted = PaymentFact(
                payment_intent_id="",
                livemode=session.livemode,
                amount=session.amount,
                currency=session.currency,
                stripe_customer_id=stripe_customer_id,
                organization_id=session.organization_id,
                checkout_session_id=session.id,
            )
            return await self._idempotent(call, (wanted,), lambda: self._made(wanted))
        setup = SetupFact(
            setup_intent_id="",
            livemode=session.livemode,
            stripe_customer_id=stripe_customer_id,
            organization_id=session.organization_id,
            checkout_session_id=session.id,
        )
        return await self._idempotent(call, (setup,), lambda: self._made_setup(setup))

    async def create_invoice_intent(
        self, invoice: Invoice, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        wanted = PaymentFact(
            payment_intent_id="",
            livemode=invoice.livemode,
            amount=invoice.total,
            currency=invoice.currency,
            stripe_customer_id=stripe_customer_id,
            organization_id=invoice.organization_id,
            invoice_id=invoice.id,
        )
        call = Call("create_invoice_intent", invoice.livemode, idempotency_key)
        return await self._idempotent(call, (wanted,), lambda: self._made(wanted))

    async def create_intake_intent(
        self, asked: IntakePayment, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        wanted = PaymentFact(
            payment_intent_id="",
            livemode=asked.livemode,
            amount=asked.amount,
            currency=asked.currency,
            stripe_customer_id=stripe_customer_id,
            organization_id=asked.organization_id,
            intake_payment_id=asked.id,
        )
        call = Call("create_intake_intent", asked.livemode, idempotency_key)
        return await self._idempotent(call, (wanted,), lambda: self._made(wanted))

    def _made(self, wanted: PaymentFact) -> Intent:
        made = f"pi_memory{len(self._intents) + 1}"
        self._intents[made] = replace(wanted, payment_intent_id=made)
        return Intent(made, f"{made}_secret")

    def _made_setup(self, wanted: SetupFact) -> Intent:
        made = f"seti_memory{len(self._setups) + 1}"
        self._setups[made] = replace(wanted, setup_intent_id=made)
        return Intent(made, f"{made}_secret")

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        failure = await self._begun(Call("payment_intent", livemode))
        intent = self._known(id, livemode=livemode)
        await self._ended(failure)
        return intent

    async def setup_intent(self, id: str, *, livemode: bool) -> SetupFact:
        failure = await self._begun(Call("setup_intent", livemode))
        intent = self._known_setup(id, livemode=livemode)
        await self._ended(failure)
        return intent

    async def change_amount(self, session: CheckoutSession, idempotency_key: str) -> None:
        def act() -> None:
            assert session.payment_intent_id is not None, "there is an intent to be changed"
            intent = self._known(session.payment_intent_id, livemode=session.livemode)
            if intent.ending is not None or _is_being_paid(intent):
                raise Rejected("checkout_session_not_open", "This checkout session is being paid.")
            self._intents[intent.payment_intent_id] = replace(intent, amount=session.amount)

        call = Call("change_amount", session.livemode, idempotency_key)
        await self._idempotent(call, (session.payment_intent_id, session.amount), act)

    async def charge(self, charge: OffSessionCharge, *, livemode: bool, idempotency_key: str) -> None:
        def act() -> None:
            intent = self._known(charge.payment_intent_id, livemode=livemode)
            if intent.ending is None and charge.stripe_payment_method_id in self.detached:
                raise PaymentMethodUnusable("It was detached, and may not be used again.")
            code = self.declines.get(charge.stripe_payment_method_id)
            if intent.ending is None and code is not None:
                self.fail(intent.payment_intent_id, code)
            elif intent.ending is None:
                self.succeed(intent.payment_intent_id)

        await self._idempotent(Call("charge", livemode, idempotency_key), (charge,), act)

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        def act() -> None:
            intent = self._known(id, livemode=livemode)
            if intent.ending is None and not _is_being_paid(intent):
                self._intents[id] = replace(intent, ending="abandoned")

        await self._idempotent(Call("cancel_payment_intent", livemode, idempotency_key), (id,), act)

    async def cancel_setup_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        def act() -> None:
            intent = self._known_setup(id, livemode=livemode)
            if intent.ending is None:
                self._setups[id] = replace(intent, ending="abandoned")

        await self._idempotent(Call("cancel_setup_intent", livemode, idempotency_key), (id,), act)

    async def create_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> Refund:
        def act() -> Refund:
            return self._refund(
                refund.payment_intent_id, refund.amount, refund.refund_id, refund.reason, livemode=livemode
            )

        call = Call("create_refund", livemode, idempotency_key)
        return await self._idempotent(call, (refund, organization_id), act)

    async def time_there(self, *, livemode: bool) -> datetime:
        failure = await self._begun(Call("time_there", livemode))
        await self._ended(failure)
        return datetime.now(UTC)

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

    def _refunds_made(self) -> Iterator[ToldByStripe]:
        for intent_id, made in self._refunds.items():
            for refund in made:
                fact = ReversalFact(intent_id, self._intents[intent_id].livemode, refunds=(refund,))
                yield ToldByStripe("refund", refund.stripe_refund_id or refund.id, fact)

    def _customers_made(self) -> Iterator[CustomerAtStripe]:
        for known in self.customers:
            if not known.deleted:
                yield CustomerAtStripe(
                    known.id, known.livemode, known.organization_id, known.customer.customer_id
                )
        for user in self.users:
            yield CustomerAtStripe(user.id, user.livemode, user.organization_id, user_id=user.user_id)

    def _refund(
        self, id: str, amount: int, ours: str | None, reason: RefundReason | None, *, livemode: bool
    ) -> Refund:
        intent = self._known(id, livemode=livemode)
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


def _is_being_paid(intent: PaymentFact) -> bool:
    return any(attempt.status == "pending" for attempt in intent.attempts)
