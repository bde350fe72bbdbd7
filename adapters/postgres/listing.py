"""What is listed of the books in PostgreSQL: functions of sql/14_lists.sql."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from adapters.postgres.database import Database
from domain.auth import Authenticated, Buyer
from domain.customer import no_such
from domain.ids import InvoiceId, PaymentId, PurchaseId, SubscriptionId
from domain.invoice import Invoice, InvoiceStatus
from domain.payment import Payment
from domain.purchase import Purchase, PurchaseStatus
from domain.subscription import SubscriptionRecord, SubscriptionStatus
from domain.user import no_such_user

T = TypeVar("T")

_INVOICES = msgspec.json.Decoder(list[Invoice])
_PAYMENTS = msgspec.json.Decoder(list[Payment])
_PURCHASE = msgspec.json.Decoder(Purchase)
_PURCHASES = msgspec.json.Decoder(list[Purchase])
_SUBSCRIPTION = msgspec.json.Decoder(SubscriptionRecord)
_SUBSCRIPTIONS = msgspec.json.Decoder(list[SubscriptionRecord])


class Lists:
    """The part of the store that lists."""

    database: Database

    async def payments(
        self,
        auth: Authenticated | Buyer,
        limit: int,
        before: PaymentId | None = None,
        *,
        customer: str | None = None,
        user: str | None = None,
    ) -> Sequence[Payment]:
        if user is not None:
            tenant = auth.organization_id, auth.livemode
            found = await self.database.call("payments_of_user", *tenant, limit, before, user)
            if found is None:
                raise no_such_user(user)
            return _PAYMENTS.decode(found)
        return await self._page("payments", _PAYMENTS, auth, limit, before, customer, None)

    async def purchase(self, auth: Authenticated, id: PurchaseId) -> Purchase | None:
        found = await self.database.call("purchase", auth.organization_id, auth.livemode, id)
        return None if found is None else _PURCHASE.decode(found)

    async def purchases(
        self,
        auth: Authenticated | Buyer,
        limit: int,
        before: PurchaseId | None = None,
        *,
        customer: str | None = None,
        status: PurchaseStatus | None = None,
    ) -> Sequence[Purchase]:
        return await self._page("purchases", _PURCHASES, auth, limit, before, customer, status)

    async def subscription(self, auth: Authenticated, id: SubscriptionId) -> SubscriptionRecord | None:
        found = await self.database.call("subscription", auth.organization_id, auth.livemode, id)
        return None if found is None else _SUBSCRIPTION.decode(found)

    async def subscriptions(
        self,
        auth: Authenticated,
        limit: int,
        before: SubscriptionId | None = None,
        *,
        customer: str | None = None,
        status: SubscriptionStatus | None = None,
    ) -> Sequence[SubscriptionRecord]:
        return await self._page("subscriptions", _SUBSCRIPTIONS, auth, limit, before, customer, status)

    async def invoices(
        self,
        auth: Authenticated | Buyer,
        limit: int,
        before: InvoiceId | None = None,
        *,
        customer: str | None = None,
        status: InvoiceStatus | None = None,
    ) -> Sequence[Invoice]:
        return await self._page("invoices", _INVOICES, auth, limit, before, customer, status)

    async def _page(
        self,
        listed: str,
        decoder: msgspec.json.Decoder[T],
        auth: Authenticated | Buyer,
        limit: int,
        before: str | None,
        customer: str | None,
        status: str | None,
    ) -> T:
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("page_of", listed, *tenant, limit, before, customer, status)
        if found is None:
            assert customer is not None
            raise no_such(customer)
        return decoder.decode(found)
