"""The books are held against Stripe: what is found, whose it is, and what becomes of it, on both stores."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from msgspec.structs import replace

from adapters.memory.known import KnownCustomer
from application.ports import CustomerAtStripe, Period
from domain.auth import Authenticated
from domain.catalog_document import CatalogDocument
from domain.checkout import CheckoutSession
from domain.effects import CreateStripeCustomer
from domain.errors import Unavailable
from domain.ids import CheckoutSessionId, CustomerId, OrganizationId
from domain.intake_payment import NewIntakePayment
from domain.intent import Attempt
from entrypoints.findings import Finding
from entrypoints.reconcile_reading import Run, Wanted
from tests.contracts.worlds import CATALOG, REQUEST, World, fact_of, inbound, set_up


def run_of(
    world: World, *, apply: bool = True, only: OrganizationId | None = None, livemode: bool = False
) -> Run:
    now = world.clock.now()
    period = Period(now - timedelta(days=1), now + timedelta(seconds=1))
    return Run(Wanted(period, livemode, only, apply, pause_seconds=0))


async def found(
    world: World, *, apply: bool = True, only: OrganizationId | None = None, livemode: bool = False
) -> list[Finding]:
    run = run_of(world, apply=apply, only=only, livemode=livemode)
    return [finding async for finding in world.reconciliation(run)]


async def paid(world: World, auth: Authenticated, *, by_event: bool = True) -> CheckoutSession:
    """Somebody has paid, and our webhook was not told; nor can Stripe's events be asked, if they are gone."""
    session = await world.session(auth)
    assert session.payment_intent_id is not None
    intent = world.gateway.succeed(session.payment_intent_id)
    if by_event:
        world.gateway.happens(intent, world.clock.now())
    return session


async def status(world: World, auth: Authenticated, id: CheckoutSessionId) -> str:
    session = await world.store.session(auth, id)
    assert session is not None
    return session.status


async def test_a_plan_changes_nothing_and_is_what_is_applied(world: World) -> None:
    acme = await world.organization()
    session = await paid(world, acme)
    before = await world.events(acme)
    (planned, again) = await found(world, apply=False)
    assert (planned.kind, planned.outcome, planned.mends) == ("missing", "found", True)
    assert (planned.id, planned.stripe_id) == (session.id, session.payment_intent_id)
    assert again.stripe_id == planned.stripe_id  # the event, and the intent itself
    assert await world.events(acme) == before
    assert [finding.outcome for finding in await found(world)] == ["applied"]
    assert await status(world, acme, session.id) == "succeeded"
    assert await found(world) == []


