"""Of a customer who is deleted nothing is left that names them, in any table; of anybody else, everything."""

import asyncpg
import msgspec
import pytest

from adapters.postgres.pool import open_pool
from adapters.postgres.roles import APP, WORKER
from adapters.postgres.store import PostgresStore
from adapters.system import TypeIds
from application.causes import ApiRequest
from application.idempotency import IdempotencyKey, Reply
from application.organizations.update_organization import OrganizationChanges
from application.payments.refund_payment import RefundAsked
from application.ports import Sent
from application.usage.track_usage import NewTrack
from application.views import view_of
from domain.address import Address
from domain.auth import Authenticated
from domain.checkout import CheckoutSession, NewPaymentMethodSession, NewProductSession
from domain.customer import CustomerRecord, NewCustomer
from domain.customer_changes import CustomerChanges
from domain.entity import NewEntity
from domain.granting import NewGrant
from domain.ids import RequestId
from domain.intent import Attempt
from domain.portal import Seller
from domain.reversal import NewRefund
from domain.webhook_endpoint import NewWebhookEndpoint
from tests.contracts.worlds import COMMAND, World, fact_of, set_up
from tests.databases import Database, connected

MARKER = "zelda"
EMAIL = "Zelda.Marker@Example.test"
ADDRESS = Address(country="NL", line1="Zeldastraat 1")


def request(key: str) -> ApiRequest:
    """A named one, whose reply is kept."""

    def encode(result: object) -> Reply:
        state = getattr(result, "record", getattr(result, "entity", result))
        shown = state.customer if isinstance(state, CustomerRecord) else state
        return Reply(201, msgspec.json.encode(view_of(shown)).decode())  # type: ignore[arg-type]

    return ApiRequest(RequestId("req_1"), IdempotencyKey("POST /v1/x", key, "f" * 64, encode))


async def everywhere(world: World, auth: Authenticated) -> CustomerRecord:
    """Zelda in every flow: made, changed, paying, refunded, subscribed, billed, and in what does not fit."""
    draft = NewCustomer(
        external_id="zelda",
        email=EMAIL,
        name="Zelda Marker",
        metadata={"nick": "zelda"},
        billing_address=ADDRESS,
    )
    found = await world.create_customer(draft, auth, request("customer"))
    changes = CustomerChanges(external_id="zelda2", name="Zelda M", fingerprint="fp-zelda")
    await world.update_customer("zelda", changes, auth, ApiRequest(RequestId("req_2")))
    paid = await session(world, auth, "course", "paid")
    succeeded = fact_of(paid, Attempt("ch_1", "succeeded"), ending="succeeded")
    await world.report(msgspec.structs.replace(succeeded, receipt_email=EMAIL), "evt_paid")
    unfitting = msgspec.structs.replace(succeeded, receipt_email=EMAIL, amount=1)
    await world.report(unfitting, "evt_unfitting")
    nobodys = msgspec.structs.replace(unfitting, checkout_session_id=None)
    await world.report(nobodys, "evt_nobodys")
    subscribed = await session(world, auth, "pro", "subscribed")
    await world.report(set_up(subscribed), "evt_set_up")
    card = NewPaymentMethodSession(customer="zelda2", customer_email=EMAIL, customer_name="Zelda")
    await world.open_checkout_session(card, auth, request("card"))
    (payment,) = await world.store.payments(auth, 1)
    world.gateway.succeed(payment.payment_intent_id)
    note = NewRefund(amount=100, metadata={"for": "zelda"})
    await world.refund_payment(RefundAsked(payment.id, note, auth, ApiRequest(RequestId("req_3"))))
    await session(world, auth, "course", "open")
    gift = NewGrant(customer="zelda2", feature="seats", amount=5)
    await world.grant_balance(gift, auth, ApiRequest(RequestId("req_5")))
    seat = NewEntity(entity_id="zelda-desk", name="Zelda's desk", feature="seats")
    await world.create_entity("zelda2", seat, auth, request("entity"))
    used = NewTrack(customer="zelda2", feature="seats", idempotency_key="zelda-1")
    await world.track_usage(used, auth, ApiRequest(RequestId("req_4")))
    seller = Seller(auth.organization_id, "acme")
    await world.ask_for_access(
        EMAIL, "at home", seller, ApiRequest(RequestId("req_6")), livemode=auth.livemode
    )
    for _ in range(2):
        link = await world.make_portal_link("zelda2", auth)
    await world.use_portal_link(link.secret, seller, livemode=auth.livemode)
    return found.record


