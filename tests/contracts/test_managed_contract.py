"""What is read of subscriptions for whoever changes them: what is theirs, nobody else's; on every store."""

from domain.auth import Authenticated
from domain.cancellation import NewCancellation
from domain.charging import AllCurrent
from domain.checkout import NewPaymentMethodSession
from domain.customer import Customer
from domain.ids import CustomerId, PaymentMethodId, SubscriptionId
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription
from tests.contracts.worlds import REQUEST, World, set_up

NO_SUBSCRIPTION = SubscriptionId("sub_00000000000000000000000000")
NO_METHOD = PaymentMethodId("pmeth_00000000000000000000000000")
NOBODY = CustomerId("cus_00000000000000000000000000")


async def buyer(world: World, auth: Authenticated, name: str = "ada") -> Customer:
    """Somebody who has taken a plan that is not paid for yet, in place of the free one, and another card."""
    customer = (await world.customer(auth, name)).record.customer
    session = await world.session(auth, price="pro", customer=name)
    assert (await world.report(set_up(session), f"evt_{session.id}")).refusal is None
    added = await world.open_checkout_session(NewPaymentMethodSession(customer=name), auth, REQUEST)
    assert (await world.report(set_up(added), f"evt_{added.id}")).refusal is None
    return customer


async def plans(world: World, auth: Authenticated, customer: Customer) -> list[Subscription]:
    """All that they have ever had, newest first."""
    found = await world.store.subscriptions(auth, 100, customer=customer.id)
    return [record.subscription for record in found]


async def cards(world: World, auth: Authenticated, customer: Customer) -> tuple[PaymentMethod, ...]:
    """Newest first."""
    overview = await world.store.billing_overview(auth, customer.id, world.clock.now())
    assert overview is not None
    return overview.payment_methods


async def test_one_with_its_items_what_is_owed_for_it_and_the_card_that_is_named(world: World) -> None:
    auth = await world.organization()
    ada, _ = await buyer(world, auth), await buyer(world, auth, "bob")
    pro, free = await plans(world, auth, ada)
    newest, first = await cards(world, auth, ada)
    found = await world.store.managed_context(auth, pro.id, newest.id)
    assert found is not None
    (record,) = found.subscriptions
    assert record == await world.store.subscription(auth, pro.id)
    assert (record.subscription.payment_method_id, found.payment_method) == (first.id, newest)
    (owed,) = found.owed
    assert (owed.invoice.subscription_id, owed.invoice.amount_due) == (pro.id, 4900)
    assert owed.purchase is not None
    assert owed.purchase.id == owed.invoice.purchase_id
    ended = await world.store.managed_context(auth, free.id)
    assert ended is not None
    assert [one.subscription.status for one in ended.subscriptions] == ["canceled"]
    assert (ended.owed, ended.payment_method) == ((), None)


async def test_what_is_paid_or_void_is_owed_no_more(world: World) -> None:
    auth = await world.organization()
    for name, is_paid in (("ada", True), ("bob", False)):
        customer = await buyer(world, auth, name)
        (pro, *_) = await plans(world, auth, customer)
        found = await world.store.managed_context(auth, pro.id)
        assert found is not None
        (owed,) = found.owed
        if is_paid:
            made = await world.gateway.create_invoice_intent(owed.invoice, "cus_at_stripe", owed.invoice.id)
            assert (await world.report(world.gateway.succeed(made.id), "evt_paid")).refusal is None
        else:
            await world.cancel_subscription(pro.id, NewCancellation(), auth, REQUEST)
        found = await world.store.managed_context(auth, pro.id)
        assert found is not None
        assert found.owed == ()


async def test_all_that_are_current_of_a_customer_in_the_order_of_ids(world: World) -> None:
    auth = await world.organization()
    ada, bob = await buyer(world, auth), await buyer(world, auth, "bob")
    found = await world.store.managed_context(auth, AllCurrent(ada.id), NO_METHOD)
    assert found is not None
    assert [record.subscription for record in found.subscriptions] == (await plans(world, auth, ada))[:1]
    assert [one.invoice.customer_id for one in found.owed] == [ada.id]
    assert found.payment_method is None
    await world.delete_customer("bob", auth, REQUEST)
    for nobody in (bob.id, NOBODY):
        assert await world.store.managed_context(auth, AllCurrent(nobody)) is None


async def test_who_has_nothing_has_nothing(world: World) -> None:
    auth = await world.organization()
    ada = (await world.customer(auth)).record.customer
    (free,) = await plans(world, auth, ada)
    await world.cancel_subscription(free.id, NewCancellation(at="now"), auth, REQUEST)
    found = await world.store.managed_context(auth, AllCurrent(ada.id))
    assert found is not None
    assert (found.subscriptions, found.owed) == ((), ())


async def test_nothing_of_another_organization_or_mode_is_there(world: World) -> None:
    auth, other = await world.organization(), await world.organization("other")
    ada = await buyer(world, auth)
    (pro, *_) = await plans(world, auth, ada)
    (card, *_) = await cards(world, auth, ada)
    eve = await buyer(world, other, "eve")
    (mine, *_) = await plans(world, other, eve)
    live = Authenticated(auth.user_id, auth.organization_id, livemode=True)
    for stranger in (other, live):
        assert await world.store.managed_context(stranger, pro.id, card.id) is None
        assert await world.store.managed_context(stranger, AllCurrent(ada.id), card.id) is None
    assert await world.store.managed_context(auth, NO_SUBSCRIPTION) is None
    found = await world.store.managed_context(other, mine.id, card.id)
    assert found is not None
    assert found.payment_method is None
