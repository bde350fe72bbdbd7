"""Customers, what they have, and what is sold to them."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import AuthContext, Authenticated
from domain.catalog import Catalog
from domain.customer import CustomerRecord, CustomerTerms
from domain.ids import (
    PricingModelId,
    SubscriptionId,
)
from domain.subscription import SubscriptionRecord, SubscriptionStatus


class CustomerContext(Struct, frozen=True):
    """What creating a customer is decided on: the one that is there, or the terms for a new one."""

    existing: CustomerRecord | None
    terms: CustomerTerms


class CustomerRepository(Protocol):
    """Customers, as their use cases need them."""

    async def creation_context(
        self, auth: AuthContext, external_id: str, pricing_model_id: PricingModelId | None
    ) -> CustomerContext:
        """By external id; the terms are those of the named pricing model, else of the default one."""

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
