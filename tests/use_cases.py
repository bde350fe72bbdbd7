"""Every use case on one store, with a clock, ids and a provider that obey."""

from typing import Generic, Protocol, TypeVar

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from adapters.memory.ids import SequentialIds
from adapters.memory.secrets import SequentialSecrets
from application.catalog.apply_catalog import ApplyCatalog
from application.checkout.complete_free_checkout import CompleteFreeCheckout
from application.checkout.expire_checkout_session import ExpireCheckoutSession
from application.checkout.open_checkout_session import OpenCheckoutSession
from application.checkout.update_checkout_session import UpdateCheckoutSession
from application.customers.create_customer import CreateCustomer
from application.customers.create_stripe_customer import CreateCustomerAtStripe
from application.idempotency import KeptReplies
from application.operator_ports import (
    ApiKeyRepository,
    Backlogs,
    Inbox,
    InboxFeed,
    InboxQueue,
    Organizations,
)
from application.organizations.create_api_key import CreateApiKey
from application.organizations.create_organization import CreateOrganization
from application.organizations.revoke_api_key import RevokeApiKey
from application.payments.cancel_payment_intent import CancelIntentAtStripe
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.payments.refund_payment import RefundPayment
from application.ports import (
    CatalogRepository,
    CheckoutRepository,
    CustomerRepository,
    EventFeed,
    EventOutbox,
    EventSequencer,
    PaymentRepository,
    PurchaseRepository,
    Secrets,
    SubscriptionRepository,
    TaskQueue,
    Tenants,
)
from domain.ids import Ids
from entrypoints.effects import Effects
from entrypoints.inbox_retries import InboxRetries
from entrypoints.metrics.counted import Tries


class Store(
    EventOutbox,
    CustomerRepository,
    CatalogRepository,
    CheckoutRepository,
    PaymentRepository,
    PurchaseRepository,
    SubscriptionRepository,
    EventFeed,
    EventSequencer,
    TaskQueue,
    Tenants,
    Organizations,
    ApiKeyRepository,
    Inbox,
    InboxFeed,
    InboxQueue,
    Backlogs,
    KeptReplies,
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
        secrets = secrets or SequentialSecrets()
        self.create_organization = CreateOrganization(store, ids, clock, secrets)
        self.create_api_key = CreateApiKey(store, ids, clock, secrets)
        self.revoke_api_key = RevokeApiKey(store, store, ids, clock)
        self.apply_catalog = ApplyCatalog(store, store, ids, clock)
        self.create_customer = CreateCustomer(store, store, ids, clock)
        self.create_customer_at_stripe = CreateCustomerAtStripe(worker, gateway, worker, ids, clock)
        self.effects = Effects(
            self.create_customer_at_stripe,
            ExpireCheckoutSession(worker, worker, ids, clock),
            CancelIntentAtStripe(gateway, worker, ids, clock),
            RefundPayment(worker, gateway, worker, ids, clock),
        )
        self.expire_checkout_session = ExpireCheckoutSession(store, store, ids, clock)
        self.open_checkout_session = OpenCheckoutSession(store, gateway, store, ids, clock, secrets)
        self.complete_free_checkout = CompleteFreeCheckout(store, store, ids, clock)
        self.update_checkout_session = UpdateCheckoutSession(store, store, ids, clock)
        self.process_payment_intent = ProcessPaymentIntent(store, gateway, store, ids, clock)
        self.refund_payment = RefundPayment(store, gateway, store, ids, clock)
        self.retries = InboxRetries(worker, self.process_payment_intent, clock, Tries())
