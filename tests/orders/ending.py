"""How a checkout has ended, in a form in which the ends of two orders can be compared."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from application.views import view_of
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.setup import Setup
from domain.subscription import Subscription, SubscriptionItem

BOOKS = (
    Customer, Purchase, Payment, Setup, Invoice, PaymentMethod, Subscription, SubscriptionItem,
    CheckoutSession, IntakePayment,
)  # fmt: skip
DECIDED = (CheckoutSession, IntakePayment, Purchase, Payment, Customer)
"""What must end the same also when something that decides nothing was never told."""

_IDS = re.compile(r"[a-z]+_[0-9a-z]{26}\b|(?:pi|seti|cus)_(?:memory|payer|user)\d+|(?:cst|ivt)_\w+")


def ending(states: Sequence[State]) -> list[str]:
    """All of it, whatever kind of state it is."""
    return _normal([state for state in states if isinstance(state, BOOKS)], _unversioned)


def decided(states: Sequence[State]) -> list[str]:
    """What anybody can see of session, purchase, payment and customer."""
    return _normal([state for state in states if isinstance(state, DECIDED)], view_of)


def _unversioned(state: State) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(state)
    del fields["version"]
    return fields


def _normal(states: Sequence[State], shown: Callable[[State], object]) -> list[str]:
    """Ids by kind and order instead of their numbers."""
    kinds: Counter[str] = Counter()
    names: dict[str, str] = {}
    texts: list[str] = []
    for state in sorted(states, key=lambda state: (type(state).__name__, state.id)):
        text = f"{type(state).__name__} {msgspec.json.encode(shown(state), order='sorted').decode()}"
        for found in _IDS.findall(text):
            if found not in names:
                prefix = found.split("_")[0]
                kinds[prefix] += 1
                names[found] = f"{prefix} {kinds[prefix]}"
        texts.append(text)
    return [_IDS.sub(lambda found: names[found[0]], text) for text in texts]
