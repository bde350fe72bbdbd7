"""What happens at once ends as if it had happened one after the other, and money is booked once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import ChargeInvoice, CreateInvoiceIntent
from domain.errors import Rejected
from domain.intent import Attempt
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import NewPurchase, Purchase
from domain.setup import Setup
from domain.subscription import Subscription
from tests.application.promises import check_books
from tests.orders.shop import Ground, Shop

ROUNDS = 5


@pytest.fixture
async def shops(ground: tuple[str, Ground]) -> AsyncIterator[list[Shop]]:
    """Several, as one race may go well by chance; their books are checked at the end."""
    _, opened = ground
    several = [await opened() for _ in range(ROUNDS)]
    yield several
    for shop in several:
        check_books(await shop.inspect())


def set_up(session: CheckoutSession) -> str:
    assert session.setup_intent_id is not None
    return session.setup_intent_id


def intent(session: CheckoutSession) -> str:
    assert session.payment_intent_id is not None
    return session.payment_intent_id


async def told(shop: Shop) -> Counter[str]:
    return Counter(event.type for event in (await shop.inspect()).events)


async def test_of_two_upgrades_at_once_one_is_made_and_the_other_kept_with_its_reason(
    shops: list[Shop],
) -> None:
    for shop in shops:
        await shop.customer("ada")
        wanted = [await shop.session(price=price, customer="ada") for price in ("pro", "pro-trial")]
        facts = [shop.gateway.succeed_setup(set_up(session)) for session in wanted]
        booked = await asyncio.gather(*(shop.report(fact) for fact in facts))
        assert {one.refusal for one in booked} == {None, "already_subscribed"}
        held = [one for one in await shop.kept(Subscription) if one.status != "canceled"]
        assert [one.product_slug for one in held] == ["pro"]
        assert (await told(shop))["subscription.canceled"] == 1
        unhandled = [row for row in (await shop.inspect()).inbox if row.handled_at is None]
        assert [row.refusal for row in unhandled] == ["already_subscribed"]


async def test_a_setups_webhook_and_the_buyers_return_at_once_make_one_subscription(
    shops: list[Shop],
) -> None:
    for shop in shops:
        session = await shop.session(price="pro", customer_email="bob@example.test")
        fact = shop.gateway.succeed_setup(set_up(session))
        booked = await asyncio.gather(
            *(shop.report(fact) for _ in range(2)), *(shop.buyer_returns(session.id) for _ in range(3))
        )
        assert {one.session.status for one in booked if one.session} == {"succeeded"}
        kinds = (Customer, Setup, PaymentMethod, Purchase, Invoice)
        assert [len(await shop.kept(kind)) for kind in kinds] == [1, 1, 1, 1, 1]
        events = await told(shop)
        assert [events[once] for once in ("customer.created", "setup.succeeded", "invoice.created")] == [
            1
        ] * 3
        assert events["subscription.created"] == 2


@pytest.mark.parametrize("same_event", [True, False], ids=["redelivered", "told again"])
async def test_a_webhook_that_comes_ten_times_at_once_is_booked_once(
    shops: list[Shop], *, same_event: bool
) -> None:
    event_id = "evt_same" if same_event else None
    for shop in shops[:3]:
        session = await shop.session()
        fact = shop.gateway.succeed(intent(session))
        booked = await asyncio.gather(*(shop.report(fact, event_id) for _ in range(10)))
        assert {one.refusal for one in booked} == {None}
        kinds = (Customer, Payment, Purchase, Invoice)
        assert [len(await shop.kept(kind)) for kind in kinds] == [1, 1, 1, 1]
        events = await told(shop)
        once = ("customer.created", "payment.succeeded", "purchase.completed", "checkout_session.succeeded")
        assert [events[kind] for kind in once] == [1, 1, 1, 1]


async def test_of_two_sessions_that_pay_one_purchase_at_once_one_does_and_the_other_is_kept(
    shops: list[Shop],
) -> None:
    for shop in shops:
        await shop.customer("ada")
        made = await shop.make_purchase(
            NewPurchase(customer="ada", price="book", quantity=2), shop.auth, shop.request()
        )
        sessions = [await shop.open(type="purchase", purchase=made.id) for _ in range(2)]
        facts = [shop.gateway.succeed(intent(session)) for session in sessions]
        booked = await asyncio.gather(*(shop.report(fact) for fact in facts))
        assert {one.refusal for one in booked} == {None, "purchase_not_open"}
        (purchase,), (invoice,), (payment,) = (
            await shop.kept(Purchase), await shop.kept(Invoice), await shop.kept(Payment)
        )  # fmt: skip
        assert (purchase.status, invoice.amount_paid, payment.amount) == ("paid", 3000, 3000)
        (unhandled,) = [row for row in (await shop.inspect()).inbox if row.handled_at is None]
        assert unhandled.refusal == "purchase_not_open"


async def test_a_quantity_changed_while_the_payment_arrives_is_the_one_that_was_paid(
    shops: list[Shop],
) -> None:
    for shop in shops:
        session = await shop.session()
        fact = shop.gateway.succeed(intent(session))
        changed, booked = await asyncio.gather(
            shop.wants(session, 3), shop.report(fact), return_exceptions=True
        )
        assert isinstance(changed, Rejected)
        assert changed.code in ("checkout_session_not_open", "quantity_fixed")
        assert not isinstance(booked, BaseException)
        assert booked.refusal is None
        (purchase,), (stored,), (invoice,) = (
            await shop.kept(Purchase), await shop.kept(CheckoutSession), await shop.kept(Invoice)
        )  # fmt: skip
        assert (purchase.quantity, purchase.amount, purchase.status) == (1, 1500, "paid")
        assert (stored.quantity, stored.amount) == (1, 1500)
        assert [(line.quantity, line.amount) for line in invoice.lines] == [(1, 1500)]


async def test_of_refunds_at_once_never_more_goes_back_than_was_paid(shops: list[Shop]) -> None:
    for shop in shops:
        payment = await shop.paid()
        asked = await asyncio.gather(
            *(shop.refund(payment.id, 1000) for _ in range(2)), return_exceptions=True
        )
        (refused,) = [one for one in asked if isinstance(one, BaseException)]
        assert isinstance(refused, Rejected)
        assert refused.code == "refund_exceeds_payment"
        (after,), (invoice,) = await shop.kept(Payment), await shop.kept(Invoice)
        assert (after.refunded_amount, invoice.amount_refunded, invoice.status) == (
            1000, 1000, "partially_refunded",
        )  # fmt: skip
        assert sum(refund.amount for refund in shop.gateway.refunds_of(payment.payment_intent_id)) == 1000


async def test_workers_at_one_charge_make_one_intent_and_charge_it_once(shops: list[Shop]) -> None:
    """As after a lease that ran out while its worker was only slow."""
    for shop in shops:
        await shop.customer("ada")
        await shop.worker_drains()
        await shop.subscribed(customer="ada")
        for kind in (CreateInvoiceIntent, ChargeInvoice):
            (task,) = [one for one in (await shop.inspect()).tasks if isinstance(one.effect, kind)]
            done = await asyncio.gather(*(shop.effects(task) for _ in range(4)), return_exceptions=True)
            assert None in done
        (invoice,) = await shop.kept(Invoice)
        made = shop.gateway.made_for(invoice.id)
        assert [(fact.payment_intent_id, len(fact.attempts)) for fact in made] == [
            (invoice.payment_intent_id, 1)
        ]


async def test_a_decline_and_a_success_of_one_charge_at_once_leave_it_active(shops: list[Shop]) -> None:
    for shop in shops:
        await shop.customer("ada")
        await shop.subscribed(customer="ada")
        created = await shop.charge_as_made()
        declined = replace(created, attempts=(Attempt("ch_1", "failed", "card_declined", "Declined."),))
        paid = replace(created, attempts=(Attempt("ch_2", "succeeded"),), ending="succeeded")
        booked = await asyncio.gather(*(shop.report(fact) for fact in (declined, paid, created, declined)))
        assert {one.refusal for one in booked} == {None}
        (pro,) = [one for one in await shop.kept(Subscription) if one.product_slug == "pro"]
        assert (pro.status, pro.failure_code) == ("active", None)
        (payment,) = await shop.kept(Payment)
        assert [attempt.status for attempt in payment.attempts] == ["failed", "succeeded"]


async def test_overdue_periods_that_are_paid_at_once_leave_it_active(shops: list[Shop]) -> None:
    for shop in shops:
        await shop.customer("ada")
        await shop.subscribed(customer="ada")
        charges = [await shop.charge_as_made()]
        await shop.told(replace(charges[0], attempts=(Attempt("ch_0", "succeeded"),), ending="succeeded"))
        for _ in range(2):
            shop.clock.advance(timedelta(days=31))
            await shop.worker_drains()
            charges.append(await shop.charge_as_made())
        for number, charge in enumerate(charges[1:]):
            await shop.told(replace(charge, attempts=(Attempt(f"ch_{number}", "failed", "expired_card"),)))
        (pro,) = [one for one in await shop.kept(Subscription) if one.product_slug == "pro"]
        assert (pro.status, len(pro.overdue)) == ("past_due", 2)
        paid = [
            replace(charge, attempts=(Attempt(f"ch_paid{number}", "succeeded"),), ending="succeeded")
            for number, charge in enumerate(charges[1:])
        ]
        booked = await asyncio.gather(*(shop.report(fact) for fact in paid))
        assert {one.refusal for one in booked} == {None}
        (pro,) = [one for one in await shop.kept(Subscription) if one.product_slug == "pro"]
        assert (pro.status, pro.overdue) == ("active", ())
