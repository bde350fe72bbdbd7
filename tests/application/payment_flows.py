"""What Stripe may report of one payment intent, in every order, and a form to compare the outcomes in."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

import msgspec
from msgspec.structs import replace

from application.views import view_of
from domain.change import State
from domain.checkout import CheckoutSession
from domain.intent import Attempt
from domain.payment import PaymentFact

Flow = dict[str, PaymentFact]
FlowOf = Callable[[PaymentFact], Flow]

# Each report names the newest attempt only, as Stripe's do: nothing may depend on seeing all of them at once.
DECLINED = Attempt("ch_1", "failed", "card_declined", "Your card was declined.")
BOUNCED = Attempt("ch_1", "failed", "debit_not_authorized", "The bank refused.")


def intent_of(session: CheckoutSession) -> str:
    """The id of the intent that pays the session."""
    assert session.payment_intent_id is not None
    return session.payment_intent_id


def declined_then_paid(created: PaymentFact) -> Flow:
    """A card is declined; a bank debit takes a while, and succeeds."""
    return {
        "created": created,
        "payment_failed": replace(created, attempts=(DECLINED,)),
        "processing": replace(created, attempts=(Attempt("ch_2", "pending"),)),
        "succeeded": replace(created, attempts=(Attempt("ch_2", "succeeded"),), ending="succeeded"),
    }


def bounced_then_paid(created: PaymentFact) -> Flow:
    """The debit that was under way is what fails; a card succeeds."""
    return {
        "created": created,
        "processing": replace(created, attempts=(Attempt("ch_1", "pending"),)),
        "payment_failed": replace(created, attempts=(BOUNCED,)),
        "succeeded": replace(created, attempts=(Attempt("ch_2", "succeeded"),), ending="succeeded"),
    }


def given_up(created: PaymentFact) -> Flow:
    """The debit fails, and the intent is canceled."""
    flow = bounced_then_paid(created)
    del flow["succeeded"]
    return flow | {"canceled": replace(created, attempts=(BOUNCED,), ending="canceled")}


def abandoned(created: PaymentFact) -> Flow:
    """The debit fails, and the intent is canceled because the session has expired."""
    flow = bounced_then_paid(created)
    del flow["succeeded"]
    return flow | {"abandoned": replace(created, attempts=(BOUNCED,), ending="abandoned")}


def everything(created: PaymentFact) -> Flow:
    """More than Stripe could ever say of one intent: success outranks all."""
    return declined_then_paid(created) | {"canceled": replace(created, ending="canceled")}


def with_any_one_twice(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every order of these, as they are and with each of them once more at every place."""
    yield from permutations(names)
    for name in names:
        yield from sorted(set(permutations((*names, name))))


def outcome(states: Sequence[State]) -> list[str]:
    """All that is in the books, with ids by kind and order instead of their numbers, without versions."""
    return _normal(states, _unversioned)


def published(states: Sequence[State]) -> list[str]:
    """What anybody can see of it."""
    return _normal(states, view_of)


def _unversioned(state: State) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(state)
    del fields["version"]
    return fields


def _normal(states: Sequence[State], shown: Callable[[State], object]) -> list[str]:
    kinds: Counter[type] = Counter()
    names: dict[str, str] = {}
    for state in sorted(states, key=lambda state: state.id):
        kinds[type(state)] += 1
        names[state.id] = f"{type(state).__name__} {kinds[type(state)]}"
    texts = (f"{type(state).__name__} {msgspec.json.encode(shown(state)).decode()}" for state in states)
    return sorted(re.sub(r"[a-z]+_\w{26}\b", lambda found: names.get(found[0], found[0]), t) for t in texts)
