"""Every use case on one store, with a clock, ids and a provider that obey."""

from typing import Generic, Protocol, TypeVar

from adapters.mail.wording import TemplateWording
from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from adapters.memory.ids import SequentialIds
from adapters.memory.mailer import MemoryMailer
from adapters.memory.secrets import SequentialSecrets
from adapters.memory.sender import MemorySender
from application.billing.charge_invoice import ChargeForInvoice
from application.billing.renew_subscription import RenewAndBill
from application.catalog.apply_catalog import ApplyCatalog
from application.checkout.attach_product import AttachProduct
from application.checkout.complete_free_checkout import CompleteFreeCheckout
from application.checkout.expire_checkout_session import ExpireCheckoutSession
from application.checkout.open_checkout_session import OpenCheckoutSession
from application.checkout.update_checkout_session import UpdateCheckoutSession
from application.customers.create_customer import CreateCustomer
from application.customers.create_stripe_customer import CreateCustomerAtStripe
from application.customers.delete_customer import DeleteCustomer
from application.customers.tell_stripe import TellStripeOfCustomer
from application.customers.update_customer import UpdateCustomer
from application.entities.create_entity import CreateEntity
from application.entities.delete_entity import DeleteEntity
from application.idempotency import KeptReplies
from application.intake.ask_for_payment import AskForPayment
from application.intake.cancel_intake_payment import CancelIntakePayment
from application.invoices.finalize_invoices import NumberInvoices
from application.invoices.send_receipt import MailReceipt
from application.operator_ports import (
    ApiKeyRepository,
    Backlogs,
    Inbox,
    InboxFeed,
    InboxQueue,
    Organizations,
    Rounds,
    Unsettleds,
)
from application.organizations.create_api_key import CreateApiKey
from application.organizations.create_organization import CreateOrganization
from application.organizations.revoke_api_key import RevokeApiKey
from application.organizations.update_organization import UpdateOrganization
from application.payments.cancel_intent import CancelIntentAtStripe
from application.payments.compare_with_stripe import CompareWithStripe
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.payments.process_setup_intent import ProcessSetupIntent
from application.payments.refund_payment import RefundPayment
from application.portal.ask_for_access import AskForAccess
from application.portal.links import MakePortalLink, UsePortalLink
from application.portal.send_access_code import MailAccessCode
from application.portal.sign_in import SignIn
from application.ports import (
    AttachmentRepository,
    BillingRepository,
    CatalogRepository,
    CheckoutRepository,
    CustomerRepository,
    DeliveryFeed,
    DeliveryQueue,
    EntityRepository,
    EventFeed,
    EventOutbox,
    EventSequencer,
    EventShelf,
    IntakeRepository,
    InvoiceRepository,
    Mailer,
    PaymentRepository,
    PurchaseRepository,
    Secrets,
    SubscriptionRepository,
    TaskQueue,
    Tenants,
    UsageLedger,
    UserRepository,
    WebhookEndpointRepository,
)
from application.ports.audit import AuditLog
from application.ports.portal import PortalAccounts, PortalDoor, PortalRepository
from application.purchases.make_purchase import MakePurchase
from application.subscriptions.cancel_subscription import CancelSubscription
from application.subscriptions.choose_payment_method import ChoosePaymentMethod
from application.subscriptions.resume_subscription import ResumeSubscription
from application.usage.check_feature import CheckFeature
from application.usage.correct_balance import CorrectBalance
from application.usage.first_use import FirstUse
from application.usage.grant_balance import GrantBalance
from application.usage.track_usage import TrackUsage
from application.users.backfill_stripe_customer import BackfillStripeCustomer
from application.users.create_stripe_user import CreateUserAtStripe
from application.users.sign_up import SignUp
from application.users.tell_stripe import TellStripeOfUser
from application.users.update_user import UpdateUser
from application.webhooks.create_endpoint import CreateWebhookEndpoint
from application.webhooks.delete_endpoint import DeleteWebhookEndpoint
from application.webhooks.deliver_event import DeliverEvent
from application.webhooks.mail_endpoint_disabled import MailEndpointDisabled
from application.webhooks.redeliver_events import RedeliverEvents
from application.webhooks.rotate_secret import RotateWebhookSecret
from application.webhooks.send_test_event import SendTestEvent
from application.webhooks.update_endpoint import UpdateWebhookEndpoint
from domain.ids import Ids
from entrypoints.deliveries import Deliveries
from entrypoints.effects import Effects
from entrypoints.inbox_retries import InboxRetries
from entrypoints.metrics.counted import Metrics, Tries
from entrypoints.news import News
from entrypoints.reconciliation import Reconciliation


