"""Customers, what they have, and what is sold to them."""

from collections.abc import Sequence
from typing import Protocol

from domain.auth import AuthContext, Authenticated
from domain.catalog import Catalog
from domain.customer import CustomerRecord, NewCustomer
from domain.identity import CustomerContext
from domain.ids import SubscriptionId
from domain.subscription import SubscriptionRecord, SubscriptionStatus


class CustomerRepository(Protocol):
    """Customers, as their use cases need them."""

    async def creation_context(self, auth: AuthContext, draft: NewCustomer) -> CustomerContext:
        """By external id, else by e-mail among those who have none; the terms are those of the named pricing
        model, else of the default one."""

    async def customer(self, auth: AuthContext, reference: str) -> CustomerRecord | None:
        """By id (`cus_…`) or external id."""


class SubscriptionRepository(Protocol):
    """Subscriptions with their items, canceled ones too."""

    async def subscription(self, auth: Authenticated, id: SubscriptionId) -> SubscriptionRecord | None:
        """By id."""

    async def subscriptions(
        self,
        auth: Authenticated,
        limit: int,
        before: SubscriptionId | None = None,
        *,
        customer: str | None = None,
        status: SubscriptionStatus | None = None,
    ) -> Sequence[SubscriptionRecord]:
        """As payments are; those with one status, if it is given. Raises Rejected `customer_not_found`."""


class CatalogRepository(Protocol):
    """What is sold."""

    async def catalog(self, auth: Authenticated) -> Catalog:
        """Everything that is not archived, each kind in the order of slugs."""
