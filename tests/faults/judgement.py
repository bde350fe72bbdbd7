"""What must hold after any faults: the promises, and that it all came out as if nothing had gone wrong."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from msgspec.structs import replace

from application.causes import Task
from application.operator_ports import InboxRow
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import CreateStripeCustomer, CreateStripeUser
from domain.events import RecordedEvent
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.purchase import Purchase
from domain.subscription import Subscription
from domain.user import User
from tests.application.billing_promises import check_settled
from tests.application.payment_flows import outcome
from tests.application.promises import check_books, of_kind
from tests.application.usage_promises import Ledger, check_ledger
from tests.faults.outside import Run


class Books(Protocol):
    """Everything that is stored of one organization."""

    @property
    def states(self) -> Sequence[State]: ...
    @property
    def events(self) -> Sequence[RecordedEvent]: ...
    @property
    def tasks(self) -> Sequence[Task]: ...
    @property
    def inbox(self) -> Sequence[InboxRow]: ...


class Ending(NamedTuple):
    """How a run came out: every state but for its ids, how often each kind of event was told, and each
    movement of what may be used."""

    states: list[str]
    events: Counter[str]
    used: list[tuple[str, int, int]]


def judged(books: Books, ledger: Ledger, run: Run) -> Ending:
    """Check the promises; then how it ended, without what an unanswered request left open."""
    check_books(books)
    check_settled(books)
    check_ledger(ledger)
    _no_task_is_given_up(books)
    _each_charge_is_by_one_intent(books, run)
    _each_customer_is_one_customer_at_stripe(books, run)
    _each_user_is_one_customer_at_stripe(books, run)
    _each_payer_is_one_customer_at_stripe(run)
    _each_intake_payment_is_by_one_intent(books, run)
    _each_refund_is_one_refund_at_stripe(books, run)
    _each_receipt_is_one_message(books, run)
    _the_feed_has_no_gaps(books)
    _everything_answered_is_there(books, ledger, run)
    dropped = _left_open(books, run)
    states = [_at_no_time(state, books.states) for state in books.states if state.id not in dropped]
    events = Counter(str(event.type) for event in books.events if event.subject.id not in dropped)
    known = {run.outside.slug: "acme", **_named(run)}
    texts = [_without_chance(_replaced(text, known)) for text in outcome(states)]
    return Ending(texts, events, [(entry.kind, entry.amount, entry.remaining) for entry in ledger.entries])


def _no_task_is_given_up(books: Books) -> None:
    assert [task for task in books.tasks if task.parked_at is not None] == []


def _each_charge_is_by_one_intent(books: Books, run: Run) -> None:
    """Stripe has one intent for each invoice that we charge for, which is the one in the books."""
    made = [(fact.invoice_id, fact.payment_intent_id) for fact in run.outside.provider.intents]
    at_stripe = sorted(charge for charge in made if charge[0] is not None)
    invoices = of_kind(books, Invoice)
    assert at_stripe == sorted((i.id, i.payment_intent_id) for i in invoices if i.payment_intent_id)


def _each_customer_is_one_customer_at_stripe(books: Books, run: Run) -> None:
    at_stripe = defaultdict(list)
    for known in run.outside.provider.customers:
        at_stripe[known.customer.customer_id].append(known.id)
    in_books = {customer.id: customer for customer in of_kind(books, Customer)}
    assert at_stripe.keys() <= in_books.keys(), "Stripe knows a customer that the books do not"
    for customer_id, customer in in_books.items():
        linked = [customer.stripe_customer_id] if customer.stripe_customer_id else []
        unlinked_yet = any(
            isinstance(task.effect, CreateStripeCustomer) and task.effect.customer_id == customer_id
            for task in books.tasks
        )
        assert at_stripe[customer_id] == linked or (unlinked_yet and len(at_stripe[customer_id]) <= 1)


def _each_user_is_one_customer_at_stripe(books: Books, run: Run) -> None:
    at_stripe = Counter(known.user_id for known in run.outside.provider.users)
    assert all(number == 1 for number in at_stripe.values()), at_stripe
    made = {(known.user_id, known.id) for known in run.outside.provider.users}
    linked = {(user.id, user.stripe_customer_id) for user in of_kind(books, User) if user.stripe_customer_id}
    unlinked_yet = {task.effect.user_id for task in books.tasks if isinstance(task.effect, CreateStripeUser)}
    assert linked <= made
    assert {user_id for user_id, _ in made - linked} <= unlinked_yet


def _each_payer_is_one_customer_at_stripe(run: Run) -> None:
    payers = run.outside.provider.payers
    assert len({(payer.organization_id, payer.email) for payer in payers}) == len(payers)


def _each_intake_payment_is_by_one_intent(books: Books, run: Run) -> None:
    """And it is the one in the books, by the payer in the books."""
    made = [
        (fact.intake_payment_id, fact.payment_intent_id, fact.stripe_customer_id)
        for fact in run.outside.provider.intents
        if fact.intake_payment_id is not None
    ]
    intakes = of_kind(books, IntakePayment)
    assert sorted(made) == sorted(
        (asked.id, asked.payment_intent_id, asked.stripe_customer_id)
        for asked in intakes
        if asked.payment_intent_id is not None
    )


def _each_refund_is_one_refund_at_stripe(books: Books, run: Run) -> None:
    for payment in of_kind(books, Payment):
        made = run.outside.provider.refunds_of(payment.payment_intent_id)
        in_books = {refund.id: refund for refund in payment.refunds}
        assert [in_books[refund.id].amount for refund in made] == [refund.amount for refund in made]
        assert len({refund.id for refund in made}) == len(made)


def _each_receipt_is_one_message(books: Books, run: Run) -> None:
    """It goes out at least once, and the same however often it does."""
    wanted = {
        f"receipt.{invoice.id}"
        for invoice in of_kind(books, Invoice)
        if invoice.receipt_email is not None and invoice.status == "paid" and invoice.total
    }
    receipts = [mail for mail in run.outside.mailer.sent if mail.id.startswith("receipt.")]
    sent = {mail.id: mail for mail in receipts}
    assert sent.keys() == wanted
    assert all(sent[mail.id] == mail for mail in receipts)


def _the_feed_has_no_gaps(books: Books) -> None:
    """Of what has its number: the first events, in the order of their commits."""
    for livemode in (False, True):
        numbers = [event.sequence for event in books.events if event.livemode == livemode]
        given = [number for number in numbers if number is not None]
        assert numbers[: len(given)] == list(range(1, len(given) + 1))


def _everything_answered_is_there(books: Books, ledger: Ledger, run: Run) -> None:
    there = {state.id for state in books.states} | {row.id for row in books.inbox if row.handled_at}
    there |= {usage.id for usage in ledger.usages}
    assert set(run.answered) <= there, f"answered, and lost: {set(run.answered) - there}"


def _left_open(books: Books, run: Run) -> set[str]:
    """Sessions and purchases that nobody was told of, as their request was not answered, with nothing that
    came of them.

    All that may differ from a run without faults; Stripe's intent, if it made one, is known all the same.
    """
    provider = run.outside.provider
    intents = {intent.checkout_session_id: intent.payment_intent_id for intent in provider.intents}
    intents |= {setup.checkout_session_id: setup.setup_intent_id for setup in provider.setups}
    sessions = [session for session in of_kind(books, CheckoutSession) if session.id not in run.answered]
    for session in sessions:
        assert session.status == "open"
        assert session.purchase_id is None or session.type == "purchase"
        assert session.intent_id == intents.get(session.id)
    purchases = {bought.id for bought in of_kind(books, Purchase) if _is_unpaid(bought)} - {*run.answered}
    left = {session.id for session in sessions} | purchases
    return left | {payment.id for payment in of_kind(books, Payment) if payment.checkout_session_id in left}


def _is_unpaid(purchase: Purchase) -> bool:
    """Made through the API, and nobody has begun to pay it."""
    return (purchase.status, purchase.checkout_session_id) == ("open", None)


def _named(run: Run) -> dict[str, str]:
    """Intents are numbered by their making, which a session left open may have been first in."""
    provider = run.outside.provider
    return {intent.payment_intent_id: "pi" for intent in provider.intents} | {
        setup.setup_intent_id: "seti" for setup in provider.setups
    }


def _at_no_time(state: State, states: Sequence[State]) -> State:
    """An invoice gets its number, is charged, and is made for a period, a subscription ends with one, and
    Stripe gets to know a user, when a worker comes by: later, after a fault."""
    match state:
        case Invoice():
            paid_at = _never(state.paid_at) if state.period_end else state.paid_at
            made_at = _never(state.created_at) if state.purchase_id is None else state.created_at
            return replace(
                state, finalized_at=_never(state.finalized_at), paid_at=paid_at, created_at=made_at
            )
        case Purchase() if state.id in {
            invoice.purchase_id for invoice in states if isinstance(invoice, Invoice) and invoice.period_end
        }:
            return replace(state, completed_at=_never(state.completed_at))
        case Subscription(cancel_at_period_end=True):
            return replace(state, canceled_at=_never(state.canceled_at))
        case User():
            return replace(state, stripe_customer_created_at=_never(state.stripe_customer_created_at))
        case Payment(checkout_session_id=None):
            return replace(state, created_at=_NEVER)
        case _:
            return state


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def _never(at: datetime | None) -> Any:
    return at and _NEVER


def _without_chance(text: str) -> str:
    """Each try has secrets of its own; a stranger is called after the session; Stripe numbers as it is asked;
    a refund is no state, and has an id all the same."""
    text = re.sub(r'"(secret_hash|hint|client_token|page_token)":"\w+"', "", text)
    return re.sub(r'"(anon|cus|rfd)_\w+"', r'"\1"', text)


def _replaced(text: str, known: dict[str, str]) -> str:
    for name, instead in known.items():
        text = re.sub(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", instead, text)
    return text