class Store(
    EventOutbox,
    CustomerRepository,
    UserRepository,
    EntityRepository,
    CatalogRepository,
    CheckoutRepository,
    AttachmentRepository,
    PaymentRepository,
    PurchaseRepository,
    InvoiceRepository,
    IntakeRepository,
    SubscriptionRepository,
    PortalDoor,
    PortalAccounts,
    EventFeed,
    AuditLog,
    EventSequencer,
    EventShelf,
    TaskQueue,
    Tenants,
    Organizations,
    ApiKeyRepository,
    Inbox,
    InboxFeed,
    InboxQueue,
    Unsettleds,
    Rounds,
    Backlogs,
    KeptReplies,
    BillingRepository,
    UsageLedger,
    WebhookEndpointRepository,
    DeliveryFeed,
    DeliveryQueue,
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
        portal: PortalRepository | None = None,
        gateway: MemoryGateway | None = None,
        clock: FixedClock | None = None,
        secrets: Secrets | None = None,
        mailer: MemoryMailer | None = None,
        sender: MemorySender | None = None,
    ) -> None:
        self.store = store
        self.worker_store = worker_store or store
        self.clock = clock or FixedClock()
        self.ids = ids or SequentialIds()
        self.gateway = gateway or MemoryGateway()
        self.mailer = mailer or MemoryMailer()
        worker, gateway, ids, clock = self.worker_store, self.gateway, self.ids, self.clock
        secrets = secrets or SequentialSecrets()
        self.create_organization = CreateOrganization(store, ids, clock, secrets)
        self.update_organization = UpdateOrganization(store, store, ids, clock)
        self.create_api_key = CreateApiKey(store, ids, clock, secrets)
        self.revoke_api_key = RevokeApiKey(store, store, ids, clock)
        self.apply_catalog = ApplyCatalog(store, store, ids, clock)
        self.create_customer = CreateCustomer(store, gateway, store, ids, clock)
        self.update_customer = UpdateCustomer(store, store, ids, clock)
        self.delete_customer = DeleteCustomer(store, store, ids, clock)
        self.sign_up = SignUp(store, store, ids, clock)
        self.update_user = UpdateUser(store, store, ids, clock)
        self.backfill_stripe_customer = BackfillStripeCustomer(store, gateway, store, ids, clock)
        self.create_entity = CreateEntity(store, store, ids, clock)
        self.delete_entity = DeleteEntity(store, store, ids, clock)
        self.create_customer_at_stripe = CreateCustomerAtStripe(worker, gateway, worker, ids, clock)
        self.effects = effects_on(worker, gateway, ids, clock, secrets, self.mailer)
        self.expire_checkout_session = ExpireCheckoutSession(store, store, ids, clock)
        self.open_checkout_session = OpenCheckoutSession(store, gateway, store, ids, clock, secrets)
        self.attach_product = AttachProduct(store, store, gateway, store, ids, clock, secrets)
        self.complete_free_checkout = CompleteFreeCheckout(store, store, ids, clock)
        self.update_checkout_session = UpdateCheckoutSession(store, gateway, store, ids, clock)
        self.create_webhook_endpoint = CreateWebhookEndpoint(store, store, ids, clock, secrets)
        self.update_webhook_endpoint = UpdateWebhookEndpoint(store, store, ids, clock)
        self.delete_webhook_endpoint = DeleteWebhookEndpoint(store, store, ids, clock)
        self.rotate_webhook_secret = RotateWebhookSecret(store, store, ids, clock, secrets)
        self.send_test_event = SendTestEvent(store, store, ids, clock)
        self.redeliver_events = RedeliverEvents(store, store, clock)
        self.sender = sender or MemorySender()
        self.deliver_event = DeliverEvent(self.sender, worker, worker, worker, ids, clock, random=lambda: 0.5)
        self.deliveries = Deliveries(worker, self.deliver_event, clock, Metrics().deliveries)
        self._portal = portal
        self.ask_for_access = AskForAccess(store, ids, clock)
        self.sign_in = SignIn(store, store, store, ids, clock, secrets)
        self.make_portal_link = MakePortalLink(store, store, secrets, clock)
        self.use_portal_link = UsePortalLink(store, ids, clock, secrets)
        self.news = news_on(store, gateway, ids, clock)
        self.process_payment_intent = self.news.process_payment_intent
        self.process_setup_intent = self.news.process_setup_intent
        compare = CompareWithStripe(store, gateway, ids, clock)
        self.reconciliation = Reconciliation(gateway, gateway, compare, self.news, store, worker, clock)
        self.make_purchase = MakePurchase(store, store, ids, clock)
        self.refund_payment = RefundPayment(store, gateway, store, ids, clock)
        self.ask_for_payment = AskForPayment(store, store, gateway, store, ids, clock)
        self.cancel_intake_payment = CancelIntakePayment(store, store, ids, clock)
        self.cancel_subscription = CancelSubscription(store, store, ids, clock)
        self.resume_subscription = ResumeSubscription(store, store, ids, clock)
        self.choose_payment_method = ChoosePaymentMethod(store, store, ids, clock)
        first_use = FirstUse(store, store, store, ids, clock)
        self.check_feature = CheckFeature(store, first_use, clock)
        self.track_usage = TrackUsage(store, first_use, ids, clock)
        self.correct_balance = CorrectBalance(store, ids, clock)
        self.grant_balance = GrantBalance(store, store, ids, clock)
        self.retries = InboxRetries(worker, self.news, clock, Tries())

    @property
    def portal(self) -> PortalRepository:
        """What buyers in the portal read."""
        assert self._portal is not None, "this world has no portal"
        return self._portal


