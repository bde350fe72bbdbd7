"""The worker on the memory adapters: each effect once, whatever fails, and whoever else is at work."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from adapters.memory.ids import SequentialIds
from adapters.memory.secrets import SequentialSecrets
from adapters.memory.sender import MemorySender
from adapters.memory.store import MemoryStore
from application.catalog.apply_catalog import ApplyCatalog
from application.causes import ApiRequest, CommandLine, InboundEvent, Task
from application.checkout.open_checkout_session import OpenCheckoutSession
from application.customers.create_customer import CreateCustomer
from application.organizations.create_organization import CreateOrganization, NewOrganization
from application.payments.news import StripeReported
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.unit_of_work import UnitOfWork
from application.webhooks.deliver_event import DeliverEvent
from domain.auth import Authenticated
from domain.catalog_document import CatalogDocument, PriceEntry, PricingModelEntry, ProductEntry
from domain.checkout import CheckoutSession, NewProductSession
from domain.customer import Customer, NewCustomer
from domain.effects import CancelPaymentIntent, CreateStripeCustomer
from domain.ids import RequestId
from entrypoints.deliveries import Deliveries
from entrypoints.inbox_retries import InboxRetries
from entrypoints.metrics.counted import Metrics, Tries
from entrypoints.worker import LAST_ATTEMPT, Worker, next_try
from tests.use_cases import effects_on, news_on

CAUSE = CommandLine("test", RequestId("req_test"))
DAY = timedelta(days=1)


@dataclass
class World:
    """One organization, one store, one provider; `worker()` makes as many workers as are wanted."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FixedClock = field(default_factory=FixedClock)
    ids: SequentialIds = field(default_factory=SequentialIds)
    gateway: MemoryGateway = field(default_factory=MemoryGateway)
    sender: MemorySender = field(default_factory=MemorySender)
    owner: Authenticated | None = None
    tries: Tries = field(default_factory=Tries)

    async def customers(self, count: int) -> None:
        create = CreateOrganization(self.store, self.ids, self.clock, SequentialSecrets())
        made = await create(NewOrganization(name="Acme", owner_email="owner@acme.test"), CAUSE)
        owner = self.owner = Authenticated(made.user_id, made.organization_id, livemode=False)
        standard = PricingModelEntry(slug="standard", name="Standard", is_default=True)
        catalog = CatalogDocument(pricing_models=(standard,))
        await ApplyCatalog(self.store, self.store, self.ids, self.clock)(catalog, owner, CAUSE)
        introduce = CreateCustomer(self.store, self.gateway, self.store, self.ids, self.clock)
        for number in range(count):
            await introduce(NewCustomer(external_id=f"user_{number}"), owner, CAUSE)

    async def session(self) -> CheckoutSession:
        """Somebody is asked to pay for a book."""
        assert self.owner is not None
        price = PriceEntry(slug="book", type="single_payment", amount=1500, currency="usd")
        book = ProductEntry(slug="book", name="Book", prices=(price,))
        standard = PricingModelEntry(slug="standard", name="Standard", is_default=True, products=(book,))
        catalog = CatalogDocument(pricing_models=(standard,))
        await ApplyCatalog(self.store, self.store, self.ids, self.clock)(catalog, self.owner, CAUSE)
        opening = OpenCheckoutSession(
            self.store, self.gateway, self.store, self.ids, self.clock, SequentialSecrets()
        )
        draft = NewProductSession(price="book", anonymous=True)
        return await opening(draft, self.owner, ApiRequest(RequestId("req_session")))

    @property
    def session_status(self) -> str:
        (status,) = [state.status for state in self.store.states if isinstance(state, CheckoutSession)]
        return status

    def worker(self, *, store: MemoryStore | None = None, **options: object) -> Worker:
        store = store or self.store
        effects = effects_on(store, self.gateway, self.ids, self.clock, SequentialSecrets())
        settings = {"poll_seconds": 0.01, "random": lambda: 0.0, **options}
        news = news_on(store, self.gateway, self.ids, self.clock)
        retries = InboxRetries(store, news, self.clock, self.tries)
        deliver = DeliverEvent(self.sender, store, store, store, self.ids, self.clock)
        deliveries = Deliveries(store, deliver, self.clock, Metrics().deliveries)
        return Worker(
            store,
            store,
            store,
            effects,
            retries,
            deliveries,
            self.clock,
            **settings,  # type: ignore[arg-type]
        )

    async def drained(self, *, rounds: int) -> None:
        """As time goes by."""
        for _ in range(rounds):
            await self.worker().drain()
            self.clock.advance(timedelta(hours=1))

    @property
    def stripe_ids(self) -> list[str | None]:
        return [state.stripe_customer_id for state in self.store.states if isinstance(state, Customer)]

    @property
    def task(self) -> Task:
        (task,) = self.store.tasks
        return task


