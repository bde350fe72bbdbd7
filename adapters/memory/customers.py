"""What changing, deleting and listing customers is decided on in memory; the promises stand in
`application.ports`."""

import asyncio
from collections.abc import Sequence
from itertools import islice

from msgspec.structs import replace

from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from application.ports import CustomerFilter, DeletionContext, Expanded, ExpandedCustomer, UpdateContext
from application.ports.expanding import NEWEST
from domain.auth import AuthContext, Authenticated
from domain.checkout import CheckoutSession
from domain.customer import Customer, CustomerRecord
from domain.customer_changes import CustomerChanges, Taken
from domain.expansions import Expansion
from domain.ids import CustomerId
from domain.invoice import Invoice
from domain.payment import Payment
from domain.subscription import Subscription
from domain.text import email_key, search_key


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
            sessions = (
                row
                for row in books.rows(CheckoutSession)
                if row.customer_id == known.id and row.status == "open"
            )
            found = copied(DeletionContext(known, books.subscriptions(known), tuple(sessions)))
        await asyncio.sleep(0)
        return found

    async def expanded(
        self, auth: AuthContext, reference: str, wanted: tuple[Expansion, ...]
    ) -> ExpandedCustomer | None:
        books = self._customers_of(auth)
        known = books.customer(reference)
        record = books.customer_record(known)
        found = None
        if known is not None and record is not None:
            held = (row for row in books.rows(Subscription) if row.customer_id == known.id)
            expanded = Expanded.of_new(
                CustomerRecord(known, tuple(map(books.subscription_record, held))), wanted
            )
            if "payments" in wanted:
                payments = books.page(Payment, NEWEST, None, known.id, None)
                expanded = replace(expanded, payments=tuple(payments))
            if "invoices" in wanted:
                invoices = books.page(Invoice, NEWEST, None, known.id, None)
                expanded = replace(expanded, invoices=tuple(invoices))
            found = copied(ExpandedCustomer(record, expanded))
        await asyncio.sleep(0)
        return found

    async def customer_page(
        self, auth: Authenticated, wanted: CustomerFilter, limit: int, before: CustomerId | None = None
    ) -> Sequence[Customer]:
        found = (
            copied(row)
            for row in reversed(self._customers_of(auth).rows(Customer))
            if row.deleted_at is None and (before is None or row.id < before) and _is_wanted(row, wanted)
        )
        page = list(islice(found, limit))
        await asyncio.sleep(0)
        return page

    def _customers_of(self, auth: AuthContext) -> TenantBooks:
        return TenantBooks(self._books, auth.organization_id, livemode=auth.livemode)


def _is_wanted(customer: Customer, wanted: CustomerFilter) -> bool:
    if wanted.email is not None and customer.email_key != email_key(wanted.email):
        return False
    if wanted.external_id is not None and customer.external_id != wanted.external_id:
        return False
    if wanted.search is None:
        return True
    beginning = search_key(wanted.search)
    keys = (customer.email_key, customer.name_key, customer.external_id_key)
    return any(key is not None and key.startswith(beginning) for key in keys)
