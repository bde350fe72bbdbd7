"""Every endpoint the sandbox knows, on one page."""

import re
from collections.abc import Callable

import msgspec

from adapters.sandbox.errors import JsonObject, StripeError
from adapters.sandbox.parameters import ListParameters, Parameters
from adapters.sandbox.resources import (
    charges,
    confirmation,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    refunds,
    setup_confirmation,
    setup_intents,
    webhook_endpoints,
)
from adapters.sandbox.resources import (
    intent_parameters as given,
)
from adapters.sandbox.resources.intents import for_buyers
from adapters.sandbox.search import SearchParameters

View = Callable[[JsonObject], JsonObject]


class Route(msgspec.Struct, frozen=True):
    """A method and path, what may be said to it, and what it does: `act(account, parameters, *ids)`."""

    method: str
    path: str
    parameters: type[msgspec.Struct]
    act: Callable[..., JsonObject]
    answers: str
    """The kind of object in the reply, or in the list that is the reply."""
    buyers_see: View | None = None
    """What a publishable key gets to see; without it, the endpoint is for secret keys only."""
    lists: bool = False

    def ids(self, path: str) -> list[str] | None:
        """The ids in a path that is this route's, else None."""
        match = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", self.path), path)
        return None if match is None else list(match.groups())


def _the_same(object: JsonObject) -> JsonObject:
    return object


