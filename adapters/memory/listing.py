"""What is listed of the books in memory: pages, newest first; the promises stand in `application.ports`."""

import asyncio
from collections.abc import Sequence

from adapters.memory.books import Books, copied
from adapters.memory.ownership import as_seen_by
from adapters.memory.reading import TenantBooks
from domain.auth import Authenticated, Buyer, Caller
from domain.ids import InvoiceId, PaymentId, PurchaseId, SubscriptionId
from domain.invoice import Invoice, InvoiceStatus
from domain.payment import Payment
from domain.purchase import Purchase, PurchaseStatus
from domain.subscription import Subscription, SubscriptionRecord, SubscriptionStatus


class Lists:
    """The part of the store that lists."""

    _books: Books

    async def payments(
        self,
        auth: Authenticated | Buyer,
        limit: int,
        before: PaymentId | None = None,
        *,
        customer: str | None = None,
        user: str | None = None,
    ) -> Sequence[Payment]:
        books = self._of(auth)
        if user is not None:
            theirs = [copied(row) for row in books.payments_of_user(user, limit, before)]
            await asyncio.sleep(0)
            return theirs
        found = [copied(row) for row in books.page(Payment, limit, before, customer, None)]
        await asyncio.sleep(0)
        return found

    async def purchase(self, auth: Authenticated, id: PurchaseId) -> Purchase | None:
        found = copied(self._of(auth).get(Purchase, id))
        await asyncio.sleep(0)
        return found

    async def purchases(
        self,
        auth: Authenticated | Buyer,
        limit: int,
        before: PurchaseId | None = None,
        *,
        customer: str | None = None,
        status: PurchaseStatus | None = None,
    ) -> Sequence[Purchase]:
        found = [copied(row) for row in self._of(auth).page(Purchase, limit, before, customer, status)]
        await asyncio.sleep(0)
        return found

    async def subscription(self, auth: Authenticated, id: SubscriptionId) -> SubscriptionRecord | None:
        books = self._of(auth)
        found = books.get(Subscription, id)
        record = copied(books.subscription_record(found)) if found else None
        await asyncio.sleep(0)
        return record

    async def subscriptions(
        self,
        auth: Authenticated,
        limit: int,
        before: SubscriptionId | None = None,
        *,
        customer: str | None = None,
        status: SubscriptionStatus | None = None,
    ) -> Sequence[SubscriptionRecord]:
        books = self._of(auth)
        page = books.page(Subscription, limit, before, customer, status)
        found = [copied(books.subscription_record(row)) for row in page]
        await asyncio.sleep(0)
        return found

    async def invoices(
        self,
        auth: Authenticated | Buyer,
        limit: int,
        before: InvoiceId | None = None,
        *,
        customer: str | None = None,
        status: InvoiceStatus | None = None,
    ) -> Sequence[Invoice]:
        found = [copied(row) for row in self._of(auth).page(Invoice, limit, before, customer, status)]
        await asyncio.sleep(0)
        return found

    def _of(self, auth: Caller) -> TenantBooks:
        return TenantBooks(as_seen_by(self._books, auth), auth.organization_id, livemode=auth.livemode)
