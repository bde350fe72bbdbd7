"""What Stripe, or a person, may tell of one checkout, in an order in which it might have happened."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from domain.checkout import CheckoutSession
from domain.intent import Attempt
from domain.payment import PaymentFact
from domain.payment_method import StoredMethod
from domain.purchase import NewPurchase
from domain.reversal import Dispute, Refund, ReversalFact
from domain.setup import SetupFact
from domain.subscription import Subscription
from tests.orders.shop import Shop

Told: TypeAlias = Callable[[Shop, CheckoutSession], Awaitable[None]]
"""One fact reaches us."""


class Flow(Struct, frozen=True):
    """`begin` opens the session that all of it is about. A fact cannot be told before those that it is
    `after`. `deciding`: what the end does not hang on may be lost."""

    name: str
    begin: Callable[[Shop], Awaitable[CheckoutSession]]
    facts: Mapping[str, Told]
    deciding: frozenset[str]
    after: Mapping[str, str] = {}


def _payment(**changes: object) -> Told:
    async def tell(shop: Shop, session: CheckoutSession) -> None:
        created = await shop.intent_as_made(session)
        await shop.told(replace(created, **changes))

    return tell


def _setup(**changes: object) -> Told:
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


async def _set_up(shop: Shop, session: CheckoutSession) -> None:
    await shop.told(await _as_set_up(shop, session))


async def _as_paid(shop: Shop, session: CheckoutSession) -> PaymentFact:
    return replace(await shop.intent_as_made(session), attempts=(PAID,), ending="succeeded")


async def _buyer_returns(shop: Shop, session: CheckoutSession) -> None:
    """Stripe is asked, and says that they have done what they were asked for."""
    as_done = _as_paid if session.collects == "payment" else _as_set_up
    shop.gateway.put(await as_done(shop, session))
    assert (await shop.buyer_returns(session.id)).refusal is None


def _charge(**changes: object) -> Told:
    """Of the payment intent by which the newest invoice is charged for."""

    async def tell(shop: Shop, session: CheckoutSession) -> None:
        await shop.told(replace(await shop.charge_as_made(), **changes))

    return tell


def _reversal(refunds: tuple[Refund, ...] = (), disputes: tuple[Dispute, ...] = ()) -> Told:
    """Stripe is asked for the payment that it is about: by then that has succeeded."""

    async def tell(shop: Shop, session: CheckoutSession) -> None:
        paid = await _as_paid(shop, session)
        shop.gateway.put(paid)
        await shop.told(ReversalFact(paid.payment_intent_id, False, refunds, disputes))

    return tell


async def _seller_confirms(shop: Shop, session: CheckoutSession) -> None:
    await shop.confirm(session.id)


async def _buyer_confirms(shop: Shop, session: CheckoutSession) -> None:
    await shop.buyer_confirms(session)


def _opens(**draft: object) -> Callable[[Shop], Awaitable[CheckoutSession]]:
    async def begin(shop: Shop) -> CheckoutSession:
        if "customer" in draft:
            await shop.customer("ada")
            await shop.worker_drains()
        return await shop.session(**draft)

    return begin


async def _purchase_made(shop: Shop) -> CheckoutSession:
    await shop.customer("ada")
    made = await shop.make_purchase(
        NewPurchase(customer="ada", price="book", quantity=2), shop.auth, shop.request()
    )
    return await shop.open(type="purchase", purchase=made.id)


async def _wants_two_after_all(shop: Shop) -> CheckoutSession:
    return await shop.wants(await shop.session(), 2)


async def _card_to_be_kept(shop: Shop) -> CheckoutSession:
    await shop.customer("ada")
    return await shop.open(type="add_payment_method", customer="ada", all_subscriptions=True)


async def _not_charged_yet(shop: Shop) -> CheckoutSession:
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


DECLINED = Attempt("ch_1", "failed", "card_declined", "Your card was declined.")
PENDING = Attempt("ch_2", "pending")
PAID = Attempt("ch_2", "succeeded")
REFUND = Refund("re_1", 400, "succeeded", "re_1")
SENT_BACK = replace(REFUND, status="failed", failure_reason="lost_or_stolen_card")

_PAYING: Mapping[str, Told] = {
    "created": _payment(),
    "payment_failed": _payment(attempts=(DECLINED,)),
    "processing": _payment(attempts=(PENDING,)),
    "succeeded": _payment(attempts=(PAID,), ending="succeeded"),
}
_SETTING_UP: Mapping[str, Told] = {
    "setup created": _setup(),
    "setup failed": _setup(attempts=(Attempt("setatt_1", "failed", "card_declined", "Declined."),)),
    "setup processing": _setup(attempts=(Attempt("setatt_2", "pending"),)),
    "setup succeeded": _set_up,
}
_CHARGING: Mapping[str, Told] = {
    "charge created": _charge(),
    "charge failed": _charge(attempts=(DECLINED,)),
    "charge succeeded": _charge(attempts=(PAID,), ending="succeeded"),
}
_ONCE_BILLED = dict.fromkeys(_CHARGING, "setup succeeded")




ONE_TIME = Flow("one-time", _opens(quantity=2), _PAYING, frozenset({"succeeded"}))
RETURNED = Flow(
    "one-time, and the buyer's browser comes back",
    _opens(),
    {
        "created": _PAYING["created"],
        "payment_failed": _PAYING["payment_failed"],
        "succeeded": _PAYING["succeeded"],
        "the buyer returns": _buyer_returns,
    },
    frozenset(),
)
MORE = Flow(
    "one-time, and the buyer wanted fewer at first",
    _wants_two_after_all,
    {
        "created for one": _payment(amount=1500),
        "declined for one": _payment(attempts=(DECLINED,), amount=1500),
        "declined for two": _payment(attempts=(replace(DECLINED, id="ch_0"),)),
        "succeeded for two": _payment(attempts=(PAID,), ending="succeeded"),
    },
    frozenset({"succeeded for two"}),
)
STILL_UNPAID = Flow(
    "one-time, declined for fewer and for more",
    _wants_two_after_all,
    {name: told for name, told in MORE.facts.items() if name != "succeeded for two"},
    frozenset(MORE.facts),
)
PURCHASE = Flow("a purchase made before", _purchase_made, _PAYING, frozenset({"succeeded"}))
REFUNDED = Flow(
    "a refund before the charge is known",
    _opens(),
    {
        "created": _PAYING["created"],
        "refunded": _reversal((REFUND,)),
        "sent back": _reversal((SENT_BACK,)),
        "succeeded": _PAYING["succeeded"],
    },
    frozenset({"succeeded", "refunded", "sent back"}),
)
DISPUTED = Flow(
    "a dispute before the payment is known",
    _opens(),
    {
        "processing": _PAYING["processing"],
        "disputed": _reversal(disputes=(Dispute("du_1", 1500, "usd", "open"),)),
        "lost": _reversal(disputes=(Dispute("du_1", 1500, "usd", "lost"),)),
        "succeeded": _PAYING["succeeded"],
    },
    frozenset({"succeeded", "disputed", "lost"}),
)
SUBSCRIPTION = Flow(
    "a subscription, for a stranger",
    _opens(price="pro", quantity=2, customer_email="bob@example.test"),
    {**_SETTING_UP, **_CHARGING},
    frozenset({"setup succeeded", "charge succeeded"}),
    _ONCE_BILLED,
)
UPGRADE = Flow(
    "a subscription in place of the free plan",
    _opens(price="pro", customer="ada"),
    {**_SETTING_UP, **_CHARGING},
    frozenset({"setup succeeded", "charge succeeded"}),
    _ONCE_BILLED,
)
UNPAID = Flow(
    "a subscription that is not paid for yet",
    _opens(price="pro", customer="ada"),
    {
        "setup succeeded": _set_up,
        "charge created": _CHARGING["charge created"],
        "charge failed": _CHARGING["charge failed"],
        "charge processing": _charge(attempts=(PENDING,)),
        "charge canceled": _charge(ending="canceled"),
    },
    frozenset({"setup succeeded", "charge failed", "charge processing", "charge canceled"}),
    dict.fromkeys(("charge created", "charge failed", "charge processing", "charge canceled"), "setup succeeded"),
)
TRIAL = Flow(
    "a subscription on trial", _opens(price="pro-trial", customer="ada"), _SETTING_UP,
    frozenset({"setup succeeded"}),
)  # fmt: skip
FREE = Flow(
    "a free price",
    _opens(price="sample", customer_email="bob@example.test"),
    {"the seller confirms": _seller_confirms, "the buyer confirms": _buyer_confirms},
    frozenset(),
)
FREE_SUBSCRIPTION = Flow(
    "a free subscription price",
    _opens(price="starter", customer="ada"),
    {"the seller confirms": _seller_confirms, "the buyer confirms": _buyer_confirms},
    frozenset(),
)
CARD = Flow(
    "a card to be kept",
    _card_to_be_kept,
    {
        "setup created": _SETTING_UP["setup created"],
        "setup failed": _SETTING_UP["setup failed"],
        "setup succeeded": _set_up,
        "the buyer returns": _buyer_returns,
    },
    frozenset(),
)
ACTIVATION = Flow(
    "a subscription to be activated",
    _not_charged_yet,
    {
        "setup created": _SETTING_UP["setup created"],
        "setup failed": _SETTING_UP["setup failed"],
        "setup succeeded": _set_up,
        "charge failed": _CHARGING["charge failed"],
        "charge succeeded": _CHARGING["charge succeeded"],
    },
    frozenset({"setup succeeded", "charge succeeded"}),
    {"charge succeeded": "setup succeeded"},
)
FLOWS = (
    ONE_TIME, RETURNED, MORE, STILL_UNPAID, PURCHASE, REFUNDED, DISPUTED, SUBSCRIPTION, UPGRADE, UNPAID, TRIAL, FREE, FREE_SUBSCRIPTION,
    CARD, ACTIVATION,
)  # fmt: skip
