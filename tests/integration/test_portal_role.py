"""What the portal's role may do, for every table there is: read what is its buyer's own, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import PORTAL
from application.usage.track_usage import NewTrack
from domain.auth import Authenticated, Buyer, LetIn, SignedIn
from domain.customer import NewCustomer
from domain.entity import NewEntity
from domain.intake_payment import NewIntakePayment
from domain.intent import Attempt
from tests.contracts.test_portal_contract import sign_in
from tests.contracts.worlds import REQUEST, World, fact_of, set_up
from tests.databases import Database, connected
from tests.integration.test_tenants import RECORDS, ROUTING, tables, two_tenants

CUSTOMERS = ("countess", "countess-too", "bob", "nobodys")

OF_CUSTOMER = "customer_id = ANY ($1)"
SOLD = "pricing_model_id IN (SELECT pricing_model_id FROM counterfoil.customers WHERE id = ANY ($1))"
OF_ADDRESS = "user_id = $3 AND email_key = (SELECT email_key FROM counterfoil.users WHERE id = $3)"
READABLE = {
    "organizations": "organization_id = $2",
    "users": "id = $3",
    "customers": "id = ANY ($1)",
    "entities": OF_CUSTOMER,
    "payment_methods": OF_CUSTOMER,
    "subscriptions": OF_CUSTOMER,
    "subscription_items": "subscription_id IN "
    "(SELECT id FROM counterfoil.subscriptions WHERE customer_id = ANY ($1))",
    "checkout_sessions": OF_CUSTOMER,
    "purchases": OF_CUSTOMER,
    "invoices": OF_CUSTOMER,
    "intake_payments": OF_ADDRESS,
    "payments": f"{OF_CUSTOMER} OR intake_payment_id IN "
    f"(SELECT id FROM counterfoil.intake_payments WHERE {OF_ADDRESS})",
    "balances": OF_CUSTOMER,
    "balance_levels": "balance_id IN (SELECT id FROM counterfoil.balances WHERE customer_id = ANY ($1))",
    "features": "organization_id = $2 AND NOT livemode",
    "pricing_models": SOLD.replace("pricing_model_id IN", "id IN"),
    "products": SOLD,
    "prices": SOLD,
}
"""By table, which rows are a buyer's: of these customers ($1), of this organization in test mode ($2), of
this account ($3). All others are closed to the portal."""


async def _bought(world: World, auth: Authenticated, customer: str) -> None:
    """Something in every table that has rows of customers."""
    await world.track_usage(NewTrack(customer=customer, feature="seats"), auth, REQUEST)
    await world.create_entity(customer, NewEntity(entity_id="seat-1"), auth, REQUEST)
    session = await world.session(auth, customer=customer)
    paid = fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded")
    await world.report(paid, f"evt_{session.id}")
    subscribing = await world.session(auth, price="pro", customer=customer)
    await world.report(set_up(subscribing), f"evt_{subscribing.id}")


async def _asked_and_paid(world: World, auth: Authenticated, email: str) -> None:
    """Of an account, by e-mail: its payment is no customer's."""
    draft = NewIntakePayment(email=email, amount=2500, currency="usd", description="Consultation")
    asked = await world.ask_for_payment(draft, auth, REQUEST)
    assert asked.user_id is not None
    await world.report(world.gateway.succeed(asked.payment_intent_id or ""), f"evt_{asked.id}")


@asynccontextmanager
async def buyers(database: Database) -> AsyncIterator[tuple[World, dict[Buyer, list[str]]]]:
    """Ada with two customers, Bob with one, one who is nobody's, and all that other tenants have. By buyer,
    whose rows are theirs."""
    async with two_tenants(database) as (world, acme, _):
        ids = {}
        for name, person in zip(CUSTOMERS, ("ada", "ada", "bob", "nobody"), strict=True):
            draft = NewCustomer(external_id=name, email=f"{person}@example.com")
            ids[name] = (await world.create_customer(draft, acme, REQUEST)).record.customer.id
            await _bought(world, acme, name)
        came = [await sign_in(world, acme, f"{name}@example.com") for name in ("ada", "bob")]
        ada, bob = (one.session.buyer for one in came)
        org = acme.organization_id
        for name in ("ada", "bob"):
            await _asked_and_paid(world, acme, f"{name}@example.com")
        yield (
            world,
            {
                ada: [ids["countess"], ids["countess-too"]],
                bob: [ids["bob"]],
                LetIn(ids["nobodys"], org, livemode=False): [ids["nobodys"]],
                LetIn(ids["countess"], org, livemode=False): [ids["countess"]],
            },
        )


