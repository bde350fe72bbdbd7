"""What is asked of people by e-mail, and whose it is, on every store."""

import asyncio

import pytest
from msgspec.structs import replace

from application.ports import IntakeFilter
from domain.auth import Authenticated
from domain.change import Change
from domain.customer import NewCustomer
from domain.errors import Conflict, Rejected
from domain.events import Event
from domain.ids import IntakePaymentId, UserId
from domain.intake_payment import IntakePayment, NewIntakePayment
from domain.payment import Payment
from domain.text import email_key
from domain.user import User
from tests.contracts.worlds import REQUEST, World


async def ask(world: World, auth: Authenticated, email: str = "bob@example.test") -> IntakePayment:
    draft = NewIntakePayment(email=email, amount=2500, currency="usd", description="Consultation")
    return await world.ask_for_payment(draft, auth, REQUEST)


async def paid(world: World, asked: IntakePayment) -> Payment:
    assert asked.payment_intent_id is not None
    booked = await world.report(world.gateway.succeed(asked.payment_intent_id), f"evt_{asked.id}")
    assert booked.asked is not None
    auth = Authenticated(UserId(""), asked.organization_id, asked.livemode)
    assert booked.asked.payment_id is not None
    record = await world.store.payment(auth, booked.asked.payment_id)
    assert record is not None
    return record.payment