def effects_on(
    store: Store,
    gateway: MemoryGateway,
    ids: Ids,
    clock: FixedClock,
    secrets: Secrets,
    mailer: Mailer | None = None,
) -> Effects:
    """What the worker does, on its store."""
    mailer = mailer or MemoryMailer()
    return Effects(
        CreateCustomerAtStripe(store, gateway, store, ids, clock),
        ExpireCheckoutSession(store, store, ids, clock),
        CancelIntentAtStripe(gateway, store, ids, clock),
        RefundPayment(store, gateway, store, ids, clock),
        ChargeForInvoice(store, gateway, store, ids, clock),
        RenewAndBill(store, store, ids, clock),
        NumberInvoices(store, store, ids, clock, secrets),
        MailReceipt(store, TemplateWording(), mailer, store, ids, clock, lambda: "https://pay.example.com"),
        TellStripeOfCustomer(store, gateway, store, ids, clock),
        CreateUserAtStripe(store, gateway, store, ids, clock),
        TellStripeOfUser(store, gateway, store, ids, clock),
        MailAccessCode(store, store, TemplateWording(), mailer, store, ids, clock),
        MailEndpointDisabled(store, TemplateWording(), mailer, store, ids, clock),
    )


def news_on(store: Store, gateway: MemoryGateway, ids: Ids, clock: FixedClock) -> News:
    """What becomes of what Stripe reports."""
    return News(
        ProcessPaymentIntent(store, gateway, store, ids, clock),
        ProcessSetupIntent(store, gateway, store, ids, clock),
    )
