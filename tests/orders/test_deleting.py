"""A customer is deleted, before, while and after Stripe tells of what they do; on every store."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import CreateStripeCustomer, DeleteStripeCustomer
from domain.errors import DomainError, NotFound, Rejected, Unavailable
from domain.invoice import BilledTo, Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription
from tests.application.promises import check_books
from tests.orders.shop import Ground, Shop

EMAIL = "ada@example.test"


@pytest.fixture
async def shop(ground: tuple[str, Ground]) -> AsyncIterator[Shop]:
    """With Ada in it; its books are checked at the end."""
    _, opened = ground
    shop = await opened()
    await shop.customer("ada", email=EMAIL, name="Ada")
    yield shop
    check_books(await shop.inspect())


async def deleted(shop: Shop, *, in_stripe: bool = False) -> Customer:
    gone = await shop.delete_customer("ada", shop.auth, shop.request(), in_stripe=in_stripe)
    (customer,) = [known for known in await shop.kept(Customer) if known.id == gone.id]
    assert customer.deleted_at == gone.deleted_at
    return customer


def intent(session: CheckoutSession) -> str:
    assert session.payment_intent_id is not None
    return session.payment_intent_id


async def test_what_identifies_them_is_gone_and_what_they_have_ends(shop: Shop) -> None:
    asked = await shop.session(customer="ada", metadata={"who": "ada"})
    subscribed = await shop.subscribed(customer="ada")
    await shop.settle()
    (before,) = await shop.kept(Customer)
    after = await deleted(shop)
    assert (after.external_id, after.email, after.email_key, after.name) == (None, None, None, None)
    assert (after.stripe_customer_id, after.version) == (before.stripe_customer_id, before.version + 1)
    sessions = {session.id: session for session in await shop.kept(CheckoutSession)}
    assert (sessions[asked.id].status, sessions[asked.id].metadata) == ("expired", {})
    assert sessions[subscribed.id].customer_email is None
    plans = await shop.kept(Subscription)
    assert {(plan.status, plan.cancellation_reason) for plan in plans} == {
        ("canceled", "replaced"),
        ("canceled", "customer_deleted"),
    }
    assert [invoice.billed_to for invoice in await shop.kept(Invoice)] == [BilledTo()]
    assert [(kept.brand, kept.last4) for kept in await shop.kept(PaymentMethod)] == [(None, None)]
    told = Counter(event.type for event in (await shop.inspect()).events)
    assert (told["customer.deleted"], told["checkout_session.expired"]) == (1, 1)
    await shop.settle()


async def test_they_are_found_by_nothing_and_what_they_were_called_is_free(shop: Shop) -> None:
    before = await deleted(shop)
    for reference in ("ada", before.id):
        assert await shop.store.customer(shop.auth, reference) is None
        with pytest.raises(NotFound):
            await shop.delete_customer(reference, shop.auth, shop.request())
        with pytest.raises(Rejected, match="customer"):
            await shop.session(customer=reference)
        with pytest.raises(Rejected):
            await shop.store.payments(shop.auth, 10, customer=reference)
    again = await shop.customer("ada", email=EMAIL)
    assert again.created
    assert again.record.customer.id != before.id


async def test_a_late_payment_is_booked_to_nobody_by_name(shop: Shop) -> None:
    await shop.worker_drains()
    sessions = [await shop.session(customer="ada") for _ in range(2)]
    await shop.report(shop.gateway.process(intent(sessions[0])))
    gone = await deleted(shop)
    for session in sessions:
        booked = await shop.report(shop.gateway.succeed(intent(session), receipt_email=EMAIL))
        assert booked.refusal is None
        assert booked.session is not None
        assert (booked.session.status, booked.session.customer_id) == ("succeeded", gone.id)
    assert [invoice.billed_to for invoice in await shop.kept(Invoice)] == [BilledTo(), BilledTo()]
    assert [payment.status for payment in await shop.kept(Payment)] == ["succeeded", "succeeded"]
    await shop.settle()
    (record, _) = await shop.store.payments(shop.auth, 2)
    refund = shop.gateway.refund(record.payment_intent_id, 100)
    assert (await shop.report(refund)).refusal is None
    assert (await shop.payment(record.id)).payment.refunded_amount == 100


async def test_what_does_not_fit_is_kept_without_their_address(shop: Shop) -> None:
    session = await shop.session(customer="ada")
    await deleted(shop)
    fact = shop.gateway.succeed(intent(session), receipt_email=EMAIL)
    assert (await shop.report(replace(fact, amount=1))).refusal == "amount_mismatch"
    (kept,) = await shop.store.kept(shop.auth, 10)
    assert EMAIL not in str(kept)


async def test_nobody_subscribes_for_who_is_gone(shop: Shop) -> None:
    session = await shop.session(customer="ada", price="pro")
    await deleted(shop)
    booked = await shop.report(shop.gateway.succeed_setup(session.setup_intent_id or ""))
    assert booked.refusal == "customer_deleted"
    assert all(plan.status == "canceled" for plan in await shop.kept(Subscription))


async def test_what_is_begun_at_the_same_time_ends_too_or_is_not_begun(shop: Shop) -> None:
    outcomes = await asyncio.gather(
        *(shop.session(customer="ada") for _ in range(4)),
        deleted(shop),
        *(shop.session(customer="ada") for _ in range(4)),
        return_exceptions=True,
    )
    for outcome in outcomes:
        assert not isinstance(outcome, BaseException) or isinstance(outcome, DomainError), outcome
    assert {session.status for session in await shop.kept(CheckoutSession)} <= {"expired"}
    assert all(session.customer_email is None for session in await shop.kept(CheckoutSession))


async def test_deleting_at_once_is_done_once(shop: Shop) -> None:
    gone = await asyncio.gather(*(deleted(shop) for _ in range(5)), return_exceptions=True)
    assert [type(one) for one in gone if isinstance(one, Exception)] == [NotFound] * 4
    told = Counter(event.type for event in (await shop.inspect()).events)
    assert told["customer.deleted"] == 1


async def test_stripe_forgets_them_where_that_is_asked(shop: Shop) -> None:
    await shop.worker_drains()
    await deleted(shop, in_stripe=True)
    await shop.worker_drains()
    (known,) = shop.gateway.customers[-1:]
    assert known.deleted
    told = Counter(event.type for event in (await shop.inspect()).events)
    assert told["customer.stripe_deletion_requested"] == 1


async def test_stripe_keeps_them_where_it_is_not(shop: Shop) -> None:
    await shop.worker_drains()
    await deleted(shop)
    await shop.worker_drains()
    assert not shop.gateway.customers[-1].deleted


async def test_who_is_deleted_before_stripe_hears_of_them_is_not_made_there(shop: Shop) -> None:
    known = len(shop.gateway.customers)
    await deleted(shop, in_stripe=True)
    shop.clock.advance(timedelta(minutes=10))
    await shop.worker_drains()
    assert len(shop.gateway.customers) == known
    kinds = [type(task.effect) for task in (await shop.inspect()).tasks]
    assert CreateStripeCustomer not in kinds
    assert DeleteStripeCustomer not in kinds


async def test_who_is_being_made_at_stripe_meanwhile_is_forgotten_there(shop: Shop) -> None:
    (task,) = [
        task
        for task in await shop.worker_store.lease(100, shop.clock.now(), timedelta(minutes=1))
        if isinstance(task.effect, CreateStripeCustomer)
    ]
    shop.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await shop.perform(task)
    await deleted(shop, in_stripe=True)
    await shop.perform(task)
    shop.clock.advance(timedelta(minutes=10))
    await shop.worker_drains()
    assert shop.gateway.customers[-1].deleted