@pytest.fixture
async def world() -> World:
    return World()


def one_each(world: World, count: int) -> bool:
    """Every customer is known to the provider, once, and the books say so, once."""
    told = sorted(event.subject.id for event in world.store.events if event.type == "customer.updated")
    made = sorted(known.customer.customer_id for known in world.gateway.customers)
    ids = sorted(map(str, world.stripe_ids))
    return told == made and ids == sorted(known.id for known in world.gateway.customers) and len(ids) == count


async def test_each_customer_is_known_to_stripe_once(world: World) -> None:
    await world.customers(70)
    await world.worker().drain()
    assert one_each(world, 70)
    assert world.store.tasks == ()
    await world.worker().drain()
    assert len(world.gateway.calls) == 70


async def test_a_session_nobody_pays_ends_in_time_and_its_intent_with_it(world: World) -> None:
    await world.customers(0)
    session = await world.session()
    await world.worker().drain()
    assert world.session_status == "open"
    world.clock.advance(DAY)
    world.gateway.fail_next("before")
    await world.worker().drain()
    assert world.session_status == "expired"
    assert isinstance(world.task.effect, CancelPaymentIntent)
    world.clock.advance(timedelta(seconds=2))
    await world.worker().drain()
    assert world.store.tasks == ()
    assert session.payment_intent_id is not None
    intent = await world.gateway.payment_intent(session.payment_intent_id, livemode=False)
    assert intent.ending == "abandoned"


async def test_every_event_gets_its_number(world: World) -> None:
    await world.customers(3)
    await world.worker(batch=2).drain()
    test = [event.sequence for event in world.store.events if not event.livemode]
    assert test == list(range(1, len(test) + 1))


@pytest.mark.parametrize("attempts", [1, 2, 5, 11, 12, 20, 500])
def test_waits_twice_as_long_each_time_up_to_an_hour(attempts: int) -> None:
    longest = min(timedelta(seconds=2**attempts), timedelta(hours=1)) if attempts < 30 else timedelta(hours=1)
    assert next_try(attempts, 0.0) == longest
    assert next_try(attempts, 1.0) == longest / 2


async def test_a_failure_is_tried_again_later_and_not_before(world: World) -> None:
    await world.customers(1)
    world.gateway.fail_next("before")
    await world.worker().drain()
    assert world.task.last_error == "payment_provider_unavailable"
    assert world.task.due_at == world.clock.now() + timedelta(seconds=2)
    await world.worker().drain()
    assert len(world.gateway.calls) == 1
    world.clock.advance(timedelta(seconds=2))
    await world.worker().drain()
    assert one_each(world, 1)


@pytest.mark.parametrize("forgotten", [False, True])
async def test_stripe_had_acted_when_the_reply_was_lost(world: World, forgotten: bool) -> None:
    await world.customers(1)
    world.gateway.fail_next("after")
    await world.worker().drain()
    assert world.stripe_ids == [None]
    if forgotten:
        world.gateway.forget_keys()
        world.clock.advance(DAY)
    world.clock.advance(timedelta(minutes=1))
    await world.worker().drain()
    assert one_each(world, 1)


async def test_the_worker_died_after_stripe_had_acted(world: World) -> None:
    await world.customers(1)
    (task,) = await world.store.lease(1, world.clock.now(), timedelta(seconds=60))
    assert isinstance(task.effect, CreateStripeCustomer)
    await world.gateway.create_customer(
        task.effect,
        organization_id=task.organization_id,
        livemode=task.livemode,
        idempotency_key=f"customer:{task.effect.customer_id}",
    )
    await world.worker().drain()
    assert world.stripe_ids == [None]
    world.clock.advance(timedelta(seconds=61))
    await world.worker().drain()
    assert one_each(world, 1)


