"""What outlives the service's processes, and those who ask it again until they are answered."""

import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from adapters.memory.mailer import MemoryMailer
from adapters.memory.sender import MemorySender
from application.causes import ApiRequest, CommandLine, InboundEvent, StripeFact
from application.organizations.create_organization import NewOrganization
from application.payments.news import Booked
from application.ports import OffSessionCharge, Secrets
from domain.auth import Authenticated
from domain.catalog_document import CatalogDocument
from domain.checkout import CheckoutSession
from domain.checkout_progress import Intent
from domain.errors import Rejected, Unavailable
from domain.ids import Ids, OrganizationId, RequestId
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact
from entrypoints.deliveries import Deliveries
from entrypoints.metrics.counted import Metrics
from entrypoints.worker import Worker
from tests.faults.injection import Faults, Killed, faulty
from tests.use_cases import Store, UseCases
from tests.world import CATALOG

T = TypeVar("T")
_ANSWERS = 8  # asking more often than this means that no answer ever comes


class Provider(MemoryGateway):
    """The payment provider; tells of every intent it has made."""

    tell_at_once: Callable[[StripeFact], Awaitable[object]] | None = None
    """Who hears of a new intent, and of a charge, before whoever asked for it has the answer."""

    told = 0
    """How many events it has told, to whomever."""

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        made = await super().create_intent(session, stripe_customer_id, idempotency_key)
        if self.tell_at_once is not None:
            await self.tell_at_once(self._intents.get(made.id) or self._setups[made.id])
        return made

    async def charge(self, charge: OffSessionCharge, *, livemode: bool, idempotency_key: str) -> None:
        await super().charge(charge, livemode=livemode, idempotency_key=idempotency_key)
        if self.tell_at_once is not None:
            await self.tell_at_once(self._intents[charge.payment_intent_id])

    @property
    def intents(self) -> Sequence[PaymentFact]:
        """As they are now."""
        return tuple(self._intents.values())

    @property
    def setups(self) -> Sequence[SetupFact]:
        """The same, of those by which a means of payment is left."""
        return tuple(self._setups.values())

    @property
    def of_sessions(self) -> Sequence[PaymentFact | SetupFact]:
        """All of both that complete a checkout session."""
        made: tuple[PaymentFact | SetupFact, ...] = (*self.intents, *self.setups)
        return [fact for fact in made if fact.checkout_session_id is not None]


@dataclass
class Outside:
    """Everything that a crash of the service leaves as it is."""

    store: Store
    worker_store: Store
    ids: Ids
    secrets: Secrets
    slug: str
    provider: Provider = field(default_factory=Provider)
    clock: FixedClock = field(default_factory=FixedClock)
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    sender: MemorySender = field(default_factory=MemorySender)

    def cloned(self) -> "Outside":
        """The same again, on a store in memory: its books are values that never change."""
        store = copy.copy(self.store)
        names = ("ids", "secrets", "provider", "clock", "mailer", "sender")
        apart = {name: getattr(self, name) for name in names}
        return replace(self, store=store, worker_store=store, **copy.deepcopy(apart))


class Process(UseCases[Store]):
    """One process of the service, worker included: new objects on what was there before."""

    def __init__(self, outside: Outside, faults: Faults) -> None:
        super().__init__(
            faulty(outside.store, faults),
            faulty(outside.worker_store, faults),
            outside.ids,
            gateway=faulty(outside.provider, faults),
            clock=outside.clock,
            secrets=outside.secrets,
            mailer=faulty(outside.mailer, faults),
            sender=faulty(outside.sender, faults),
        )
        store = self.worker_store
        # One task after the other: each run makes the same calls, on whatever store.
        self.worker = Worker(
            store,
            store,
            store,
            self.effects,
            self.retries,
            Deliveries(store, self.deliver_event, self.clock, Metrics().deliveries, concurrency=1),
            self.clock,
            concurrency=1,
            random=lambda: 0.0,
        )

    def request(self) -> ApiRequest:
        """Somebody calls the API."""
        return ApiRequest(self.ids.new(RequestId))


class Run:
    """The service with everybody around it, who repeat whatever was not answered."""

    auth: Authenticated

    def __init__(self, outside: Outside, faults: Faults | None = None) -> None:
        self.outside = outside
        self.answered: list[str] = []
        self.under(faults or Faults())

    def cloned(self) -> "Run":
        """As it stands, to go on from here more than once."""
        self.outside.provider.tell_at_once = None  # nobody of this run hears of the other one
        clone = Run(self.outside.cloned())
        clone.answered = list(self.answered)
        if hasattr(self, "auth"):
            clone.auth = self.auth
        return clone

    def under(self, faults: Faults) -> None:
        """From here on, these faults happen."""
        self.faults = faults
        self.process = Process(self.outside, faults)

    async def insist(self, act: Callable[[Process], Awaitable[T]]) -> T:
        """Ask, and ask the same again until there is an answer, also of the next process."""
        for _ in range(_ANSWERS):
            try:
                return await act(self.process)
            except (Unavailable, TimeoutError):
                continue
            except Killed:
                self.faults.restarted()
                self.process = Process(self.outside, self.faults)
        raise AssertionError(f"no answer in {_ANSWERS} times")

    async def open_books(self) -> None:
        """An operator makes the organization; it is theirs too when the name is taken by their first try."""

        async def create(process: Process) -> None:
            command = NewOrganization(name="Acme", owner_email="ada@example.test", slug=self.outside.slug)
            try:
                made = await process.create_organization(
                    command, CommandLine("test", process.ids.new(RequestId))
                )
            except Rejected as refusal:
                if refusal.code != "slug_taken":
                    raise
            else:
                self.auth = Authenticated(made.user_id, made.organization_id, livemode=False)
                self.answered.append(made.organization_id)

        await self.insist(create)

    async def sell(self, catalog: CatalogDocument = CATALOG) -> None:
        """The catalog is applied."""
        await self.insist(lambda process: process.apply_catalog(catalog, self.auth, process.request()))

    def elsewhere(self) -> "Run":
        """Another process of the same service, in which all goes well."""
        other = Run(self.outside)
        other.answered = self.answered
        return other

    async def report(self, fact: StripeFact) -> Booked:
        """Stripe delivers a new event, the same one until it is taken."""
        self.outside.provider.told += 1
        cause = InboundEvent(
            id=f"evt_stripe{self.outside.provider.told}",
            type=f"{type(fact).__struct_config__.tag}.updated",
            organization_id=(None if isinstance(fact, ReversalFact) else fact.organization_id)
            or OrganizationId(""),
            livemode=fact.livemode,
            received_at=self.outside.clock.now(),
        )
        self.answered.append(cause.id)
        return await self.insist(lambda process: process.news(fact, cause))

    async def drain(self, times: int = 6, wait: timedelta = timedelta(minutes=2)) -> None:
        """The worker does what is due, and after each wait what has become due again."""
        for _ in range(times):
            await self.insist(lambda process: process.worker.drain())
            self.outside.clock.advance(wait)
            if wait > timedelta(hours=24):
                self.outside.provider.forget_keys()