async def _enter(connection: PoolConnectionProxy, buyer: Buyer) -> None:
    user = buyer.user_id if isinstance(buyer, SignedIn) else None
    customer = buyer.customer_id if isinstance(buyer, LetIn) else None
    await connection.execute(
        "SELECT enter_as_buyer($1, $2, $3, $4)", buyer.organization_id, buyer.livemode, user, customer
    )


async def test_the_portal_reads_what_is_its_buyers_own_in_every_table(fresh_database: Database) -> None:
    async with (
        buyers(fresh_database) as (_, whose),
        connected(fresh_database.admin_dsn) as admin,
        open_pool(fresh_database.service_dsn, PORTAL) as pool,
        pool.acquire() as connection,
    ):
        for buyer, customers in whose.items():
            user = buyer.user_id if isinstance(buyer, SignedIn) else None
            for name in sorted(await tables(admin) - RECORDS):
                async with connection.transaction():
                    await _enter(connection, buyer)
                    if name not in READABLE:
                        with pytest.raises(asyncpg.InsufficientPrivilegeError):
                            async with connection.transaction():
                                await connection.fetch(f"SELECT * FROM {name}")
                        continue
                    seen = {str(dict(row)) for row in await connection.fetch(f"SELECT * FROM {name}")}
                theirs = await admin.fetch(
                    f"WITH given AS (SELECT $1::text[], $2::text, $3::text) "
                    f"SELECT * FROM counterfoil.{name} WHERE {READABLE[name]}",
                    customers,
                    buyer.organization_id,
                    user,
                )
                assert seen == {str(dict(row)) for row in theirs}, (buyer, name)
                of_account = name in ("users", "intake_payments") and user is None
                assert seen or of_account, f"nothing of theirs in {name}"


async def test_without_a_buyer_the_portal_sees_no_row_of_any_table(fresh_database: Database) -> None:
    async with (
        buyers(fresh_database) as (_, whose),
        open_pool(fresh_database.service_dsn, PORTAL) as pool,
        pool.acquire() as connection,
    ):
        organization_id = next(iter(whose)).organization_id
        for name in READABLE:
            assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0, name
            async with connection.transaction():
                await connection.execute("SELECT enter($1, false)", organization_id)
                assert await connection.fetchval(f"SELECT count(*) FROM {name}") == 0, name


async def test_a_buyer_of_another_organization_or_mode_sees_no_row_of_any_table(
    fresh_database: Database,
) -> None:
    async with (
        buyers(fresh_database) as (world, whose),
        open_pool(fresh_database.service_dsn, PORTAL) as pool,
        pool.acquire() as connection,
    ):
        seller = await world.store.seller("other")
        assert seller is not None
        for buyer in whose:
            for organization_id, livemode in ((seller.organization_id, False), (buyer.organization_id, True)):
                kind = type(buyer)
                who = buyer.user_id if isinstance(buyer, SignedIn) else buyer.customer_id
                elsewhere = kind(who, organization_id, livemode)  # type: ignore[arg-type]  # as `buyer` has it
                for name in READABLE:
                    async with connection.transaction():
                        await _enter(connection, elsewhere)
                        count = await connection.fetchval(f"SELECT count(*) FROM {name}")
                    assert count == 0, (elsewhere, name)


async def test_the_portal_writes_nothing_into_any_table(fresh_database: Database) -> None:
    async with (
        buyers(fresh_database) as (_, whose),
        connected(fresh_database.admin_dsn) as admin,
        open_pool(fresh_database.service_dsn, PORTAL) as pool,
        pool.acquire() as connection,
    ):
        buyer = next(iter(whose))
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("UPDATE customers SET name = name")
        await connection.execute("SET default_transaction_read_only = off")  # nor where it may try
        for name in sorted(await tables(admin) | ROUTING):
            column = await admin.fetchval(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 LIMIT 1",
                f"counterfoil.{name}",
            )
            for statement in (
                f"INSERT INTO {name} SELECT * FROM {name}",
                f"UPDATE {name} SET {column} = {column}",
                f"DELETE FROM {name}",
            ):
                async with connection.transaction():
                    await _enter(connection, buyer)
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        async with connection.transaction():
                            await connection.execute(statement)
