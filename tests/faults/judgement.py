"""What must hold after any faults: the promises, and that it all came out as if nothing had gone wrong."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from application.causes import Task
from application.operator_ports import InboxRow
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import CreateStripeCustomer
from domain.events import RecordedEvent
from domain.invoice import Invoice
from domain.payment import Payment
from tests.application.payment_flows import outcome
from tests.application.promises import check_books, of_kind
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
    """How a run came out: every state but for its ids, and how often each kind of event was told."""

    states: list[str]
    events: Counter[str]


def judged(books: Books, run: Run) -> Ending:
    """Check the promises; then how it ended, without what an unanswered request left open."""
    check_books(books)
    _each_customer_is_one_customer_at_stripe(books, run)
    _each_refund_is_one_refund_at_stripe(books, run)
    _each_receipt_is_one_message(books, run)
    _the_feed_has_no_gaps(books)
    _everything_answered_is_there(books, run)
    dropped = _left_open(books, run)
    states = [state for state in books.states if state.id not in dropped]
    events = Counter(str(event.type) for event in books.events if event.subject.id not in dropped)
    known = {run.outside.slug: "acme", **_named(run)}
    return Ending([_without_chance(_replaced(text, known)) for text in outcome(states)], events)


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
    sent = {mail.id: mail for mail in run.outside.mailer.sent}
    assert sent.keys() == wanted
    assert all(sent[mail.id] == mail for mail in run.outside.mailer.sent)


def _the_feed_has_no_gaps(books: Books) -> None:
    """Of what has its number: the first events, in the order of their commits."""
    for livemode in (False, True):
        numbers = [event.sequence for event in books.events if event.livemode == livemode]
        given = [number for number in numbers if number is not None]
        assert numbers[: len(given)] == list(range(1, len(given) + 1))


def _everything_answered_is_there(books: Books, run: Run) -> None:
    there = {state.id for state in books.states} | {row.id for row in books.inbox if row.handled_at}
    assert set(run.answered) <= there, f"answered, and lost: {set(run.answered) - there}"


def _left_open(books: Books, run: Run) -> set[str]:
    """Sessions that nobody was told of, as their request was not answered, with nothing that came of them.

    All that may differ from a run without faults; Stripe's intent, if it made one, is known all the same.
    """
    intents = {
        intent.checkout_session_id: intent.payment_intent_id for intent in run.outside.provider.intents
    }
    sessions = [session for session in of_kind(books, CheckoutSession) if session.id not in run.answered]
    for session in sessions:
        assert (session.status, session.purchase_id) == ("open", None)
        assert session.payment_intent_id == intents.get(session.id)
    ids = {session.id for session in sessions}
    return ids | {payment.id for payment in of_kind(books, Payment) if payment.checkout_session_id in ids}


def _named(run: Run) -> dict[str, str]:
    """Intents are numbered by their making, which a session left open may have been first in."""
    return {intent.payment_intent_id: "pi" for intent in run.outside.provider.intents}


def _without_chance(text: str) -> str:
    """Each try has secrets of its own; a stranger is called after the session; Stripe numbers as it is asked;
    a refund is no state, and has an id all the same; an invoice gets its number when a worker comes by."""
    text = re.sub(r'"finalized_at":"[^"]+"', '"finalized_at":"later"', text)
    text = re.sub(r'"(secret_hash|hint|client_token|page_token)":"\w+"', "", text)
    return re.sub(r'"(anon|cus|rfd)_\w+"', r'"\1"', text)


def _replaced(text: str, known: dict[str, str]) -> str:
    for name, instead in known.items():
        text = re.sub(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", instead, text)
    return text
