"""Customers as they are changed, deleted and listed, in PostgreSQL: functions of sql/16_customers.sql."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from adapters.postgres.database import Database
from application.ports import (
    BillingOverview,
    CustomerFilter,
    DeletionContext,
    ExpandedCustomer,
    UpdateContext,
)
from domain.auth import AuthContext, Authenticated
from domain.customer import Customer
from domain.customer_changes import CustomerChanges
from domain.expansions import Expansion
from domain.ids import CustomerId
from domain.text import email_key, email_search_key, search_key
from domain.user import no_such_user

_CUSTOMER = msgspec.json.Decoder(Customer)
_CUSTOMERS = msgspec.json.Decoder(list[Customer])
_EXPANDED = msgspec.json.Decoder(ExpandedCustomer)
_OVERVIEW = msgspec.json.Decoder(BillingOverview)
_UPDATE_CONTEXT = msgspec.json.Decoder(UpdateContext)
_DELETION_CONTEXT = msgspec.json.Decoder(DeletionContext)


class CustomerReads:
    """The part of the store that reads customers."""

    database: Database

    async def customer_in_books(self, auth: AuthContext, id: CustomerId) -> Customer | None:
        found = await self.database.call("customer_in_books", auth.organization_id, auth.livemode, id)
        return None if found is None else _CUSTOMER.decode(found)

    async def update_context(
        self, auth: Authenticated, reference: str, changes: CustomerChanges
    ) -> UpdateContext | None:
        external_id = changes.external_id if isinstance(changes.external_id, str) else None
        email = email_key(changes.email) if isinstance(changes.email, str) else None
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("update_context", *tenant, reference, external_id, email)
        return None if found is None else _UPDATE_CONTEXT.decode(found)

    async def deletion_context(self, auth: Authenticated, reference: str) -> DeletionContext | None:
        found = await self.database.call("deletion_context", auth.organization_id, auth.livemode, reference)
        return None if found is None else _DELETION_CONTEXT.decode(found)

    async def expanded(
        self, auth: AuthContext, reference: str, wanted: tuple[Expansion, ...], now: datetime
    ) -> ExpandedCustomer | None:
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("expanded_customer", *tenant, reference, list(wanted), now)
        return None if found is None else _EXPANDED.decode(found)

    async def billing_overview(
        self, auth: Authenticated, reference: str, now: datetime
    ) -> BillingOverview | None:
        found = await self.database.call(
            "customer_billing", auth.organization_id, auth.livemode, reference, now
        )
        return None if found is None else _OVERVIEW.decode(found)

    async def customer_page(
        self, auth: Authenticated, wanted: CustomerFilter, limit: int, before: CustomerId | None = None
    ) -> Sequence[Customer]:
        found = await self.database.call(
            "customer_page",
            auth.organization_id,
            auth.livemode,
            limit,
            before,
            email_key(wanted.email) if wanted.email is not None else None,
            wanted.external_id,
            search_key(wanted.search) if wanted.search is not None else None,
            email_search_key(wanted.search) if wanted.search is not None else None,
            wanted.user,
        )
        if found is None:
            assert wanted.user is not None
            raise no_such_user(wanted.user)
        return _CUSTOMERS.decode(found)
