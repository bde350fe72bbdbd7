"""The composition root: which adapter each port is plugged into. Everything is made once, when first asked
for; a provider is swapped with `container.store.override(…)`.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import SystemRandom
from typing import Any, TypeAlias, TypeVar

import asyncpg
from dependency_injector import containers, providers
from pydantic import SecretStr

from adapters.by_mode import GatewayByMode, HistoryByMode
from adapters.mail.log import LogMailer
from adapters.mail.smtp import SmtpMailer, SmtpServer
from adapters.mail.wording import TemplateWording
from adapters.postgres.combining import USUAL, Limits
from adapters.postgres.pool import open_pool
from adapters.postgres.portal import PortalStore
from adapters.postgres.readiness import check_database
from adapters.postgres.roles import APP, PORTAL, WORKER
from adapters.postgres.store import PostgresStore
from adapters.sandbox import Sandbox
from adapters.stripe.connection import StripeAccount
from adapters.stripe.gateway import StripeGateway
from adapters.stripe.webhooks import StripeWebhookReader
from adapters.system import RandomSecrets, SystemClock, TypeIds
from adapters.webhooks.sender import HttpSender
from application.answer_once import AnswerOnce
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
from application.intake.ask_for_payment import AskForPayment
from application.intake.cancel_intake_payment import CancelIntakePayment
from application.invoices.finalize_invoices import NumberInvoices
from application.invoices.send_receipt import MailReceipt
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
from application.ports import Mailer
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
from entrypoints.deliveries import Deliveries
from entrypoints.effects import Effects
from entrypoints.inbox_retries import InboxRetries
from entrypoints.metrics.counted import Metrics
from entrypoints.metrics.measured import MeasuredGateway, MeasuredHistory, measured
from entrypoints.metrics.scrape import Scrape
from entrypoints.news import News
from entrypoints.reconcile_rounds import ReconcileRounds
from entrypoints.reconciliation import Reconciliation
from entrypoints.settings import InvalidSettings, MailServer, Settings, StripeMode
from entrypoints.tracing import traces_sent_to

UseCase = TypeVar("UseCase")

StandIn: TypeAlias = Sandbox
"""The Stripe that stands in for test mode."""

STRIPE_WEBHOOKS = "/v1/stripe/webhooks"
"""Where Stripe's webhooks are received."""


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise InvalidSettings("DATABASE_URL is missing, and no embedded server was started")
    return settings.database_url.get_secret_value()


def _public_url(settings: Settings, served_at: str) -> str:
    return settings.public_url or served_at


def _sandbox(settings: Settings) -> Sandbox:
    return Sandbox(snapshot=settings.home / "sandbox.json")


def _gateway(mode: StripeMode | None, *, livemode: bool) -> StripeGateway:
    if mode is None:
        return StripeGateway(test=None, live=None)
    account = StripeAccount(mode.secret_key.get_secret_value(), mode.publishable_key)
    return StripeGateway(
        test=None if livemode else account, live=account if livemode else None, api_base=mode.api_base
    )


def _webhook_reader(test: StripeMode | None, live: StripeMode | None) -> StripeWebhookReader:
    return StripeWebhookReader(
        test.webhook_secret.get_secret_value() if test else None,
        live.webhook_secret.get_secret_value() if live else None,
    )


def _modes(test: Callable[[], StripeMode | None], live: Callable[[], StripeMode | None]) -> list[bool]:
    """Those that have a Stripe at the moment."""
    return [livemode for livemode, mode in ((False, test()), (True, live())) if mode is not None]


def _mailer(server: MailServer | None) -> Mailer:
    if server is None:
        return LogMailer()
    password = server.password.get_secret_value() if server.password else None
    return SmtpMailer(
        SmtpServer(server.host, server.port, server.tls, server.username, password), server.sender
    )


def _store(
    pool: asyncpg.Pool, wait_seconds: float, limits: Limits, role: str, metrics: Metrics
) -> PostgresStore:
    store = PostgresStore(pool, wait_seconds, limits)
    metrics.read_round_trips(role, lambda: store.database.round_trips)
    return store


def _use_case(kind: type[UseCase], metrics: Metrics, **ports: Any) -> UseCase:  # noqa: ANN401
    return measured(kind, metrics.use_cases)(**ports)


