"""Checkouts, and all that is told of each, in an order in which it might have happened."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from domain.checkout import CheckoutSession
from domain.reversal import Dispute
from tests.orders.facts import (
    CHARGING,
    DECLINED,
    PAID,
    PAYING,
    PENDING,
    REFUND,
    SENT_BACK,
    SETTING_UP,
    Told,
    buyer_confirms,
    buyer_returns,
    charge,
    given_up,
    payment,
    reversal,
    seller_confirms,
    set_up,
)
from tests.orders.openings import (
    card_to_be_kept,
    not_charged_yet,
    opens,
    purchase_made,
    wants_two_after_all,
)
from tests.orders.shop import Shop


class Flow(Struct, frozen=True):
    """`begin` opens the session that all of it is about. A fact cannot be told before those that it is
    `after`. `deciding`: what the end does not hang on may be lost."""

    name: str
    begin: Callable[[Shop], Awaitable[CheckoutSession]]
    facts: Mapping[str, Told]
    deciding: frozenset[str]
    after: Mapping[str, str] = {}


_ONCE_BILLED = dict.fromkeys(CHARGING, "setup succeeded")


ONE_TIME = Flow("one-time", opens(quantity=2), PAYING, frozenset({"succeeded"}))
RETURNED = Flow(
    "one-time, and the buyer's browser comes back",
    opens(),
    {
        "created": PAYING["created"],
        "payment_failed": PAYING["payment_failed"],
        "succeeded": PAYING["succeeded"],
        "the buyer returns": buyer_returns,
    },
    frozenset(),
)
MORE = Flow(
    "one-time, and the buyer wanted fewer at first",
    wants_two_after_all,
    {
        "created for one": payment(amount=1500),
        "declined for one": payment(attempts=(DECLINED,), amount=1500),
        "declined for two": payment(attempts=(replace(DECLINED, id="ch_0"),)),
        "succeeded for two": payment(attempts=(PAID,), ending="succeeded"),
    },
    frozenset({"succeeded for two"}),
)
STILL_UNPAID = Flow(
    "one-time, declined for fewer and for more",
    wants_two_after_all,
    {name: told for name, told in MORE.facts.items() if name != "succeeded for two"},
    frozenset(MORE.facts),
)
PURCHASE = Flow("a purchase made before", purchase_made, PAYING, frozenset({"succeeded"}))
REFUNDED = Flow(
    "a refund before the charge is known",
    opens(),
    {
        "created": PAYING["created"],
        "refunded": reversal((REFUND,)),
        "sent back": reversal((SENT_BACK,)),
        "succeeded": PAYING["succeeded"],
    },
    frozenset({"succeeded", "refunded", "sent back"}),
)
DISPUTED = Flow(
    "a dispute before the payment is known",
    opens(),
    {
        "processing": PAYING["processing"],
        "disputed": reversal(disputes=(Dispute("du_1", 1500, "usd", "open"),)),
        "lost": reversal(disputes=(Dispute("du_1", 1500, "usd", "lost"),)),
        "succeeded": PAYING["succeeded"],
    },
    frozenset({"succeeded", "disputed", "lost"}),
)
SUBSCRIPTION = Flow(
    "a subscription, for a stranger",
    opens(price="pro", quantity=2, customer_email="bob@example.test"),
    {**SETTING_UP, **CHARGING},
    frozenset({"setup succeeded", "charge succeeded"}),
    _ONCE_BILLED,
)
UPGRADE = Flow(
    "a subscription in place of the free plan",
    opens(price="pro", customer="ada"),
    {**SETTING_UP, **CHARGING},
    frozenset({"setup succeeded", "charge succeeded"}),
    _ONCE_BILLED,
)
UNPAID = Flow(
    "a subscription that is not paid for yet",
    opens(price="pro", customer="ada"),
    {
        "setup succeeded": set_up,
        "charge created": CHARGING["charge created"],
        "charge failed": CHARGING["charge failed"],
        "charge processing": charge(attempts=(PENDING,)),
        "charge canceled": charge(ending="canceled"),
    },
    frozenset({"setup succeeded", "charge failed", "charge processing", "charge canceled"}),
    dict.fromkeys(
        ("charge created", "charge failed", "charge processing", "charge canceled"), "setup succeeded"
    ),
)
GIVEN_UP = Flow(
    "a subscription that is canceled while it is being paid",
    opens(price="pro", customer="ada"),
    {
        "setup succeeded": set_up,
        "charge created": CHARGING["charge created"],
        "charge processing": charge(attempts=(PENDING,)),
        "charge succeeded": CHARGING["charge succeeded"],
        "given up": given_up,
    },
    frozenset({"setup succeeded", "charge created", "charge succeeded", "given up"}),
    {
        "charge created": "setup succeeded",
        **dict.fromkeys(("charge processing", "charge succeeded", "given up"), "charge created"),
    },
)
TRIAL = Flow(
    "a subscription on trial", opens(price="pro-trial", customer="ada"), SETTING_UP,
    frozenset({"setup succeeded"}),
)  # fmt: skip
FREE = Flow(
    "a free price",
    opens(price="sample", customer_email="bob@example.test"),
    {"the seller confirms": seller_confirms, "the buyer confirms": buyer_confirms},
    frozenset(),
)
FREE_SUBSCRIPTION = Flow(
    "a free subscription price",
    opens(price="starter", customer="ada"),
    {"the seller confirms": seller_confirms, "the buyer confirms": buyer_confirms},
    frozenset(),
)
CARD = Flow(
    "a card to be kept",
    card_to_be_kept,
    {
        "setup created": SETTING_UP["setup created"],
        "setup failed": SETTING_UP["setup failed"],
        "setup succeeded": set_up,
        "the buyer returns": buyer_returns,
    },
    frozenset(),
)
ACTIVATION = Flow(
    "a subscription to be activated",
    not_charged_yet,
    {
        "setup created": SETTING_UP["setup created"],
        "setup failed": SETTING_UP["setup failed"],
        "setup succeeded": set_up,
        "charge failed": CHARGING["charge failed"],
        "charge succeeded": CHARGING["charge succeeded"],
    },
    frozenset({"setup succeeded", "charge succeeded"}),
    {"charge succeeded": "setup succeeded"},
)
FLOWS = (
    ONE_TIME,
    RETURNED,
    MORE,
    STILL_UNPAID,
    PURCHASE,
    REFUNDED,
    DISPUTED,
    SUBSCRIPTION,
    UPGRADE,
    UNPAID,
    GIVEN_UP,
    TRIAL,
    FREE,
    FREE_SUBSCRIPTION,
    CARD,
    ACTIVATION,
)
