"""After the storm: is everything there that was acknowledged, is it whole, and is nothing there by half?"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from adapters.sandbox.state import Books as StripeBooks
from application.views import snapshot_of, subject_of
from domain.catalog import PricingModel
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.effects import RenewSubscription
from domain.invoice import Invoice
from domain.payment import Payment
from domain.purchase import COMPLETE, Purchase
from domain.subscription import Subscription, SubscriptionItem
from tests.application.billing_promises import check_settled
from tests.application.promises import check_books, of_kind
from tests.faults.inspection import Inspection
from tests.faults.load import Acknowledged


class Findings(Struct, frozen=True):
    """What is wrong, each in words; nothing, if all is well."""

    lost: list[str]
    half: list[str]
    twice_at_stripe: list[str]


def audited(
    books: Inspection, acknowledged: Acknowledged, stripe: StripeBooks, feed: Sequence[int]
) -> Findings:
    """Of books that have settled: no task is due any more, and every event has its number."""
    findings = Findings(
        [
            *_lost_customers(books, acknowledged),
            *_lost_payments(books, acknowledged),
            *_lost_plans(books, acknowledged),
        ],
        [*_half(books), *_gaps(books, feed)],
        [*_not_one_at_stripe(books, stripe), *_not_charged_once(books, stripe)],
    )
    if not (findings.lost or findings.half or findings.twice_at_stripe):
        check_books(books)
        check_settled(books)
    return findings


def _lost_customers(books: Inspection, acknowledged: Acknowledged) -> Iterator[str]:
    there = {customer.external_id: customer for customer in of_kind(books, Customer)}
    for name, customer_id in acknowledged.customers.items():
        if name not in there or there[name].id != customer_id:
            yield f"{name} was answered as {customer_id}, and is not there"
    intents = {str(session.id): session.intent_id for session in of_kind(books, CheckoutSession)}
    for session_id, intent_id in acknowledged.sessions.items():
        if intents.get(session_id) != intent_id:
            yield f"{session_id} with {intent_id} was answered, and is not there"


def _lost_payments(books: Inspection, acknowledged: Acknowledged) -> Iterator[str]:
    kept = (
        {session.id for session in of_kind(books, CheckoutSession) if session.status == "succeeded"}
        & {
            payment.checkout_session_id
            for payment in of_kind(books, Payment)
            if payment.status == "succeeded"
        }
        & {
            purchase.checkout_session_id
            for purchase in of_kind(books, Purchase)
            if purchase.status in COMPLETE
        }
    )
    for session_id in acknowledged.payments - kept:
        yield f"{session_id} was paid at Stripe, and is not in the books as paid"
    yield from (f"{row.id} came in, and is not handled: {row.refusal}" for row in books.inbox if row.refusal)
    for task in books.tasks:
        if not isinstance(task.effect, RenewSubscription):
            yield f"{task.id} is not done: {task.last_error}"


def _lost_plans(books: Inspection, acknowledged: Acknowledged) -> Iterator[str]:
    """Who has left a card has the plan: on trial, paid, or with the reason why not."""
    plans = {plan.id: plan for plan in of_kind(books, Subscription)}
    sessions = {str(session.id): session for session in of_kind(books, CheckoutSession)}
    for session_id, can_be_charged in acknowledged.plans.items():
        session = sessions[session_id]
        plan = plans.get(session.subscription_id) if session.subscription_id else None
        if session.status != "succeeded" or plan is None:
            yield f"{session_id} has a card at Stripe, and in the books there is no plan for it"
        elif plan.status not in ("trialing", "active" if can_be_charged else "incomplete"):
            yield f"{session_id} has a plan that is {plan.status}, with {can_be_charged=}"
        elif plan.status == "incomplete" and plan.failure_code is None:
            yield f"{plan.id} could not be charged, and does not say why"


def _half(books: Inspection) -> Iterator[str]:
    """States and events that are not of one mind, and customers without what is made with them."""
    last: dict[tuple[bool, str, str], object] = {}
    for event in books.events:
        last[event.livemode, event.subject.type, event.subject.id] = event.data.object
    for state in books.states:
        subject = subject_of(state)
        told = last.pop((state.livemode, subject.type, subject.id), None)
        if told is None:
            yield f"{subject.id} has no event"
        elif told != snapshot_of(state):
            yield f"{subject.id} is otherwise than its last event says"
    yield from (f"{gone} has events, and is not there" for _, _, gone in last)
    models = {model.id for model in of_kind(books, PricingModel)}
    subscriptions = defaultdict(list)
    for subscription in of_kind(books, Subscription):
        if subscription.status != "canceled":
            subscriptions[subscription.customer_id].append(subscription.id)
    items = Counter(item.subscription_id for item in of_kind(books, SubscriptionItem))
    for customer in of_kind(books, Customer):
        own = subscriptions[customer.id]
        if customer.pricing_model_id not in models or len(own) != 1 or items[own[0]] != 1:
            yield f"{customer.id} is without its pricing model, subscription or item"


def _gaps(books: Inspection, feed: Sequence[int]) -> Iterator[str]:
    stored = sum(not event.livemode for event in books.events)
    if list(feed) != list(range(1, stored + 1)):
        yield f"the feed has {len(feed)} numbers up to {max(feed, default=0)}, for {stored} events"


def _not_charged_once(books: Inspection, stripe: StripeBooks) -> Iterator[str]:
    """Stripe has one intent for each invoice that we charge for, and has charged it once at the most: exactly
    once, where it is paid."""
    made: dict[str, list[str]] = defaultdict(list)
    for intent in stripe.payment_intents.values():
        if "invoice_id" in intent["metadata"]:
            made[intent["metadata"]["invoice_id"]].append(intent["id"])
    charged = Counter(c["payment_intent"] for c in stripe.charges.values() if c["status"] == "succeeded")
    for invoice in of_kind(books, Invoice):
        intents = made.pop(invoice.id, [])
        if invoice.charge_attempts and intents != [invoice.payment_intent_id]:
            yield f"{invoice.id} is charged by {invoice.payment_intent_id}, and at Stripe there are {intents}"
        if invoice.charge_attempts and sum(charged[intent] for intent in intents) != bool(invoice.paid_at):
            yield f"{invoice.id} is {invoice.status}, and Stripe has charged {[charged[i] for i in intents]}"
    yield from (f"Stripe has intents for {gone}, the books do not" for gone in made)


def _not_one_at_stripe(books: Inspection, stripe: StripeBooks) -> Iterator[str]:
    known: Mapping[str, list[str]] = defaultdict(list)
    for stripe_id, customer in stripe.customers.items():
        known[customer["metadata"]["customer_id"]].append(stripe_id)
    for in_books in of_kind(books, Customer):
        if known[in_books.id] != [in_books.stripe_customer_id]:
            yield f"{in_books.id} has {in_books.stripe_customer_id}, and at Stripe it is {known[in_books.id]}"
    unknown = known.keys() - {customer.id for customer in of_kind(books, Customer)}
    yield from (f"Stripe knows {gone}, the books do not" for gone in unknown)