class Container(containers.DeclarativeContainer):
    """Every adapter and use case of one process. Settings, `database_url` and `served_at` come from outside:
    `Container(settings=providers.Object(…), database_url=providers.Object(…))`.
    """

    settings = providers.Singleton(Settings.read)
    database_url = providers.Callable(_database_url, settings)
    served_at = providers.Object("http://127.0.0.1:8080")
    """This process's own address; `serving` sets it, once the port is known."""
    public_url = providers.Callable(_public_url, settings, served_at)
    """What links start with, such as a checkout session's."""

    clock = providers.Singleton(SystemClock)
    random = providers.Object(SystemRandom().random)
    """Keeps what failed together from being tried again together."""
    seconds = providers.Object(time.monotonic)
    """Measures how long something is remembered."""
    ids = providers.Singleton(TypeIds)
    secrets = providers.Singleton(RandomSecrets)
    metrics = providers.Singleton(Metrics)

    app_pool = providers.Singleton(open_pool, database_url, APP, max_size=settings.provided.pool_size)
    worker_pool = providers.Singleton(open_pool, database_url, WORKER, max_size=settings.provided.pool_size)
    limits = providers.Object(USUAL)
    """Of what goes to the database together: not a setting, but what the benchmarks compare."""
    store = providers.Singleton(_store, app_pool, settings.provided.pool_wait_seconds, limits, "app", metrics)
    worker_store = providers.Singleton(
        _store, worker_pool, settings.provided.pool_wait_seconds, limits, "worker", metrics
    )
    portal_pool = providers.Singleton(open_pool, database_url, PORTAL, max_size=settings.provided.pool_size)
    portal_store = providers.Singleton(PortalStore, portal_pool, settings.provided.pool_wait_seconds)
    """What buyers in the portal read; what follows from what they do is written as the API writes."""
    scrape = providers.Singleton(Scrape, metrics, worker_store, clock, seconds=seconds)

    sandbox = providers.Factory(_sandbox, settings)
    stripe_test = providers.Callable(lambda settings: settings.stripe_test, settings)
    """A StripeMode or None; the sandbox's while it stands in."""
    stripe_live = providers.Callable(lambda settings: settings.stripe_live, settings)
    test_gateway = providers.Singleton(_gateway, stripe_test, livemode=False)
    live_gateway = providers.Singleton(_gateway, stripe_live, livemode=True)
    gateway = providers.Singleton(
        MeasuredGateway, providers.Singleton(GatewayByMode, test=test_gateway, live=live_gateway), metrics
    )
    history = providers.Singleton(
        MeasuredHistory, providers.Singleton(HistoryByMode, test=test_gateway, live=live_gateway), metrics
    )
    mailer = providers.Singleton(_mailer, settings.provided.mail_server)
    webhook_sender = providers.Singleton(HttpSender, settings.provided.webhook_addresses)
    webhook_reader = providers.Singleton(_webhook_reader, stripe_test, stripe_live)

    deciding = {"outbox": store, "ids": ids, "clock": clock}  # noqa: RUF012  (not a default: read here alone)
    working = {"outbox": worker_store, "ids": ids, "clock": clock}  # noqa: RUF012
    """What every use case needs; the worker's have its store."""

    create_organization: providers.Singleton[CreateOrganization] = providers.Singleton(
        _use_case, CreateOrganization, metrics, secrets=secrets, **deciding
    )
    update_organization: providers.Singleton[UpdateOrganization] = providers.Singleton(
        _use_case, UpdateOrganization, metrics, organizations=store, **deciding
    )
    create_api_key: providers.Singleton[CreateApiKey] = providers.Singleton(
        _use_case, CreateApiKey, metrics, secrets=secrets, **deciding
    )
    revoke_api_key: providers.Singleton[RevokeApiKey] = providers.Singleton(
        _use_case, RevokeApiKey, metrics, api_keys=store, **deciding
    )
    apply_catalog: providers.Singleton[ApplyCatalog] = providers.Singleton(
        _use_case, ApplyCatalog, metrics, catalogs=store, **deciding
    )
    create_customer: providers.Singleton[CreateCustomer] = providers.Singleton(
        _use_case, CreateCustomer, metrics, customers=store, gateway=gateway, **deciding
    )
    create_entity: providers.Singleton[CreateEntity] = providers.Singleton(
        _use_case, CreateEntity, metrics, entities=store, **deciding
    )
    delete_entity: providers.Singleton[DeleteEntity] = providers.Singleton(
        _use_case, DeleteEntity, metrics, entities=store, **deciding
    )
    update_customer: providers.Singleton[UpdateCustomer] = providers.Singleton(
        _use_case, UpdateCustomer, metrics, customers=store, **deciding
    )
    delete_customer: providers.Singleton[DeleteCustomer] = providers.Singleton(
        _use_case, DeleteCustomer, metrics, customers=store, **deciding
    )
    sign_up: providers.Singleton[SignUp] = providers.Singleton(
        _use_case, SignUp, metrics, users=store, **deciding
    )
    update_user: providers.Singleton[UpdateUser] = providers.Singleton(
        _use_case, UpdateUser, metrics, users=store, **deciding
    )
    backfill_stripe_customer: providers.Singleton[BackfillStripeCustomer] = providers.Singleton(
        _use_case, BackfillStripeCustomer, metrics, users=store, gateway=gateway, **deciding
    )
    create_webhook_endpoint: providers.Singleton[CreateWebhookEndpoint] = providers.Singleton(
        _use_case,
        CreateWebhookEndpoint,
        metrics,
        endpoints=store,
        secrets=secrets,
        addresses=settings.provided.webhook_addresses,
        **deciding,
    )
    update_webhook_endpoint: providers.Singleton[UpdateWebhookEndpoint] = providers.Singleton(
        _use_case,
        UpdateWebhookEndpoint,
        metrics,
        endpoints=store,
        addresses=settings.provided.webhook_addresses,
        **deciding,
    )
    delete_webhook_endpoint: providers.Singleton[DeleteWebhookEndpoint] = providers.Singleton(
        _use_case, DeleteWebhookEndpoint, metrics, endpoints=store, **deciding
    )
    rotate_webhook_secret: providers.Singleton[RotateWebhookSecret] = providers.Singleton(
        _use_case, RotateWebhookSecret, metrics, endpoints=store, secrets=secrets, **deciding
    )
    send_test_event: providers.Singleton[SendTestEvent] = providers.Singleton(
        _use_case, SendTestEvent, metrics, endpoints=store, **deciding
    )
    redeliver_events: providers.Singleton[RedeliverEvents] = providers.Singleton(
        _use_case, RedeliverEvents, metrics, endpoints=store, queue=store, clock=clock
    )
    deliver_event: providers.Singleton[DeliverEvent] = providers.Singleton(
        _use_case,
        DeliverEvent,
        metrics,
        sender=webhook_sender,
        queue=worker_store,
        endpoints=worker_store,
        random=random,
        **working,
    )
    deliveries = providers.Singleton(
        Deliveries, worker_store, deliver_event, clock, metrics.provided.deliveries
    )
    """The worker's hands for what goes to endpoints."""
    first_use = providers.Singleton(FirstUse, customers=store, entities=store, **deciding)
    check_feature: providers.Singleton[CheckFeature] = providers.Singleton(
        _use_case, CheckFeature, metrics, ledger=store, first_use=first_use, clock=clock
    )
    track_usage: providers.Singleton[TrackUsage] = providers.Singleton(
        _use_case, TrackUsage, metrics, ledger=store, first_use=first_use, ids=ids, clock=clock
    )
    grant_balance: providers.Singleton[GrantBalance] = providers.Singleton(
        _use_case, GrantBalance, metrics, ledger=store, **deciding
    )
    correct_balance: providers.Singleton[CorrectBalance] = providers.Singleton(
        _use_case, CorrectBalance, metrics, ledger=store, ids=ids, clock=clock
    )
    open_checkout_session: providers.Singleton[OpenCheckoutSession] = providers.Singleton(
        _use_case,
        OpenCheckoutSession,
        metrics,
        checkouts=store,
        gateway=gateway,
        secrets=secrets,
        lifetime=settings.provided.checkout_lifetime,
        **deciding,
    )
    attach_product: providers.Singleton[AttachProduct] = providers.Singleton(
        _use_case,
        AttachProduct,
        metrics,
        attachments=store,
        checkouts=store,
        gateway=gateway,
        secrets=secrets,
        lifetime=settings.provided.checkout_lifetime,
        **deciding,
    )
    expire_checkout_session: providers.Singleton[ExpireCheckoutSession] = providers.Singleton(
        _use_case, ExpireCheckoutSession, metrics, checkouts=store, **deciding
    )
    complete_free_checkout: providers.Singleton[CompleteFreeCheckout] = providers.Singleton(
        _use_case, CompleteFreeCheckout, metrics, payments=store, **deciding
    )
    update_checkout_session: providers.Singleton[UpdateCheckoutSession] = providers.Singleton(
        _use_case, UpdateCheckoutSession, metrics, checkouts=store, gateway=gateway, **deciding
    )
    process_payment_intent: providers.Singleton[ProcessPaymentIntent] = providers.Singleton(
        _use_case, ProcessPaymentIntent, metrics, payments=store, gateway=gateway, **deciding
    )
    process_setup_intent: providers.Singleton[ProcessSetupIntent] = providers.Singleton(
        _use_case, ProcessSetupIntent, metrics, payments=store, gateway=gateway, **deciding
    )
    news = providers.Singleton(News, process_payment_intent, process_setup_intent)
    compare_with_stripe: providers.Singleton[CompareWithStripe] = providers.Singleton(
        _use_case, CompareWithStripe, metrics, payments=store, gateway=gateway, ids=ids, clock=clock
    )
    reconciliation = providers.Singleton(
        Reconciliation, history, gateway, compare_with_stripe, news, store, worker_store, clock
    )
    reconcile_rounds = providers.Singleton(
        ReconcileRounds,
        worker_store,
        reconciliation,
        clock,
        metrics.provided.reconciled,
        providers.Callable(_modes, stripe_test.provider, stripe_live.provider).provider,
        settings.provided.reconcile_every,
    )
    make_purchase: providers.Singleton[MakePurchase] = providers.Singleton(
        _use_case, MakePurchase, metrics, checkouts=store, **deciding
    )
    ask_for_access: providers.Singleton[AskForAccess] = providers.Singleton(
        _use_case, AskForAccess, metrics, door=store, ids=ids, clock=clock
    )
    sign_in: providers.Singleton[SignIn] = providers.Singleton(
        _use_case, SignIn, metrics, door=store, accounts=store, secrets=secrets, **deciding
    )
    make_portal_link: providers.Singleton[MakePortalLink] = providers.Singleton(
        _use_case, MakePortalLink, metrics, customers=store, door=store, secrets=secrets, clock=clock
    )
    use_portal_link: providers.Singleton[UsePortalLink] = providers.Singleton(
        _use_case, UsePortalLink, metrics, door=store, ids=ids, clock=clock, secrets=secrets
    )
    cancel_subscription: providers.Singleton[CancelSubscription] = providers.Singleton(
        _use_case, CancelSubscription, metrics, subscriptions=store, **deciding
    )
    resume_subscription: providers.Singleton[ResumeSubscription] = providers.Singleton(
        _use_case, ResumeSubscription, metrics, subscriptions=store, **deciding
    )
    choose_payment_method: providers.Singleton[ChoosePaymentMethod] = providers.Singleton(
        _use_case, ChoosePaymentMethod, metrics, subscriptions=store, **deciding
    )
    portal_cancel_subscription: providers.Singleton[CancelSubscription] = providers.Singleton(
        _use_case, CancelSubscription, metrics, subscriptions=portal_store, **deciding
    )
    portal_resume_subscription: providers.Singleton[ResumeSubscription] = providers.Singleton(
        _use_case, ResumeSubscription, metrics, subscriptions=portal_store, **deciding
    )
    portal_choose_payment_method: providers.Singleton[ChoosePaymentMethod] = providers.Singleton(
        _use_case, ChoosePaymentMethod, metrics, subscriptions=portal_store, **deciding
    )
    portal_open_checkout_session: providers.Singleton[OpenCheckoutSession] = providers.Singleton(
        _use_case,
        OpenCheckoutSession,
        metrics,
        checkouts=portal_store,
        gateway=gateway,
        secrets=secrets,
        lifetime=settings.provided.checkout_lifetime,
        **deciding,
    )
    """What buyers do in the portal: decided on what its role shows, and written as by the API."""
    inbox_retries = providers.Singleton(InboxRetries, worker_store, news, clock, metrics.provided.inbox_tries)
    answer_once = providers.Singleton(AnswerOnce, store)
    refund_payment: providers.Singleton[RefundPayment] = providers.Singleton(
        _use_case, RefundPayment, metrics, payments=store, gateway=gateway, **deciding
    )
    ask_for_payment: providers.Singleton[AskForPayment] = providers.Singleton(
        _use_case, AskForPayment, metrics, intakes=store, users=store, gateway=gateway, **deciding
    )
    cancel_intake_payment: providers.Singleton[CancelIntakePayment] = providers.Singleton(
        _use_case, CancelIntakePayment, metrics, intakes=store, **deciding
    )
    effects = providers.Singleton(
        Effects,
        providers.Singleton(
            _use_case, CreateCustomerAtStripe, metrics, customers=worker_store, gateway=gateway, **working
        ),
        providers.Singleton(_use_case, ExpireCheckoutSession, metrics, checkouts=worker_store, **working),
        providers.Singleton(_use_case, CancelIntentAtStripe, metrics, gateway=gateway, **working),
        providers.Singleton(
            _use_case, RefundPayment, metrics, payments=worker_store, gateway=gateway, **working
        ),
        providers.Singleton(
            _use_case, ChargeForInvoice, metrics, billing=worker_store, gateway=gateway, **working
        ),
        providers.Singleton(_use_case, RenewAndBill, metrics, billing=worker_store, **working),
        providers.Singleton(
            _use_case, NumberInvoices, metrics, invoices=worker_store, secrets=secrets, **working
        ),
        providers.Singleton(
            _use_case,
            MailReceipt,
            metrics,
            invoices=worker_store,
            writer=providers.Factory(TemplateWording),
            mailer=mailer,
            public_url=public_url.provider,
            **working,
        ),
        providers.Singleton(
            _use_case, TellStripeOfCustomer, metrics, customers=worker_store, gateway=gateway, **working
        ),
        providers.Singleton(
            _use_case, CreateUserAtStripe, metrics, users=worker_store, gateway=gateway, **working
        ),
        providers.Singleton(
            _use_case, TellStripeOfUser, metrics, users=worker_store, gateway=gateway, **working
        ),
        providers.Singleton(
            _use_case,
            MailAccessCode,
            metrics,
            door=worker_store,
            accounts=worker_store,
            writer=providers.Factory(TemplateWording),
            mailer=mailer,
            **working,
        ),
        providers.Singleton(
            _use_case,
            MailEndpointDisabled,
            metrics,
            endpoints=worker_store,
            writer=providers.Factory(TemplateWording),
            mailer=mailer,
            **working,
        ),
    )
    """What the worker does; with the worker's store."""