async def test_what_never_works_is_parked_and_kept(world: World) -> None:
    await world.customers(1)
    for _ in range(LAST_ATTEMPT + 5):
        world.gateway.fail_next("before")
    await world.drained(rounds=LAST_ATTEMPT - 1)
    assert world.task.parked_at is None
    await world.drained(rounds=6)
    assert world.task.parked_at is not None
    assert (world.task.attempts, world.task.last_error) == (LAST_ATTEMPT, "payment_provider_unavailable")
    assert len(world.gateway.calls) == LAST_ATTEMPT


async def test_what_stripe_refuses_for_good_is_parked_at_once(world: World) -> None:
    await world.customers(1)
    (known,) = [state for state in world.store.states if isinstance(state, Customer)]
    other = CreateStripeCustomer(known.id, "other", None, None)
    key = f"customer:{known.id}"
    await world.gateway.create_customer(
        other, organization_id=known.organization_id, livemode=False, idempotency_key=key
    )
    await world.worker().drain()
    assert (world.task.last_error, world.task.parked_at) == ("idempotency_error", world.clock.now())


async def test_without_a_provider_effects_wait_for_as_long_as_it_takes(world: World) -> None:
    world.gateway = MemoryGateway(modes=frozenset())
    await world.customers(1)
    await world.drained(rounds=LAST_ATTEMPT + 5)
    assert world.task.parked_at is None
    assert world.task.last_error == "payment_provider_not_configured"
    await world.worker().drain()
    assert world.task.due_at - world.clock.now() == timedelta(minutes=1)  # not long, once there is one
    assert world.task.attempts == 0
    world.gateway = MemoryGateway()
    world.clock.advance(timedelta(minutes=1))
    world.gateway.fail_next("before")
    await world.drained(rounds=2)
    assert one_each(world, 1)


async def kept_payments(world: World, count: int) -> None:
    """So many payments of a book that nobody can sell by now; then somebody can."""
    await world.customers(0)
    assert world.owner is not None
    apply = ApplyCatalog(world.store, world.store, world.ids, world.clock)
    process = ProcessPaymentIntent(world.store, world.gateway, world.store, world.ids, world.clock)
    sessions = [await world.session() for _ in range(count)]
    await apply(CatalogDocument(), world.owner, CAUSE)
    for number, session in enumerate(sessions):
        fact = world.gateway.succeed(session.payment_intent_id or "")
        cause = InboundEvent(f"evt_{number}", "x", session.organization_id, False, world.clock.now())
        assert (await process(StripeReported(fact, cause))).refusal == "no_default_pricing_model"
    await apply(
        CatalogDocument(pricing_models=(PricingModelEntry(slug="new", name="New", is_default=True),)),
        world.owner,
        CAUSE,
    )
    world.clock.advance(timedelta(minutes=1))


async def test_what_did_not_fit_is_tried_again_while_it_runs(world: World) -> None:
    await kept_payments(world, 20)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(world.worker().run(stop))
        await until(lambda: all(row.handled_at for row in world.store.inbox))
        stop.set()
    assert {row.attempts for row in world.store.inbox} == {2}
    told = [event.type for event in world.store.events]
    assert told.count("purchase.completed") == told.count("payment.succeeded") == 20


async def test_stopping_begins_no_more_tries(world: World) -> None:
    await kept_payments(world, 1)
    stop = asyncio.Event()
    stop.set()
    await world.worker().run(stop)
    news = news_on(world.store, world.gateway, world.ids, world.clock)
    retries = InboxRetries(world.store, news, world.clock, world.tries)
    assert await retries.run_due(stop) == 0
    assert [row.attempts for row in world.store.inbox] == [1]


