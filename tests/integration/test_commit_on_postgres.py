"""What only a real database can show of the commit: order among those under way, and nobody kept waiting."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest

from adapters.memory.gateway import MemoryGateway
from adapters.memory.secrets import SequentialSecrets
from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.checkout.open_checkout_session import OpenCheckoutSession
from application.customers.create_stripe_customer import CreateCustomerAtStripe
from application.payments.news import BuyerReturned
from application.payments.process_payment_intent import ProcessPaymentIntent
from domain.checkout import CheckoutSession, NewProductSession
from domain.checkout_progress import Intent
from domain.effects import CreateStripeCustomer
from domain.errors import Unavailable
from domain.intent import Attempt
from domain.payment import PaymentFact
from tests.contracts.worlds import REQUEST, World, fact_of
from tests.databases import Database, connected


@pytest.fixture
async def world(fresh_database: Database) -> AsyncIterator[World]:
    async with (
        open_pool(fresh_database.service_dsn, APP) as app,
        open_pool(fresh_database.service_dsn, WORKER) as worker,
    ):
        yield World(PostgresStore(app), PostgresStore(worker), TypeIds())


async def test_an_event_waits_for_those_that_may_still_come_before_it(
    world: World, fresh_database: Database
) -> None:
    auth = await world.organization()
    start = len(await world.events(auth))
    async with connected(fresh_database.admin_dsn) as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(
            "INSERT INTO counterfoil.events (organization_id, livemode, id, type, occurred_at, subject_type, "
            "subject_id, data, actor, correlation_id, hash, position) VALUES ($1, false, 'evt_slow', "
            """'customer.updated', now(), 'customer', 'cus_slow', '{"object": {}}', '{"type": "worker"}', """
            "'c', 'h', 1)",
            auth.organization_id,
        )
        await world.customer(auth)  # commits, while an older transaction is still under way
        assert await world.events(auth, after=start) == []
        await transaction.commit()
    assert await world.event_types(auth, after=start) == [
        "customer.updated",
        "customer.created",
        "subscription.created",
        "subscription_item.created",
        "balance.granted",
    ]


async def test_events_restored_from_another_server_get_their_number(
    world: World, fresh_database: Database
) -> None:
    auth = await world.organization()
    async with connected(fresh_database.admin_dsn) as admin:
        await admin.execute("UPDATE counterfoil.events SET transaction_id = '4611686018427387904'")
    events = await world.events(auth)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events


class WatchingGateway(MemoryGateway):
    """Each time it is asked it counts the transactions that are open in the database."""

    def __init__(self, admin_dsn: str) -> None:
        super().__init__()
        self._admin_dsn = admin_dsn
        self.seen: list[tuple[str, int]] = []

    async def create_customer(self, customer: CreateStripeCustomer, **options: Any) -> str:
        await self._look("create_customer")
        return await super().create_customer(customer, **options)

    async def create_intent(self, session: CheckoutSession, *options: Any, **named: Any) -> Intent:
        await self._look("create_intent")
        return await super().create_intent(session, *options, **named)

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        await self._look("payment_intent")
        return await super().payment_intent(id, livemode=livemode)

    async def _look(self, call: str) -> None:
        async with connected(self._admin_dsn) as admin:
            transactions = await admin.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        self.seen.append((call, transactions))


async def test_no_transaction_is_open_while_stripe_is_asked(world: World, fresh_database: Database) -> None:
    auth = await world.organization()
    gateway = WatchingGateway(fresh_database.admin_dsn)
    store, worker = world.store, world.worker_store
    draft = NewProductSession(price="course", anonymous=True)
    opening = OpenCheckoutSession(store, gateway, store, world.ids, world.clock, SequentialSecrets())
    session = await opening(draft, auth, REQUEST)
    gateway.succeed(session.payment_intent_id or "")
    process = ProcessPaymentIntent(store, gateway, store, world.ids, world.clock)
    assert (await process(BuyerReturned(session.id, REQUEST))).session is not None
    (task,) = [task for task in await world.lease() if isinstance(task.effect, CreateStripeCustomer)]
    assert isinstance(task.effect, CreateStripeCustomer)
    await CreateCustomerAtStripe(worker, gateway, worker, world.ids, world.clock)(task.effect, task)
    assert gateway.seen == [("create_intent", 0), ("payment_intent", 0), ("create_customer", 0)]


async def test_what_could_not_be_handled_is_kept_with_its_reason_and_counted(
    world: World, fresh_database: Database
) -> None:
    auth = await world.organization()
    fact = fact_of(await world.session(auth), Attempt("ch_1", "succeeded"), ending="succeeded")
    wrong = msgspec.structs.replace(fact, amount=1)
    assert (await world.report(wrong)).refusal == "amount_mismatch"
    assert (await world.report(wrong)).refusal == "amount_mismatch"
    async with connected(fresh_database.admin_dsn) as admin:
        row = await admin.fetchrow("SELECT * FROM counterfoil.inbound_events")
    assert row is not None
    assert (row["handled_at"], row["refusal"], row["attempts"]) == (None, "amount_mismatch", 2)
    assert "1 usd" in row["reason"]
    assert msgspec.json.decode(row["fact"], type=type(wrong)) == wrong
    assert (await world.report(fact)).refusal is None
    async with connected(fresh_database.admin_dsn) as admin:
        row = await admin.fetchrow("SELECT * FROM counterfoil.inbound_events")
    assert row is not None
    assert row["handled_at"] is not None
    assert (row["refusal"], row["fact"], row["attempts"]) == (None, None, 3)


async def test_a_lost_connection_is_told_as_such_and_the_next_one_works(
    world: World, fresh_database: Database
) -> None:
    auth = await world.organization()
    async with connected(fresh_database.admin_dsn) as admin:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("LOCK TABLE counterfoil.customers")
        asked = asyncio.create_task(world.customer(auth))
        while not await admin.fetchval(  # noqa: ASYNC110  (only the database knows when)
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="does not answer"):
            await asked
        await transaction.rollback()
    assert (await world.customer(auth)).created


async def test_a_unit_of_another_tenant_cannot_be_smuggled_into_a_commit(
    world: World, fresh_database: Database
) -> None:
    auth, other = await world.organization(), await world.organization("other")
    ada = (await world.customer(auth)).record.customer
    row = msgspec.to_builtins(msgspec.structs.replace(ada, id="cus_smuggled", external_id="eve"))
    part = {"organization_id": other.organization_id, "livemode": False}
    async with open_pool(fresh_database.service_dsn, APP) as pool:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await pool.fetchval(
                "SELECT commit_work($1)",
                msgspec.json.encode({"parts": [{**part, "new": {"customers": [row]}}]}).decode(),
            )