@asynccontextmanager
async def opened(container: Container) -> AsyncIterator[None]:
    """Open the database for as long as the block runs, and refuse one that must not be served from.

    What was made is forgotten at the end, so that a container can be opened again, in another event loop.
    """
    async with AsyncExitStack() as stack:
        stack.callback(container.reset_singletons)
        stack.enter_context(traces_sent_to(container.settings().traces_endpoint))
        for pool in _pools(container):
            await stack.enter_async_context(pool)
            await check_database(pool)
        if not container.gateway.overridden:
            for gateway in (container.test_gateway(), container.live_gateway()):
                stack.push_async_callback(gateway.close)
        if not container.webhook_sender.overridden:
            stack.push_async_callback(container.webhook_sender().close)
        yield


def _pools(container: Container) -> list[asyncpg.Pool]:
    """A store that was swapped for another one, such as one in memory, needs no pool."""
    pairs = (
        (container.store, container.app_pool),
        (container.worker_store, container.worker_pool),
        (container.portal_store, container.portal_pool),
    )
    return [pool() for store, pool in pairs if not store.overridden]


@asynccontextmanager
async def sandbox_standing_in(container: Container, served_at: str) -> AsyncIterator[StandIn | None]:
    """Where Stripe's test mode is not configured, the sandbox stands in for it while the block runs.

    For the process that serves at `served_at`, where the sandbox then sends its webhooks; to be entered
    before the container is opened. Gives None when there is nothing to stand in for.
    """
    if container.gateway.overridden or container.stripe_test() is not None:
        yield None
        return
    async with container.sandbox() as sandbox:
        sandbox.send_webhooks_to(served_at + STRIPE_WEBHOOKS)
        mode = StripeMode(
            SecretStr(sandbox.secret_key),
            sandbox.publishable_key,
            SecretStr(sandbox.webhook_secret),
            sandbox.url,
        )
        with container.stripe_test.override(providers.Object(mode)):
            yield sandbox
