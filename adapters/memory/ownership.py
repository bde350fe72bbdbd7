"""What a buyer in the portal may see of the books in memory: as the policies of the portal's role in
PostgreSQL (migrations/0005_portal.sql)."""

from collections.abc import Collection
from dataclasses import replace

from adapters.memory.books import Books
from domain.account import Organization
from domain.auth import Buyer, Caller, LetIn, SignedIn
from domain.balance import Balance
from domain.catalog import Feature, Price, PricingModel, Product
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.entity import Entity
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.subscription import Subscription, SubscriptionItem
from domain.user import User

_OF_CUSTOMERS = (
    Entity,
    PaymentMethod,
    Subscription,
    CheckoutSession,
    Purchase,
    Invoice,
    Payment,
    Balance,
)


def as_seen_by(books: Books, caller: Caller) -> Books:
    """Everything, but for a buyer."""
    return seen_by(books, caller) if isinstance(caller, SignedIn | LetIn) else books


def seen_by(books: Books, buyer: Buyer) -> Books:
    """The books with nothing in them but what is the buyer's, and what is sold to them."""
    own = {key: row for key, row in books.states.items() if _own_customer(row, buyer)}
    customers = frozenset(row.id for row in own.values())
    account = next((row for row in books.states.values() if _is_account(row, buyer)), None)
    asked = {row.id for row in books.states.values() if _own_intake(row, account)}
    models = frozenset(row.pricing_model_id for row in own.values() if isinstance(row, Customer))
    states = {
        key: row
        for key, row in books.states.items()
        if (row.organization_id == buyer.organization_id)
        and (row.livemode == buyer.livemode or isinstance(row, Organization))
        and (
            key in own
            or row.id in asked
            or (isinstance(row, Payment) and row.intake_payment_id in asked)
            or _is_seen(row, buyer, customers, models)
        )
    }
    subscriptions = {row.id for row in states.values() if isinstance(row, Subscription)}
    balances = {row.id for row in states.values() if isinstance(row, Balance)}
    return replace(
        books,
        states={
            key: row
            for key, row in states.items()
            if not isinstance(row, SubscriptionItem) or row.subscription_id in subscriptions
        },
        events=(),
        tasks={},
        inbox={},
        replies={},
        levels={key: level for key, level in books.levels.items() if key[2] in balances},
        entries=(),
        usages=(),
        answers={},
    )


def _own_customer(row: State, buyer: Buyer) -> bool:
    if not isinstance(row, Customer) or row.deleted_at is not None:
        return False
    if (row.organization_id, row.livemode) != (buyer.organization_id, buyer.livemode):
        return False
    match buyer:
        case SignedIn(user_id=user_id):
            return row.user_id == user_id
        case LetIn(customer_id=customer_id):
            return row.id == customer_id


def _is_account(row: State, buyer: Buyer) -> bool:
    if not isinstance(row, User) or not isinstance(buyer, SignedIn):
        return False
    return (row.organization_id, row.livemode, row.id) == (
        buyer.organization_id,
        buyer.livemode,
        buyer.user_id,
    )


def _own_intake(row: State, account: State | None) -> bool:
    """Of the address that is the account's now: it may have had another one, which it only claimed."""
    if not isinstance(row, IntakePayment) or not isinstance(account, User):
        return False
    return (row.user_id, row.email_key) == (account.id, account.email_key)


def _is_seen(row: State, buyer: Buyer, customers: Collection[str], models: Collection[str]) -> bool:
    match row:
        case Organization() | Feature():
            return bool(customers)
        case SubscriptionItem():
            return True  # those of their subscriptions are told from the others when these are known
        case User(id=id):
            return isinstance(buyer, SignedIn) and id == buyer.user_id
        case PricingModel(id=id) | Product(pricing_model_id=id) | Price(pricing_model_id=id):
            return id in models
        case _ if isinstance(row, _OF_CUSTOMERS):
            return row.customer_id in customers
        case _:
            return False
