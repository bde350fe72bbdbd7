"""The use cases on one store, with ids that say who made them and a provider that can be copied."""

from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from copy import deepcopy

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from domain.effects import CreateStripeCustomer
from domain.ids import PREFIXES, AnyId, OrganizationId
from domain.payment import PaymentFact
from domain.setup import SetupFact
from tests.use_cases import Store, UseCases

LANE: ContextVar[int] = ContextVar("lane", default=0)
"""Which operation of a step is running: 0 when it is the only one, else 1 or 2."""


class LaneIds:
    """Ids and secrets that say who made them: nine digits of the step, one of the lane, the rest counts up.

    An operation that is decided again gets other ids than the one that was not in its way; but they come in
    the same order, and nobody else's are among them.
    """

    def __init__(self) -> None:
        self.step = 0
        self._counts: Counter[int] = Counter()

    def begin(self, step: int) -> None:
        """What is made from now on is of this step."""
        self.step = step
        self._counts.clear()

    def new(self, kind: Callable[[str], AnyId]) -> AnyId:
        """The next one of this lane."""
        return kind(f"{PREFIXES[kind]}_{self._next()}")

    def api_key(self, *, livemode: bool) -> str:
        """The next one of this lane, and no secret at all."""
        return f"cf_{'live' if livemode else 'test'}_{self._next()}"

    def client_token(self) -> str:
        """The same, of a checkout session."""
        return f"cst_{self._next()}"

    def page_token(self) -> str:
        """The same, of an invoice's page."""
        return f"ivt_{self._next()}"

    def portal_secret(self) -> str:
        """The same, of a browser in the portal."""
        return self._next()

    def _next(self) -> str:
        lane = LANE.get()
        self._counts[lane] += 1
        return f"{self.step:09d}{lane}{self._counts[lane]:016d}"


class CopiedGateway(MemoryGateway):
    """The provider in memory, which can be copied as it stands, and can take one customer for another."""

    _mistakes = 0

    def copy(self) -> "CopiedGateway":
        """Another one, in which the same has happened."""
        return deepcopy(self)

    def forgive(self) -> None:
        """No call is to fail any more."""
        self._failures.clear()
        self._mistakes = 0

    def mistake_next(self) -> None:
        """The next customer made gets the id of the first one there was, once."""
        self._mistakes = 1

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        made = await super().create_customer(
            customer, organization_id=organization_id, livemode=livemode, idempotency_key=idempotency_key
        )
        if self._mistakes:
            self._mistakes = 0
            return self.customers[0].id
        return made

    def intents(self) -> list[PaymentFact | SetupFact]:
        """Every intent as it stands."""
        return [*self._intents.values(), *self._setups.values()]

    def intent(self, id: str) -> PaymentFact:
        """A payment intent as it stands."""
        return self._intents[id]

    def put_setup(self, intent: SetupFact) -> None:
        """The setup intent is like this now, whatever it was."""
        self._setups[intent.setup_intent_id] = intent

    def owners(self) -> dict[str, str]:
        """Whose each of the provider's ids is: whatever of ours it was made for."""
        customers = {known.id: f"at_stripe({known.customer.customer_id})" for known in self.customers}
        customers |= {known.id: f"at_stripe({known.user_id})" for known in self.users}
        intents = {
            intent: f"intent({fact.checkout_session_id or fact.invoice_id or fact.intake_payment_id})"
            for intent, fact in self._intents.items()
        }
        setups = {intent: f"setup({fact.checkout_session_id})" for intent, fact in self._setups.items()}
        payers = {
            made.id: f"payer({made.organization_id} {made.livemode} {made.email})" for made in self.payers
        }
        users = {known.id: f"user({known.user_id})" for known in self.users}
        return customers | intents | setups | payers | users


class Service(UseCases[Store]):
    """Everything the service can do, on a store of its own and with a provider of its own."""

    def __init__(
        self,
        store: Store,
        worker_store: Store | None = None,
        *,
        provider: CopiedGateway | None = None,
        lanes: LaneIds | None = None,
        clock: FixedClock | None = None,
    ) -> None:
        self.provider = provider or CopiedGateway()
        self.lanes = lanes or LaneIds()
        super().__init__(
            store, worker_store, self.lanes, secrets=self.lanes, gateway=self.provider, clock=clock
        )

    def another(self, store: Store, worker_store: Store) -> "Service":
        """One more process, beside which the same world goes on."""
        return Service(store, worker_store, provider=self.provider, lanes=self.lanes, clock=self.clock)