async def test_what_is_another_organizations_or_modes_is_left_alone(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    live = replace(other, livemode=True)
    await world.apply_catalog(CATALOG, live, REQUEST)
    mine, theirs, lives = [await paid(world, auth) for auth in (acme, other, live)]
    stranger = replace(fact_of(mine), payment_intent_id="pi_elsewhere", organization_id="org_elsewhere")
    world.gateway.put(stranger)
    assert theirs.payment_intent_id is not None
    world.gateway.refund(theirs.payment_intent_id, 100)
    bobs = CreateStripeCustomer(CustomerId("cus_bob"), None, None, None)
    world.gateway.customers.append(KnownCustomer("cus_stripe", False, other.organization_id, bobs))
    assert {finding.id for finding in await found(world, only=acme.organization_id)} == {mine.id}
    assert await status(world, other, theirs.id) == "open"
    assert {finding.id for finding in await found(world)} == {theirs.id, "cus_bob"}
    assert await status(world, live, lives.id) == "open"
    assert {finding.id for finding in await found(world, livemode=True)} == {lives.id}


async def test_what_another_application_sells_in_the_same_account_is_left_alone_and_not_asked_for(
    world: World,
) -> None:
    acme = await world.organization()
    session = await paid(world, acme)
    await found(world)
    unmarked = replace(fact_of(session), payment_intent_id="pi_theirs", organization_id=None)
    stranger = replace(unmarked, checkout_session_id=None)
    world.gateway.put(stranger)
    world.gateway.happens(world.gateway.succeed("pi_theirs"), world.clock.now())
    world.gateway.happens(world.gateway.refund("pi_theirs", 100), world.clock.now())
    before, asked = await world.events(acme), len(world.gateway.calls)
    assert await found(world) == []
    assert await world.events(acme) == before
    assert "payment_intent" not in [call.name for call in world.gateway.calls[asked:]]
    assert await world.worker_store.unhandled(10) == []


async def test_what_was_canceled_at_stripe_is_open_no_longer(world: World) -> None:
    acme = await world.organization()
    buying, subscribing = await world.session(acme), await world.session(acme, price="pro")
    assert buying.payment_intent_id is not None
    assert subscribing.setup_intent_id is not None
    world.gateway.cancel(buying.payment_intent_id)
    world.gateway.cancel_setup(subscribing.setup_intent_id)
    assert {(one.id, one.outcome) for one in await found(world)} == {
        (buying.id, "applied"),
        (subscribing.id, "applied"),
    }
    assert {await status(world, acme, one.id) for one in (buying, subscribing)} == {"failed"}
    assert await found(world) == []


async def test_events_are_booked_as_they_happened(world: World) -> None:
    acme = await world.organization()
    sessions = [await paid(world, acme) for _ in range(3)]
    world.gateway.page_size = 1
    assert [finding.id for finding in await found(world)] == [session.id for session in sessions]


async def test_what_is_booked_already_is_no_news_though_it_would_not_fit_now(world: World) -> None:
    acme = await world.organization()
    await world.customer(acme)
    session = await world.session(acme, price="pro", customer="ada")
    assert session.setup_intent_id is not None
    await world.report(world.gateway.succeed_setup(session.setup_intent_id))
    await world.delete_customer("ada", acme, REQUEST)
    assert await found(world) == []


async def test_an_event_that_was_handled_is_not_looked_at_again(world: World) -> None:
    acme = await world.organization()
    buying, subscribing = await world.session(acme), await world.session(acme, price="pro")
    compare = world.reconciliation.compare
    pending = fact_of(buying, Attempt("ch_1", "pending"))
    await world.report(pending, "evt_1")
    assert await compare(replace(pending, ending="succeeded"), inbound(pending, "evt_1")) is None
    left = set_up(subscribing)
    await world.report(left, "evt_2")
    asked = len(world.gateway.calls)
    assert await compare(replace(left, payment_method=None), inbound(left, "evt_2")) is None
    assert len(world.gateway.calls) == asked


async def test_runs_at_once_and_the_late_webhook_book_it_once(world: World) -> None:
    acme = await world.organization()
    session = await paid(world, acme)
    assert session.payment_intent_id is not None
    intent = await world.gateway.payment_intent(session.payment_intent_id, livemode=False)
    await asyncio.gather(found(world), found(world), world.report(intent, "evt_memory1"), found(world))
    await world.report(intent, "evt_late")
    told = Counter(await world.event_types(acme))
    assert (told["payment.succeeded"], told["customer.created"]) == (1, 1)
    assert await found(world) == []


async def test_what_does_not_fit_waits_in_the_inbox_once_until_it_fits(world: World) -> None:
    acme = await world.organization()
    session = await paid(world, acme)
    await world.apply_catalog(CatalogDocument(), acme, REQUEST)
    (finding,) = await found(world)
    assert (finding.kind, finding.outcome, finding.code) == (
        "does_not_fit",
        "kept",
        "no_default_pricing_model",
    )
    assert await found(world) == []
    (row,) = await world.worker_store.unhandled(10)
    assert row.id == "evt_memory1"
    await world.apply_catalog(CATALOG, acme, REQUEST)
    assert await world.retries.retry(row) is None
    assert await status(world, acme, session.id) == "succeeded"
    assert await found(world) == []


async def test_what_is_kept_of_a_customer_who_is_deleted_is_still_known(world: World) -> None:
    """Without the address that Stripe goes on telling."""
    acme = await world.organization()
    await world.customer(acme)
    session = await world.session(acme, customer="ada")
    assert session.payment_intent_id is not None
    paid = world.gateway.succeed(session.payment_intent_id, receipt_email="ada@example.test")
    world.gateway.put(replace(paid, amount=1))
    assert [finding.outcome for finding in await found(world)] == ["kept"]
    await world.delete_customer("ada", acme, REQUEST)
    assert await found(world) == []


async def test_an_intent_that_was_made_while_we_died_is_booked(world: World) -> None:
    """It is at Stripe, and its id was never stored."""
    acme = await world.organization()
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await world.session(acme)
    (intent,) = (
        await world.gateway.history("payment_intent", run_of(world).wanted.period, livemode=False)
    ).told
    world.gateway.succeed(intent.object_id)
    assert [finding.outcome for finding in await found(world)] == ["applied"]
    (payment,) = await world.store.payments(acme, 10)
    assert (payment.payment_intent_id, payment.status) == (intent.object_id, "succeeded")
    assert await found(world) == []


async def test_what_was_open_for_longer_than_is_looked_back_is_asked_for(world: World) -> None:
    acme = await world.organization()
    session = await paid(world, acme)
    world.clock.advance(timedelta(hours=30))
    waiting = await world.store.unsettled(acme, 10)
    assert [(row.id, row.intent_id, row.collects) for row in waiting] == [
        (session.id, session.payment_intent_id, "payment")
    ]
    assert [finding.outcome for finding in await found(world)] == ["applied"]
    assert await world.store.unsettled(acme, 10) == []


async def test_a_refund_in_the_dashboard_is_found(world: World) -> None:
    acme = await world.organization()
    session = await paid(world, acme)
    await found(world)
    assert session.payment_intent_id is not None
    world.gateway.refund(session.payment_intent_id, 500)
    (finding,) = await found(world)
    assert (finding.kind, finding.outcome, finding.id) == ("missing", "applied", session.id)
    assert [row.refunded_amount for row in await world.store.payments(acme, 1)] == [500]
    assert await found(world) == []


async def test_what_was_asked_by_email_and_paid_is_found(world: World) -> None:
    acme = await world.organization()
    draft = NewIntakePayment(email="bob@example.test", amount=500, currency="usd", description="A ride")
    asked = await world.ask_for_payment(draft, acme, REQUEST)
    assert asked.payment_intent_id is not None
    (waiting,) = await world.store.unsettled(acme, 10)
    assert (waiting.id, waiting.intent_id) == (asked.id, asked.payment_intent_id)
    world.gateway.succeed(asked.payment_intent_id)
    (finding,) = await found(world)
    assert (finding.kind, finding.outcome, finding.id) == ("missing", "applied", asked.id)
    assert await found(world) == []
    assert await world.store.unsettled(acme, 10) == []


async def test_customers_deleted_at_stripe_and_orphans_are_reported_only(world: World) -> None:
    acme = await world.organization()
    known = (await world.customer(acme)).record.customer
    for task in await world.lease():
        await world.effects(task)
    customer = await world.store.customer_in_books(acme, known.id)
    assert customer is not None
    assert customer.stripe_customer_id is not None
    assert await found(world) == []
    await world.gateway.delete_customer(customer.stripe_customer_id, livemode=False)
    gone = CustomerAtStripe(
        customer.stripe_customer_id, False, acme.organization_id, customer.id, deleted=True
    )
    world.gateway.happens(gone, world.clock.now())
    session = await world.session(acme)
    missing = replace(fact_of(session), livemode=True)
    world.gateway.put(missing)
    reported = {(one.kind, one.id): one for one in await found(world)}
    assert set(reported) == {("deleted_at_stripe", customer.id), ("not_at_stripe", session.id)}
    assert not any(one.mends for one in reported.values())
    assert {one.outcome for one in reported.values()} == {"found"}
    assert await world.store.customer_in_books(acme, customer.id) == customer


async def test_a_stripe_customer_of_nobody_is_reported(world: World) -> None:
    acme = await world.organization()
    known = (await world.customer(acme)).record.customer
    for task in await world.lease():
        await world.effects(task)
    world.gateway.customers.append(replace(world.gateway.customers[-1], id="cus_double"))
    (finding,) = await found(world)
    assert (finding.kind, finding.id, finding.stripe_id) == ("customer_of_nobody", known.id, "cus_double")


async def test_what_is_found_before_stripe_fails_is_booked_and_the_rest_by_the_next_run(world: World) -> None:
    acme = await world.organization()
    sessions = [await paid(world, acme, by_event=False) for _ in range(3)]
    world.gateway.page_size = 1
    run, applied = run_of(world), []
    with pytest.raises(Unavailable):
        async for finding in world.reconciliation(run):
            applied.append(finding.outcome)
            world.gateway.fail_next("before")
    assert applied == ["applied"]
    assert len(await found(world)) == 2
    assert await found(world) == []
    assert {await status(world, acme, session.id) for session in sessions} == {"succeeded"}


async def test_a_run_that_is_stopped_leaves_the_rest_to_the_next(world: World) -> None:
    acme = await world.organization()
    for _ in range(3):
        await paid(world, acme)
    run = run_of(world)
    async for _ in world.reconciliation(run):
        run.stop.set()
    assert len(await world.store.payments(acme, 10)) == 1
    assert len(await found(world)) == 2
    assert await found(world) == []


async def test_a_mode_without_stripe_says_so(world: World) -> None:
    await world.organization()
    world.gateway._modes = frozenset({False})
    with pytest.raises(Unavailable, match="no provider for this mode"):
        await found(world, livemode=True)


async def test_organizations_are_known_to_the_worker(world: World) -> None:
    ids = [(await world.organization(slug)).organization_id for slug in ("acme", "other", "third")]
    assert list(await world.worker_store.organization_ids()) == sorted(ids)


async def test_what_waits_is_read_by_pages(world: World) -> None:
    acme = await world.organization()
    sessions = [await world.session(acme, price=price) for price in ("course", "pro", "course")]
    first = await world.store.unsettled(acme, 2)
    rest = await world.store.unsettled(acme, 2, first[-1].id)
    assert [row.id for row in (*first, *rest)] == sorted(session.id for session in sessions)
    assert {row.collects for row in (*first, *rest)} == {"payment", "payment_method"}
    assert await world.store.unsettled(replace(acme, livemode=True), 10) == []


async def test_a_round_is_made_by_one_of_those_who_come_at_once(world: World) -> None:
    now, hour = world.clock.now(), timedelta(hours=1)

    async def takers(name: str, at: int) -> int:
        moment = now + at * hour
        store = world.worker_store
        return sum(await asyncio.gather(*(store.take_round(name, moment, moment + hour) for _ in range(8))))

    assert [await takers("one", at) for at in (0, 0, 1, 3)] == [1, 0, 1, 1]
    assert await world.worker_store.take_round("one", now + 3.5 * hour, now + 9 * hour) is False
    assert await takers("one", 4) == 1  # who came too early put nothing off
    assert await takers("another", 0) == 1
