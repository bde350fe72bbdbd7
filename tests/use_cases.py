"""Every use case on one store, with a clock, ids and a provider that obey."""

from typing import Generic, Protocol, TypeVar

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from adapters.memory.ids import SequentialIds
from adapters.memory.secrets import SequentialSecrets
from application.catalog.apply_catalog import ApplyCatalog
from application.checkout.open_checkout_session import OpenCheckoutSession
from application.customers.create_customer import CreateCustomer
from application.customers.create_stripe_customer import CreateCustomerAtStripe
from application.organizations.create_organization import CreateOrganization
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.ports import (
    CatalogRepository,
    CheckoutRepository,
    CustomerRepository,
    EventFeed,
    EventOutbox,
    EventSequencer,
    PaymentRepository,
    Secrets,
    TaskQueue,
    Tenants,
)
from domain.ids import Ids


class Store(
    EventOutbox,
    CustomerRepository,
    CatalogRepository,
    CheckoutRepository,
    PaymentRepository,
    EventFeed,
    EventSequencer,
    TaskQueue,
    Tenants,
    Protocol,
):
    """All the ports that one store implements."""


StoreT = TypeVar("StoreT", bound=Store)


class UseCases(Generic[StoreT]):
    """All that the service can do, on a store of whichever adapter; the worker may have one of its own."""

    def __init__(
        self,
        store: StoreT,
        worker_store: StoreT | None = None,
        ids: Ids | None = None,
        *,
        gateway: MemoryGateway | None = None,
        clock: FixedClock | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self.store = store
        self.worker_store = worker_store or store
        self.clock = clock or FixedClock()
        self.ids = ids or SequentialIds()
        self.gateway = gateway or MemoryGateway()
        worker, gateway, ids, clock = self.worker_store, self.gateway, self.ids, self.clock
        self.create_organization = CreateOrganization(store, ids, clock, secrets or SequentialSecrets())
        self.apply_catalog = ApplyCatalog(store, store, ids, clock)
        self.create_customer = CreateCustomer(store, store, ids, clock)
        self.create_customer_at_stripe = CreateCustomerAtStripe(worker, gateway, worker, ids, clock)
        self.open_checkout_session = OpenCheckoutSession(store, gateway, store, ids, clock)
        self.process_payment_intent = ProcessPaymentIntent(store, gateway, store, ids, clock)