# Literal paths stand before those with an id in the same place: the first match wins.
ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/customers", customers.CustomerParameters, customers.create_customer, "customer"),
    Route("GET", "/v1/customers", customers.ListCustomers, customers.list_customers, "customer", lists=True),
    Route(
        "GET", "/v1/customers/search", SearchParameters, customers.search_customers, "customer", lists=True
    ),
    Route("GET", "/v1/customers/{id}", Parameters, customers.retrieve_customer, "customer"),
    Route("POST", "/v1/customers/{id}", customers.CustomerParameters, customers.update_customer, "customer"),
    Route("DELETE", "/v1/customers/{id}", Parameters, customers.delete_customer, "deleted_customer"),
    Route(
        "GET", "/v1/customers/{id}/payment_methods",
        payment_methods.ListPaymentMethods, payment_methods.list_customers_payment_methods,
        "payment_method", lists=True,
    ),
    Route(
        "POST", "/v1/payment_intents",
        given.CreatePaymentIntent, payment_intents.create_payment_intent, "payment_intent",
    ),
    Route(
        "GET", "/v1/payment_intents",
        given.ListPaymentIntents, payment_intents.list_payment_intents, "payment_intent", lists=True,
    ),
    Route(
        "GET", "/v1/payment_intents/search",
        SearchParameters, payment_intents.search_payment_intents, "payment_intent", lists=True,
    ),
    Route(
        "GET", "/v1/payment_intents/{intent}",
        given.RetrieveIntent, payment_intents.retrieve_payment_intent, "payment_intent",
        for_buyers,
    ),
    Route(
        "POST", "/v1/payment_intents/{intent}",
        given.UpdatePaymentIntent, payment_intents.update_payment_intent, "payment_intent",
    ),
    Route(
        "POST", "/v1/payment_intents/{intent}/confirm",
        given.ConfirmPaymentIntent, confirmation.confirm_payment_intent, "payment_intent", for_buyers,
    ),
    Route(
        "POST", "/v1/payment_intents/{intent}/cancel",
        given.CancelPaymentIntent, payment_intents.cancel_payment_intent, "payment_intent",
    ),
    Route(
        "POST", "/v1/setup_intents",
        given.CreateSetupIntent, setup_intents.create_setup_intent, "setup_intent",
    ),
    Route(
        "GET", "/v1/setup_intents",
        given.ListSetupIntents, setup_intents.list_setup_intents, "setup_intent", lists=True,
    ),
    Route(
        "GET", "/v1/setup_intents/{intent}",
        given.RetrieveIntent, setup_intents.retrieve_setup_intent, "setup_intent", for_buyers,
    ),
    Route(
        "POST", "/v1/setup_intents/{intent}",
        given.UpdateSetupIntent, setup_intents.update_setup_intent, "setup_intent",
    ),
    Route(
        "POST", "/v1/setup_intents/{intent}/confirm",
        given.ConfirmIntent, setup_confirmation.confirm_setup_intent, "setup_intent", for_buyers,
    ),
    Route(
        "POST", "/v1/setup_intents/{intent}/cancel",
        given.CancelSetupIntent, setup_intents.cancel_setup_intent, "setup_intent",
    ),
    Route(
        "POST", "/v1/payment_methods",
        payment_methods.CreatePaymentMethod, payment_methods.create_payment_method,
        "payment_method", _the_same,
    ),
    Route(
        "GET", "/v1/payment_methods",
        payment_methods.ListPaymentMethods, payment_methods.list_payment_methods,
        "payment_method", lists=True,
    ),
    Route(
        "GET", "/v1/payment_methods/{id}",
        Parameters, payment_methods.retrieve_payment_method, "payment_method",
    ),
    Route(
        "POST", "/v1/payment_methods/{id}/attach",
        payment_methods.AttachPaymentMethod, payment_methods.attach_payment_method, "payment_method",
    ),
    Route(
        "POST", "/v1/payment_methods/{id}/detach",
        Parameters, payment_methods.detach_payment_method, "payment_method",
    ),
    Route("GET", "/v1/charges", charges.ListCharges, charges.list_charges, "charge", lists=True),
    Route("GET", "/v1/charges/{id}", Parameters, charges.retrieve_charge, "charge"),
    Route("POST", "/v1/refunds", refunds.CreateRefund, refunds.create_refund, "refund"),
    Route("GET", "/v1/refunds", refunds.ListRefunds, refunds.list_refunds, "refund", lists=True),
    Route("GET", "/v1/refunds/{id}", Parameters, refunds.retrieve_refund, "refund"),
    Route("POST", "/v1/refunds/{id}", refunds.UpdateRefund, refunds.update_refund, "refund"),
    Route("GET", "/v1/disputes", disputes.ListDisputes, disputes.list_disputes, "dispute", lists=True),
    Route("GET", "/v1/disputes/{id}", Parameters, disputes.retrieve_dispute, "dispute"),
    Route("GET", "/v1/events", events.ListEvents, events.list_events, "event", lists=True),
    Route("GET", "/v1/events/{id}", Parameters, events.retrieve_event, "event"),
    Route(
        "POST", "/v1/webhook_endpoints",
        webhook_endpoints.CreateWebhookEndpoint, webhook_endpoints.create_webhook_endpoint,
        "webhook_endpoint",
    ),
    Route(
        "GET", "/v1/webhook_endpoints",
        ListParameters, webhook_endpoints.list_webhook_endpoints, "webhook_endpoint", lists=True,
    ),
    Route(
        "GET", "/v1/webhook_endpoints/{id}",
        Parameters, webhook_endpoints.retrieve_webhook_endpoint, "webhook_endpoint",
    ),
    Route(
        "POST", "/v1/webhook_endpoints/{id}",
        webhook_endpoints.UpdateWebhookEndpoint, webhook_endpoints.update_webhook_endpoint,
        "webhook_endpoint",
    ),
    Route(
        "DELETE", "/v1/webhook_endpoints/{id}",
        Parameters, webhook_endpoints.delete_webhook_endpoint, "deleted_webhook_endpoint",
    ),
)  # fmt: skip


def find_route(method: str, path: str) -> tuple[Route, list[str]]:
    """The endpoint for a request and the ids in its path, or Stripe's 404."""
    for route in ROUTES:
        ids = route.ids(path) if route.method == method else None
        if ids is not None:
            return route, ids
    raise StripeError(f"Unrecognized request URL ({method}: {path}).", status=404)
