"""What stands before anything is told of a checkout: the session is opened."""

from collections.abc import Awaitable, Callable

from domain.checkout import CheckoutSession
from domain.purchase import NewPurchase
from domain.subscription import Subscription
from tests.orders.shop import Shop


def opens(**draft: object) -> Callable[[Shop], Awaitable[CheckoutSession]]:
    """A session of this draft; a customer is known to Stripe before."""

    async def begin(shop: Shop) -> CheckoutSession:
        if "customer" in draft:
            await shop.customer("ada")
            await shop.worker_drains()
        return await shop.session(**draft)

    return begin


async def purchase_made(shop: Shop) -> CheckoutSession:
    """An application has made the purchase."""
    await shop.customer("ada")
    made = await shop.make_purchase(
        NewPurchase(customer="ada", price="book", quantity=2), shop.auth, shop.request()
    )
    return await shop.open(type="purchase", purchase=made.id)


async def wants_two_after_all(shop: Shop) -> CheckoutSession:
    """The buyer was asked for one, and wants two."""
    return await shop.wants(await shop.session(), 2)


async def card_to_be_kept(shop: Shop) -> CheckoutSession:
    """For all subscriptions."""
    await shop.customer("ada")
    return await shop.open(type="add_payment_method", customer="ada", all_subscriptions=True)


async def not_charged_yet(shop: Shop) -> CheckoutSession:
    """The first charge is declined, though we may not have heard of it yet, and the buyer brings another
    card."""
    await shop.customer("ada")
    first = await shop.session(price="pro", customer="ada")
    assert first.setup_intent_id is not None
    left = shop.gateway.succeed_setup(first.setup_intent_id)
    assert left.payment_method is not None
    shop.gateway.declines[left.payment_method.stripe_payment_method_id] = "insufficient_funds"
    await shop.report(left)
    await shop.worker_drains()
    subscription = (await shop.kept(Subscription))[-1]
    return await shop.open(type="activate_subscription", subscription=subscription.id)
