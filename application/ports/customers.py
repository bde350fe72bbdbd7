"""Customers, what they have, and what is sold to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.ports.expanding import ExpandedCustomer
from application.ports.overview import BillingOverview
from domain.auth import AuthContext, Authenticated, Caller
from domain.billing import Owed
from domain.catalog import Catalog
from domain.charging import AllCurrent
from domain.checkout import CheckoutSession
from domain.customer import Customer, CustomerRecord, NewCustomer
from domain.customer_changes import CustomerChanges, Taken
from domain.defaults import Standby
from domain.expansions import Expansion
from domain.identity import CustomerContext
from domain.ids import CustomerId, PaymentMethodId, SubscriptionId
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription, SubscriptionRecord, SubscriptionStatus


class UpdateContext(Struct, frozen=True):
    """What changing a customer is decided on: what others have taken of what they are to be called."""

    record: CustomerRecord
    taken: Taken


class DeletionContext(Struct, frozen=True):
    """What deleting a customer is decided on: the subscriptions that are current, the sessions that are
    open."""

    customer: Customer
    subscriptions: tuple[Subscription, ...]
    sessions: tuple[CheckoutSession, ...]


class ManagedContext(Struct, frozen=True):
    """What changing subscriptions is decided on: with their items, what is owed for them, and the means of
    payment that is asked for, whosever it is; of one subscription, also what its customer has without
    it."""

    subscriptions: tuple[SubscriptionRecord, ...]
    owed: tuple[Owed, ...]
    payment_method: PaymentMethod | None
    standby: Standby | None


class CustomerFilter(Struct, frozen=True):
    """Which customers are asked for: with this e-mail in any spelling, with this external id, those whose
    e-mail, name or external id begins like this, in small letters or large ones, and those of this user, by
    id or external id."""

    email: str | None = None
    external_id: str | None = None
    search: str | None = None
    user: str | None = None


class CustomerRepository(Protocol):
    """Customers, as their use cases need them. One who was deleted is not found, but where that is said."""

    async def creation_context(self, auth: AuthContext, draft: NewCustomer) -> CustomerContext:
        """By external id, else by e-mail among those who have none; the terms are those of the named pricing
        model, else of the default one."""

    async def customer(self, auth: AuthContext, reference: str) -> CustomerRecord | None:
        """By id (`cus_…`) or external id."""

    async def expanded(
        self, auth: AuthContext, reference: str, wanted: tuple[Expansion, ...], now: datetime
    ) -> ExpandedCustomer | None:
        """By id or external id, with what is wanted."""

    async def billing_overview(
        self, auth: Authenticated, reference: str, now: datetime
    ) -> BillingOverview | None:
        """By id or external id; sessions and what is held in the order of ids, payment methods and invoices
        newest first."""

    async def customer_in_books(self, auth: AuthContext, id: CustomerId) -> Customer | None:
        """By id; also one who was deleted."""

    async def update_context(
        self, auth: Authenticated, reference: str, changes: CustomerChanges
    ) -> UpdateContext | None:
        """By id or external id; who else has the external id and e-mail of `changes`."""

    async def deletion_context(self, auth: Authenticated, reference: str) -> DeletionContext | None:
        """By id or external id."""

    async def customer_page(
        self, auth: Authenticated, wanted: CustomerFilter, limit: int, before: CustomerId | None = None
    ) -> Sequence[Customer]:
        """At most so many, newest first; those made `before` one of them, if it is given. Raises Rejected
        `user_not_found`."""


class SubscriptionRepository(Protocol):
    """Subscriptions with their items, canceled ones too."""

    async def subscription(self, auth: Authenticated, id: SubscriptionId) -> SubscriptionRecord | None:
        """By id."""

    async def managed_context(
        self,
        auth: Caller,
        wanted: SubscriptionId | AllCurrent,
        payment_method_id: PaymentMethodId | None = None,
    ) -> ManagedContext | None:
        """Of one subscription, canceled or not, or of all that are current of a customer; each kind in the
        order of ids. Null when there is no such subscription, or customer."""

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