async def user(
    world: World,
    auth: Authenticated,
    email: str,
    *,
    proven: bool = True,
    external_id: str | None = None,
) -> User:
    now = world.clock.now()
    work = world.work(auth)
    made = User(
        id=world.ids.new(UserId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        external_id=external_id,
        email=email,
        email_key=email_key(email),
        email_verified_at=now if proven else None,
        name=None,
        stripe_customer_id=None,
        stripe_customer_created_at=None,
        created_at=now,
    )
    work.record(Change(made, (Event("user.created"),)))
    await world.store.commit(work)
    found = await world.store.user_in_books(auth, made.id)
    assert found is not None
    return found


async def pays_for_a_course(world: World, auth: Authenticated, external_id: str) -> Payment:
    session = await world.session(auth, customer=external_id)
    assert session.payment_intent_id is not None
    await world.report(world.gateway.succeed(session.payment_intent_id), f"evt_{session.id}")
    (newest, *_) = await world.store.payments(auth, 1)
    return newest


async def test_it_is_read_as_it_was_stored_and_by_nobody_else(world: World) -> None:
    auth = await world.organization()
    known = await user(world, auth, "bob@example.test")
    asked = await ask(world, auth, "Bob@Example.test")
    record = await world.store.intake_payment(auth, asked.id)
    assert record is not None
    assert record.asked == asked
    assert record.user is not None
    assert (record.user.id, record.user.stripe_customer_id) == (known.id, asked.stripe_customer_id)
    for stranger in (await world.organization("other"), replace(auth, livemode=True)):
        assert await world.store.intake_payment(stranger, asked.id) is None
        assert await world.store.intake_payments(stranger, IntakeFilter(), 10) == []
    assert await world.store.intake_payment(auth, IntakePaymentId("intake_none")) is None


async def test_who_has_proven_an_address_has_it_in_any_spelling_and_here_alone(world: World) -> None:
    auth, other = await world.organization(), await world.organization("other")
    assert await world.store.user_of_email(auth, "bob@example.test") is None
    claims = await user(world, auth, "bob@example.test", proven=False)
    assert await world.store.user_of_email(auth, "BOB@example.test") == claims
    proven = await user(world, auth, "bob@example.test")
    assert await world.store.user_of_email(auth, "BOB@example.test") == proven
    for stranger in (other, replace(auth, livemode=True)):
        assert await world.store.user_of_email(stranger, "bob@example.test") is None


async def test_paid_it_comes_back_with_its_payment(world: World) -> None:
    auth = await world.organization()
    asked = await ask(world, auth)
    payment = await paid(world, asked)
    assert (payment.intake_payment_id, payment.customer_id) == (asked.id, None)
    record = await world.store.intake_payment(auth, asked.id)
    assert record is not None
    assert (record.asked.status, record.asked.payment_id) == ("succeeded", payment.id)
    assert record.user is None


async def test_its_page_shows_the_seller_and_the_last_refusal_to_whoever_has_its_id(world: World) -> None:
    auth = await world.organization()
    await user(world, auth, "bob@example.test")
    asked = await ask(world, auth)
    bill = await world.store.bill(asked.id)
    assert bill is not None
    assert (bill.asked, bill.seller, bill.payment, bill.refusal) == (asked, "acme", None, None)
    assert asked.payment_intent_id is not None
    await world.report(world.gateway.fail(asked.payment_intent_id))
    bill = await world.store.bill(asked.id)
    assert bill is not None
    assert bill.refusal == "The payment failed: card_declined."
    assert await world.store.bill(IntakePaymentId("intake_none")) is None


async def test_what_a_return_is_decided_on_is_found_by_the_id_alone(world: World) -> None:
    auth = await world.organization()
    asked = await ask(world, auth)
    context = await world.store.intake_return_context(asked.id)
    assert context is not None
    assert (context.intake, context.completing, context.payment) == (asked, asked.id, None)
    payment = await paid(world, asked)
    context = await world.store.intake_return_context(asked.id)
    assert context is not None
    assert context.payment == payment
    assert await world.store.intake_return_context(IntakePaymentId("intake_none")) is None


async def test_what_a_fact_is_decided_on(world: World) -> None:
    auth = await world.organization()
    asked, other = await ask(world, auth), await ask(world, auth)
    assert asked.payment_intent_id is not None
    fact = await world.gateway.payment_intent(asked.payment_intent_id, livemode=False)
    context = await world.store.fact_context(fact, "evt_1")
    assert (context.intake, context.completing, context.session) == (asked, asked.id, None)
    context = await world.store.fact_context(replace(fact, intake_payment_id=other.id), "evt_1")
    assert (context.intake, context.completing) == (other, asked.id)
    stranger = await world.organization("other")
    foreign = replace(fact, organization_id=stranger.organization_id)
    assert (await world.store.fact_context(foreign, "evt_1")).intake is None
    assert (await world.store.fact_context(replace(fact, livemode=True), "evt_1")).intake is None


async def test_pages_are_newest_first_and_leave_nothing_out(world: World) -> None:
    auth = await world.organization()
    everything = [(await ask(world, auth)).id for _ in range(5)][::-1]
    seen: list[IntakePaymentId] = []
    for size in (2, 2, 1, 0):
        page = await world.store.intake_payments(auth, IntakeFilter(), 2, seen[-1] if seen else None)
        assert len(page) == size
        seen += [asked.id for asked in page]
    assert seen == everything


async def test_of_one_user_one_address_one_status_and_all_of_it_together(world: World) -> None:
    auth = await world.organization()
    bob = await user(world, auth, "bob@example.test", external_id="bob")
    asked = [await ask(world, auth, email) for email in ("bob@example.test", "eve@example.test") * 3]
    for one in asked[:3]:
        await paid(world, one)

    async def found(**wanted: object) -> list[int]:
        page = await world.store.intake_payments(auth, IntakeFilter(**wanted), 10)  # type: ignore[arg-type]
        ids = [one.id for one in asked]
        return [ids.index(one.id) for one in page]

    assert await found(user=bob.id) == await found(user="bob") == [4, 2, 0]
    assert await found(email="EVE@example.test") == [5, 3, 1]
    assert await found(status="succeeded") == [2, 1, 0]
    assert await found(user="bob", status="open") == [4]
    assert await found(user="bob", email="eve@example.test") == []
    assert await found(email="eve@example.test", status="succeeded") == [1]
    rest = await world.store.intake_payments(auth, IntakeFilter(user="bob"), 10, asked[4].id)
    assert [one.id for one in rest] == [asked[2].id, asked[0].id]


async def test_of_nobody_nothing_is_listed_and_that_is_said(world: World) -> None:
    auth, other = await world.organization(), await world.organization("other")
    bob = await user(world, other, "bob@example.test", external_id="bob")
    for reference in ("bob", bob.id, "usr_1", ""):
        with pytest.raises(Rejected) as refused:
            await world.store.intake_payments(auth, IntakeFilter(user=reference), 10)
        assert (refused.value.code, refused.value.field) == ("user_not_found", "user")
        with pytest.raises(Rejected) as refused:
            await world.store.payments(auth, 10, user=reference)
        assert (refused.value.code, refused.value.field) == ("user_not_found", "user")


async def test_a_users_payments_are_those_of_their_customers_and_what_was_asked_of_them(world: World) -> None:
    auth = await world.organization()
    bob = await user(world, auth, "bob@example.test", external_id="bob")
    for name in ("bob-1", "bob-2"):
        await world.create_customer(NewCustomer(external_id=name, user_id=bob.id), auth, REQUEST)
    late = await ask(world, auth)
    theirs = [
        await pays_for_a_course(world, auth, "bob-1"),
        await paid(world, await ask(world, auth)),
        await pays_for_a_course(world, auth, "bob-2"),
        await pays_for_a_course(world, auth, "bob-1"),
        await paid(world, late),
    ]
    await world.customer(auth, "eve")
    await pays_for_a_course(world, auth, "eve")
    await paid(world, await ask(world, auth, "eve@example.test"))
    wanted = [payment.id for payment in reversed(theirs)]
    for reference in (bob.id, "bob"):
        assert [one.id for one in await world.store.payments(auth, 10, user=reference)] == wanted
    seen: list[str] = []
    for size in (2, 2, 1, 0):
        before = wanted[len(seen) - 1] if seen else None
        page = await world.store.payments(auth, 2, before, user="bob")
        assert len(page) == size
        seen += [one.id for one in page]
    assert seen == wanted
    assert await world.store.payments(replace(auth, livemode=True), 10) == []


async def test_one_intent_pays_one_intake_payment(world: World) -> None:
    auth = await world.organization()
    asked, other = await ask(world, auth), await ask(world, auth)
    work = world.work(auth)
    taken = replace(other, payment_intent_id=asked.payment_intent_id)
    work.record(Change(taken, (Event("intake_payment.updated"),), other))
    with pytest.raises(Conflict):
        await world.store.commit(work)


async def test_paid_and_taken_back_at_once_it_is_paid(world: World) -> None:
    auth = await world.organization()
    asked = await ask(world, auth)
    assert asked.payment_intent_id is not None
    fact = world.gateway.succeed(asked.payment_intent_id)
    takes_back = [world.cancel_intake_payment(asked.id, auth, REQUEST) for _ in range(3)]
    tells = [world.report(fact, f"evt_{number}") for number in range(3)]
    outcomes = await asyncio.gather(*takes_back, *tells, return_exceptions=True)
    refused = {one.code for one in outcomes if isinstance(one, Exception)}  # type: ignore[attr-defined]
    assert refused <= {"intake_payment_not_open"}
    record = await world.store.intake_payment(auth, asked.id)
    assert record is not None
    assert record.asked.status == "succeeded"
    told = [event.type for event in await world.events(auth) if event.subject.id == asked.id]
    assert told.count("intake_payment.succeeded") == 1
    assert told.count("intake_payment.canceled") <= 1


async def test_twenty_asked_at_once_of_a_user_have_one_stripe_customer(world: World) -> None:
    auth = await world.organization()
    bob = await user(world, auth, "bob@example.test")
    asked = await asyncio.gather(*(ask(world, auth) for _ in range(20)))
    after = await world.store.user_in_books(auth, bob.id)
    assert after is not None
    assert {one.stripe_customer_id for one in asked} == {after.stripe_customer_id}
    assert len({one.payment_intent_id for one in asked}) == 20


async def test_a_customer_who_is_deleted_takes_nothing_from_what_was_asked_of_their_address(
    world: World,
) -> None:
    """An intake payment is no customer's: it stays as it is, with its payment, its events and its reply."""
    auth = await world.organization()
    draft = NewCustomer(external_id="bob", email="bob@example.test")
    await world.create_customer(draft, auth, REQUEST)
    asked = await ask(world, auth)
    payment = await paid(world, asked)
    before = await world.store.intake_payment(auth, asked.id)
    theirs = {asked.id, payment.id}
    told = [event for event in await world.events(auth) if event.subject.id in theirs]
    await world.delete_customer("bob", auth, REQUEST)
    assert await world.store.intake_payment(auth, asked.id) == before
    record = await world.store.payment(auth, payment.id)
    assert record is not None
    assert record.payment == payment
    assert [event for event in await world.events(auth) if event.subject.id in theirs] == told
