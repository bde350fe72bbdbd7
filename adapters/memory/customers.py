"""What changing, deleting and listing customers is decided on in memory; the promises stand in
`application.ports`."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from msgspec.structs import replace

from adapters.memory.books import Books, copied
from adapters.memory.entities import newest_entities
from adapters.memory.reading import TenantBooks
from adapters.memory.usage import UsageBooks
from application.ports import (
    BillingOverview,
    CustomerFilter,
    DeletionContext,
    Expanded,
    ExpandedCustomer,
    HeldPlan,
    UpdateContext,
)
from application.ports.expanding import NEWEST
from domain.auth import AuthContext, Authenticated
from domain.catalog import Plan, Price, Product
from domain.checkout import CheckoutSession
from domain.customer import Customer, CustomerRecord
from domain.customer_changes import CustomerChanges, Taken
from domain.expansions import Expansion, trials_in
from domain.ids import CustomerId
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription, SubscriptionRecord
from domain.text import email_key, email_search_key, search_key
from domain.user import no_such_user


class CustomerReads:
    """The part of the store that reads customers."""

    _books: Books

    async def customer_in_books(self, auth: AuthContext, id: CustomerId) -> Customer | None:
        found = copied(self._customers_of(auth).get(Customer, id))
        await asyncio.sleep(0)
        return found

    async def update_context(
        self, auth: Authenticated, reference: str, changes: CustomerChanges
    ) -> UpdateContext | None:
        books = self._customers_of(auth)
        known = books.customer(reference)
        record = books.customer_record(known)
        found = None
        if known is not None and record is not None:
            others = [row for row in books.rows(Customer) if row.id != known.id]
            wanted = email_key(changes.email) if isinstance(changes.email, str) else None
            taken = Taken(
                external_id=any(
                    row.external_id is not None and row.external_id == changes.external_id for row in others
                ),
                email=any(
                    row.external_id is None and row.email_key is not None and row.email_key == wanted
                    for row in others
                ),
            )
            found = copied(UpdateContext(record, taken))
        await asyncio.sleep(0)
        return found

    async def deletion_context(self, auth: Authenticated, reference: str) -> DeletionContext | None:
        books = self._customers_of(auth)
        known = books.customer(reference)
        found = None
        if known is not None:
            found = copied(DeletionContext(known, books.subscriptions(known), _open_sessions(books, known)))
        await asyncio.sleep(0)
        return found

    async def expanded(
        self, auth: AuthContext, reference: str, wanted: tuple[Expansion, ...], now: datetime
    ) -> ExpandedCustomer | None:
        books = self._customers_of(auth)
        known = books.customer(reference)
        record = books.customer_record(known)
        found = None
        if known is not None and record is not None:
            expanded = Expanded.of_new(CustomerRecord(known, _ever_held(books, known)), (), wanted)
            if "payments" in wanted:
                payments = books.page(Payment, NEWEST, None, known.id, None)
                expanded = replace(expanded, payments=tuple(payments))
            if "invoices" in wanted:
                invoices = books.page(Invoice, NEWEST, None, known.id, None)
                expanded = replace(expanded, invoices=tuple(invoices))
            if "entities" in wanted:
                expanded = replace(expanded, entities=tuple(newest_entities(books, known, NEWEST)))
            if "balances" in wanted:
                usage = UsageBooks(self._books, auth.organization_id, livemode=auth.livemode)
                expanded = replace(expanded, balances=usage.balances_of(known.id, None, now))
            found = copied(ExpandedCustomer(record, expanded))
        await asyncio.sleep(0)
        return found

    async def billing_overview(
        self, auth: Authenticated, reference: str, now: datetime
    ) -> BillingOverview | None:
        books = self._customers_of(auth)
        known = books.customer(reference)
        found = None
        if known is not None:
            usage = UsageBooks(self._books, auth.organization_id, livemode=auth.livemode)
            found = copied(
                replace(overview_of(books, known), balances=usage.balances_of(known.id, None, now))
            )
        await asyncio.sleep(0)
        return found

    async def customer_page(
        self, auth: Authenticated, wanted: CustomerFilter, limit: int, before: CustomerId | None = None
    ) -> Sequence[Customer]:
        books = self._customers_of(auth)
        user = books.user(wanted.user) if wanted.user is not None else None
        if user is None and wanted.user is not None:
            raise no_such_user(wanted.user)
        found = (
            copied(row)
            for row in reversed(books.rows(Customer))
            if row.deleted_at is None
            and (before is None or row.id < before)
            and (user is None or row.user_id == user.id)
            and _is_wanted(row, wanted)
        )
        page = list(islice(found, limit))
        await asyncio.sleep(0)
        return page

    def _customers_of(self, auth: AuthContext) -> TenantBooks:
        return TenantBooks(self._books, auth.organization_id, livemode=auth.livemode)


def _ever_held(books: TenantBooks, known: Customer) -> tuple[SubscriptionRecord, ...]:
    held = (row for row in books.rows(Subscription) if row.customer_id == known.id)
    return tuple(map(books.subscription_record, held))


def _open_sessions(books: TenantBooks, known: Customer) -> tuple[CheckoutSession, ...]:
    rows = books.rows(CheckoutSession)
    return tuple(row for row in rows if row.customer_id == known.id and row.status == "open")


def overview_of(books: TenantBooks, known: Customer) -> BillingOverview:
    """How the customer stands, but for their balances."""
    methods = [row for row in books.rows(PaymentMethod) if row.customer_id == known.id]
    sold = [row for row in books.current(Product) if row.pricing_model_id == known.pricing_model_id]
    prices = books.current(Price)
    return BillingOverview(
        customer=known,
        held=tuple(_held(books, subscription) for subscription in books.subscriptions(known)),
        payment_methods=tuple(reversed(methods)),
        invoices=tuple(books.page(Invoice, NEWEST, None, known.id, None)),
        sessions=_open_sessions(books, known),
        trials_used=trials_in(_ever_held(books, known)),
        plans=tuple(
            Plan(product, tuple(price for price in prices if price.product_id == product.id))
            for product in sorted(sold, key=lambda product: (product.group, product.slug))
        ),
    )


def _held(books: TenantBooks, subscription: Subscription) -> HeldPlan:
    record = books.subscription_record(subscription)
    product = books.get(Product, subscription.product_id)
    assert product is not None, "products are never deleted"
    prices = (books.get(Price, item.price_id) for item in record.items)
    return HeldPlan(record, product, tuple(price for price in prices if price is not None))


def _is_wanted(customer: Customer, wanted: CustomerFilter) -> bool:
    if wanted.email is not None and customer.email_key != email_key(wanted.email):
        return False
    if wanted.external_id is not None and customer.external_id != wanted.external_id:
        return False
    if wanted.search is None:
        return True
    if (customer.email_key or "").startswith(email_search_key(wanted.search)):
        return True
    keys = (customer.name_key, customer.external_id_key)
    return any(key is not None and key.startswith(search_key(wanted.search)) for key in keys)