async def test_a_try_that_breaks_off_is_made_again_later(world: World) -> None:
    await kept_payments(world, 1)

    class Broken(MemoryStore):
        async def commit(self, work: UnitOfWork) -> None:
            raise ConnectionError("the database is away")

    broken = Broken()
    news = news_on(broken, world.gateway, world.ids, world.clock)
    assert await InboxRetries(world.store, news, world.clock, world.tries).run_due() == 1
    await world.worker().drain()
    (row,) = world.store.inbox
    assert (row.attempts, row.handled_at) == (1, None)
    world.clock.advance(timedelta(minutes=1))
    await world.worker().drain()
    (row,) = world.store.inbox
    assert row.handled_at == world.clock.now()


async def test_two_workers_share_the_work(world: World) -> None:
    await world.customers(60)
    await asyncio.gather(world.worker(concurrency=7).drain(), world.worker(concurrency=7).drain())
    await world.worker().drain()
    assert one_each(world, 60)
    assert len(world.gateway.calls) == 60


class ShortLeases(MemoryStore):
    """Leases end as soon as they are given, so that every worker gets every task."""

    async def lease(self, limit: int, now: datetime, lease: timedelta) -> Sequence[Task]:
        return await super().lease(limit, now, timedelta(0))


async def test_a_task_that_two_workers_perform_is_done_once(world: World) -> None:
    world.store = ShortLeases()
    await world.customers(5)
    await asyncio.gather(*(world.worker().drain() for _ in range(4)))
    assert len(world.gateway.calls) > 5
    assert one_each(world, 5)
    assert world.store.tasks == ()


class Away(MemoryStore):
    """A database that does not answer a number of times."""

    failures = 3

    async def sequence(self, limit: int) -> int:
        self._answer()
        return await super().sequence(limit)

    async def lease(self, limit: int, now: datetime, lease: timedelta) -> Sequence[Task]:
        self._answer()
        return await super().lease(limit, now, lease)

    def _answer(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the database is away")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 (the store tells nobody)
            await asyncio.sleep(0.005)


async def test_a_database_that_is_away_for_a_while_does_not_end_it(world: World) -> None:
    world.store = Away()
    await world.customers(3)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(world.worker().run(stop))
        await until(lambda: one_each(world, 3))
        stop.set()
    assert not world.store.failures


async def test_a_nudge_wakes_it_for_all_there_is(world: World) -> None:
    stop, worker = asyncio.Event(), world.worker(poll_seconds=3600.0, batch=2)
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await asyncio.sleep(0.01)
        await world.customers(1)
        worker.nudge()
        await until(lambda: one_each(world, 1) and all(event.sequence for event in world.store.events))
        stop.set()


class Slow(MemoryGateway):
    """Does not answer before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.called = asyncio.Event()
        self.let = asyncio.Event()

    async def create_customer(self, *args: object, **named: object) -> str:
        self.called.set()
        await self.let.wait()
        return await super().create_customer(*args, **named)  # type: ignore[arg-type]


async def test_stopping_finishes_what_was_begun_and_begins_nothing(world: World) -> None:
    world.gateway = slow = Slow()
    await world.customers(3)
    stop = asyncio.Event()
    running = asyncio.create_task(world.worker(concurrency=1).run(stop))
    await slow.called.wait()
    stop.set()
    await asyncio.sleep(0.05)
    assert not running.done()
    slow.let.set()
    async with asyncio.timeout(5):
        await running
    assert len(slow.customers) == 1
    assert world.stripe_ids.count(None) == 2
    assert len(world.store.tasks) == 2


async def test_stopping_lets_go_of_what_takes_too_long_and_somebody_else_does_it(world: World) -> None:
    world.gateway = slow = Slow()
    await world.customers(1)
    stop = asyncio.Event()
    running = asyncio.create_task(world.worker(grace_seconds=0.02).run(stop))
    await slow.called.wait()
    stop.set()
    async with asyncio.timeout(5):
        await running
    assert (world.task.last_error, world.task.attempts) == ("interrupted", 0)
    slow.let.set()
    await world.worker().drain()  # at once, not when the lease would have ended
    assert one_each(world, 1)


async def test_what_takes_longer_than_its_lease_is_given_up(world: World) -> None:
    world.gateway = Slow()
    await world.customers(1)
    await world.worker(lease=timedelta(seconds=0.02)).drain()
    assert world.task.last_error == "TimeoutError"
    assert world.gateway.customers == []
