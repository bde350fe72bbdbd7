"""What Stripe, or a person, may tell of one checkout."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

from msgspec.structs import replace

from domain.checkout import CheckoutSession
from domain.errors import Rejected
from domain.intent import Attempt
from domain.payment import PaymentFact
from domain.payment_method import StoredMethod
from domain.reversal import Dispute, Refund, ReversalFact
from domain.setup import SetupFact
from domain.subscription import Subscription
from tests.orders.shop import Shop

Told: TypeAlias = Callable[[Shop, CheckoutSession], Awaitable[None]]
"""One fact reaches us."""

DECLINED = Attempt("ch_1", "failed", "card_declined", "Your card was declined.")
PENDING = Attempt("ch_2", "pending")
PAID = Attempt("ch_2", "succeeded")
REFUND = Refund("re_1", 400, "succeeded", "re_1")
SENT_BACK = replace(REFUND, status="failed", failure_reason="lost_or_stolen_card")


def payment(**changes: object) -> Told:
    """Of the session's payment intent."""

    async def tell(shop: Shop, session: CheckoutSession) -> None:
        created = await shop.intent_as_made(session)
        await shop.told(replace(created, **changes))

    return tell


def setup(**changes: object) -> Told:
    """Of its setup intent."""

    async def tell(shop: Shop, session: CheckoutSession) -> None:
        created = await shop.setup_as_made(session)
        await shop.told(replace(created, **changes))

    return tell


async def _as_set_up(shop: Shop, session: CheckoutSession) -> SetupFact:
    return replace(
        await shop.setup_as_made(session),
        attempts=(Attempt("setatt_2", "succeeded"),),
        ending="succeeded",
        payment_method=StoredMethod(f"pm_{session.setup_intent_id}", "card", "visa", "4242", 12, 2034),
    )


async def set_up(shop: Shop, session: CheckoutSession) -> None:
    """The buyer has left a card."""
    await shop.told(await _as_set_up(shop, session))


async def _as_paid(shop: Shop, session: CheckoutSession) -> PaymentFact:
    return replace(await shop.intent_as_made(session), attempts=(PAID,), ending="succeeded")


async def buyer_returns(shop: Shop, session: CheckoutSession) -> None:
    """Stripe is asked, and says that they have done what they were asked for."""
    as_done = _as_paid if session.collects == "payment" else _as_set_up
    shop.gateway.put(await as_done(shop, session))
    assert (await shop.buyer_returns(session.id)).refusal is None


def charge(**changes: object) -> Told:
    """Of the payment intent by which the newest invoice is charged for."""

    async def tell(shop: Shop, session: CheckoutSession) -> None:
        await shop.told(replace(await shop.charge_as_made(), **changes))

    return tell


def reversal(refunds: tuple[Refund, ...] = (), disputes: tuple[Dispute, ...] = ()) -> Told:
    """Stripe is asked for the payment that it is about: by then that has succeeded."""

    async def tell(shop: Shop, session: CheckoutSession) -> None:
        paid = await _as_paid(shop, session)
        shop.gateway.put(paid)
        await shop.told(ReversalFact(paid.payment_intent_id, False, refunds, disputes))

    return tell


async def given_up(shop: Shop, session: CheckoutSession) -> None:
    """The buyer does not want what they have bought any more, from now on."""
    bought = [plan for plan in await shop.kept(Subscription) if plan.product_slug == "pro"]
    with suppress(Rejected):  # they have said so before
        await shop.cancel(bought[-1], "now")


async def seller_confirms(shop: Shop, session: CheckoutSession) -> None:
    """There is nothing to pay, and the application completes it."""
    await shop.confirm(session.id)


async def buyer_confirms(shop: Shop, session: CheckoutSession) -> None:
    """So does the buyer."""
    await shop.buyer_confirms(session)


PAYING: Mapping[str, Told] = {
    "created": payment(),
    "payment_failed": payment(attempts=(DECLINED,)),
    "processing": payment(attempts=(PENDING,)),
    "succeeded": payment(attempts=(PAID,), ending="succeeded"),
}
SETTING_UP: Mapping[str, Told] = {
    "setup created": setup(),
    "setup failed": setup(attempts=(Attempt("setatt_1", "failed", "card_declined", "Declined."),)),
    "setup processing": setup(attempts=(Attempt("setatt_2", "pending"),)),
    "setup succeeded": set_up,
}
CHARGING: Mapping[str, Told] = {
    "charge created": charge(),
    "charge failed": charge(attempts=(DECLINED,)),
    "charge succeeded": charge(attempts=(PAID,), ending="succeeded"),
}
