"""The HTTP API: routes, what they are given, and what is done around all of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from litestar import Litestar, Router
from litestar.events import BaseEventEmitterBackend

from entrypoints.container import Container, opened
from entrypoints.http.attach import attach
from entrypoints.http.audit import AuditController
from entrypoints.http.auth import AnyRequest, ApiKeys, acts_as_buyer, identify
from entrypoints.http.balances import BalanceController
from entrypoints.http.catalog import CatalogController
from entrypoints.http.checkout_confirm import confirm_checkout
from entrypoints.http.checkout_details import change_details
from entrypoints.http.checkout_page import checkout_page
from entrypoints.http.checkout_return import return_from_paying
from entrypoints.http.checkout_sessions import CheckoutSessionController
from entrypoints.http.customer_billing import CustomerBillingController
from entrypoints.http.customer_changes import CustomerChangesController
from entrypoints.http.customer_lists import CustomerListController
from entrypoints.http.customers import CustomerController
from entrypoints.http.description import openapi_config
from entrypoints.http.docs import docs, redoc
from entrypoints.http.entities import EntityController
from entrypoints.http.events import EventController
from entrypoints.http.health import live, ready
from entrypoints.http.injection import injectable, provided
from entrypoints.http.intake_page import intake_page, return_from_intake
from entrypoints.http.intake_payments import IntakePaymentController
from entrypoints.http.invoice_page import invoice_page
from entrypoints.http.invoices import InvoiceController
from entrypoints.http.metrics import metrics
from entrypoints.http.payments import PaymentController
from entrypoints.http.portal.pages import portal_pages
from entrypoints.http.portal_links import PortalLinkController
from entrypoints.http.problems import LONGEST_BODY, answer
from entrypoints.http.purchases import PurchaseController
from entrypoints.http.query import check_parameters
from entrypoints.http.rate_limits import RateLimits
from entrypoints.http.requests import Call, RequestLog
from entrypoints.http.stripe_inbox import InboxController
from entrypoints.http.stripe_webhooks import receive_stripe_webhook
from entrypoints.http.subscription_changes import SubscriptionChangesController
from entrypoints.http.subscriptions import SubscriptionController
from entrypoints.http.usage import UsageController
from entrypoints.http.users import UserController


class NoEmitter(BaseEventEmitterBackend):
    """Litestar's own events are not used; its emitter would have the lifespan begin and end in one task."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def emit(self, event_id: str, *args: object, **kwargs: object) -> None:
        raise AssertionError("nothing listens to this")


def create_app(container: Container) -> Litestar:
    """The service over HTTP. Its lifespan opens the container and makes everything that handlers need."""
    given = injectable(container)
    keys = ApiKeys(container.store, seconds=container.seconds())

    limits = RateLimits(container.settings().rate_limit, container.seconds())

    async def admitted(call: AnyRequest) -> None:
        if not acts_as_buyer(call):
            await identify(call, keys)
            limits.take(call.auth.api_key_id)
        check_parameters(call)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with opened(container):
            for provider in given.values():
                provider()
            yield

    with_key = Router(
        "/v1",
        before_request=admitted,
        route_handlers=[
            UserController,
            CustomerController,
            CustomerListController,
            CustomerBillingController,
            CustomerChangesController,
            PortalLinkController,
            EntityController,
            UsageController,
            BalanceController,
            attach,
            CatalogController,
            CheckoutSessionController,
            PaymentController,
            IntakePaymentController,
            PurchaseController,
            InvoiceController,
            SubscriptionChangesController,  # before the other one, whose OPTIONS knows only its own
            SubscriptionController,
            EventController,
            AuditController,
            InboxController,
        ],
        security=[{"api_key": []}],
    )
    app = Litestar(
        [
            with_key,
            receive_stripe_webhook,
            checkout_page,
            change_details,
            confirm_checkout,
            return_from_paying,
            intake_page,
            return_from_intake,
            invoice_page,
            portal_pages,
            live,
            ready,
            metrics,
            docs,
            redoc,
        ],
        lifespan=[lifespan],
        dependencies={name: provided(provider) for name, provider in given.items()},
        exception_handlers={Exception: answer},
        request_class=Call,
        request_max_body_size=LONGEST_BODY,
        openapi_config=openapi_config(),
        logging_config=None,
        event_emitter_backend=NoEmitter,
    )
    app.asgi_handler = RequestLog(app.asgi_handler, container.ids(), container.metrics())
    return app