async def told(world: World, auth: Authenticated) -> None:
    """An endpoint is told of all of it, and answers with what it has been told."""
    await world.create_webhook_endpoint(
        NewWebhookEndpoint(url="https://example.test"), auth, ApiRequest(RequestId("req_8"))
    )
    await world.events(auth)
    world.sender.answers = lambda _, event: Sent(200, None, 1, f"{event.data.object}")
    while await world.deliveries.begin_due():
        await world.deliveries.finish()


async def session(world: World, auth: Authenticated, price: str, key: str) -> CheckoutSession:
    draft = NewProductSession(
        price=price,
        customer="zelda2",
        customer_email=EMAIL,
        customer_name="Zelda",
        billing_address=ADDRESS,
        success_url="https://shop.test/thanks?who=zelda",
        cancel_url="https://shop.test/back?who=zelda",
        metadata={"who": "zelda"},
    )
    return await world.open_checkout_session(draft, auth, request(key))


async def named_in(database: Database, marker: str) -> dict[str, list[str]]:
    """Every row of every table that has the marker in it, by table."""
    async with connected(database.admin_dsn) as admin:
        tables = await admin.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'counterfoil'::regnamespace AND relkind = 'r'"
        )
        found = {}
        for table in (row["relname"] for row in tables):
            rows = await admin.fetch(
                f"SELECT t::text AS row FROM counterfoil.{table} t WHERE position($1 IN lower(t::text)) > 0",
                marker,
            )
            if rows:
                found[table] = [row["row"] for row in rows]
        return found


async def test_nothing_in_any_table_names_a_deleted_customer(fresh_database: Database) -> None:
    async with (
        open_pool(fresh_database.service_dsn, APP) as app,
        open_pool(fresh_database.service_dsn, WORKER) as worker,
    ):
        world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
        auth = await world.organization()
        await world.update_organization(OrganizationChanges(sends_receipts=True), auth, COMMAND)
        record = await everywhere(world, auth)
        await told(world, auth)
        other = NewCustomer(external_id="other", email="other@example.test", name="Other")
        await world.create_customer(other, auth, request("other"))
        before = await named_in(fresh_database, MARKER)
        assert set(before) == {
            "customers",
            "access_requests",
            "checkout_sessions",
            "entities",
            "usages",
            "invoices",
            "payments",
            "events",
            "tasks",
            "kept_replies",
            "inbound_events",
            "delivery_attempts",
        }
        others = await named_in(fresh_database, "other@example.test")
        await world.delete_customer(record.customer.id, auth, ApiRequest(RequestId("req_4")))
        assert await named_in(fresh_database, MARKER) == {}
        assert await named_in(fresh_database, "other@example.test") == others


async def test_no_role_redacts_but_through_its_own_tenants_rows(fresh_database: Database) -> None:
    """The function acts as the owner; what it sees is what its caller has entered."""
    async with (
        open_pool(fresh_database.service_dsn, APP) as app,
        open_pool(fresh_database.service_dsn, WORKER) as worker,
    ):
        world = World(PostgresStore(app), PostgresStore(worker), TypeIds())
        acme, other = await world.organization(), await world.organization("other")
        made = (await world.create_customer(NewCustomer(external_id="zelda"), other, request("c"))).record
        async with app.acquire() as connection, connection.transaction():
            await connection.execute("SELECT enter($1, false)", acme.organization_id)
            await connection.execute(
                "SELECT redact_customer($1, false, $2, NULL, NULL)",
                other.organization_id,
                made.customer.id,
            )
        assert "events" in await named_in(fresh_database, MARKER)
        async with app.acquire() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("UPDATE events SET data = '{}'")
