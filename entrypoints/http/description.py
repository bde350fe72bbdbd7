"""/openapi.json: the routes as Litestar knows them, and in them what only we know.

The schemas of bodies are msgspec's own, as it is msgspec that reads and writes them: with every limit, and
without unknown fields where they are refused. The examples are what the service answers in a test, which
writes them down (tests/entrypoints/http/test_examples.py).
"""

import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from litestar import MediaType, Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

from application.usage.check_feature import NewCheck
from application.usage.correct_balance import CorrectionAsked
from application.usage.track_usage import NewTrack
from application.views import SubscriptionItemView
from domain.attaching import NewAttachment
from domain.cancellation import NewCancellation
from domain.catalog_document import CatalogDocument
from domain.charging import MethodChoice
from domain.checkout import BuyerDetails, NewCheckoutSession
from domain.customer import NewCustomer
from domain.customer_changes import CustomerChanges
from domain.entity import NewEntity
from domain.granting import NewGrant
from domain.intake_payment import NewIntakePayment
from domain.purchase import NewPurchase
from domain.reversal import NewRefund
from domain.sign_up import NewUser
from domain.user_changes import UserChanges
from entrypoints.http.attach import AttachReply
from entrypoints.http.audit import AuditReply
from entrypoints.http.balances import BalanceList, CorrectionReply, EntryPage, UsagePage
from entrypoints.http.catalog import CatalogReply
from entrypoints.http.checkout_sessions import CheckoutSessionReply
from entrypoints.http.customer_billing import BillingReply
from entrypoints.http.customer_changes import CustomerDeletedReply
from entrypoints.http.customer_lists import CustomerPage
from entrypoints.http.customers import CustomerReply
from entrypoints.http.entities import EntityPage, EntityReply
from entrypoints.http.events import EventPage
from entrypoints.http.health import Health
from entrypoints.http.idempotency import HEADER, LONGEST_KEY, REPLAYED
from entrypoints.http.intake_payments import IntakePaymentPage, IntakePaymentReply
from entrypoints.http.invoices import InvoicePage, InvoiceReply, InvoiceWithPayments
from entrypoints.http.payments import PaymentPage, PaymentReply, RefundReply
from entrypoints.http.portal_links import PortalLinkReply
from entrypoints.http.problems import PROBLEM_JSON, Problem
from entrypoints.http.purchases import PurchasePage, PurchaseReply
from entrypoints.http.standing import BalanceReply
from entrypoints.http.stripe_inbox import InboxPage
from entrypoints.http.stripe_webhooks import WebhookReply
from entrypoints.http.subscriptions import SubscriptionPage, SubscriptionWithItems
from entrypoints.http.usage import CheckReply, TrackBatch, TrackBatchReply, TrackReply
from entrypoints.http.users import UserPage, UserReply

_BODIES = (
    AttachReply,
    AuditReply,
    BuyerDetails,
    CatalogDocument,
    CatalogReply,
    CheckReply,
    CheckoutSessionReply,
    CorrectionAsked,
    CorrectionReply,
    BalanceList,
    BalanceReply,
    BillingReply,
    CustomerChanges,
    CustomerDeletedReply,
    CustomerPage,
    CustomerReply,
    EntityPage,
    EntryPage,
    EntityReply,
    EventPage,
    Health,
    InboxPage,
    MethodChoice,
    NewAttachment,
    NewCancellation,
    NewCheck,
    NewCheckoutSession,
    NewCustomer,
    NewEntity,
    IntakePaymentPage,
    IntakePaymentReply,
    NewGrant,
    NewIntakePayment,
    NewPurchase,
    NewRefund,
    NewTrack,
    NewUser,
    InvoicePage,
    InvoiceReply,
    InvoiceWithPayments,
    PaymentPage,
    PaymentReply,
    PortalLinkReply,
    Problem,
    PurchasePage,
    PurchaseReply,
    RefundReply,
    SubscriptionItemView,
    SubscriptionPage,
    SubscriptionWithItems,
    TrackBatch,
    TrackBatchReply,
    TrackReply,
    UsagePage,
    UserChanges,
    UserPage,
    UserReply,
    WebhookReply,
)
_TEXT = Path(__file__).with_name("assets")
_METHODS = ("get", "put", "post", "patch", "delete")

_REQUEST_ID = {"$ref": "#/components/headers/RequestId"}
_NAMED = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Names the request, so that it can be sent again: it is done once, and answered the same, "
    "byte for byte, for 24 hours. Give each request a key of its own, such as a UUID.",
    "schema": {"type": "string", "pattern": rf"^[\x21-\x7e]{{1,{LONGEST_KEY}}}$"},
}
_REPLAYED = {
    "description": "`true` when the request had been done before, and this is its reply again.",
    "schema": {"const": "true"},
}
_HEADERS = {
    "RequestId": {
        "description": "The request's id, which leads to our logs.",
        "required": True,
        "schema": {"type": "string", "pattern": "^req_[0-9a-z]{26}$"},
    },
    "RetryAfter": {
        "description": "In how many seconds asking again may help; not there where it will not.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WwwAuthenticate": {"required": True, "schema": {"type": "string"}},
    "Replayed": _REPLAYED,
    "Location": {"required": True, "schema": {"type": "string", "format": "uri"}},
}
_OF_STATUS = {
    "303": {"Location": {"$ref": "#/components/headers/Location"}},
    "401": {"WWW-Authenticate": {"$ref": "#/components/headers/WwwAuthenticate"}},
    "409": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    "503": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
}


def openapi_config() -> OpenAPIConfig:
    """What Litestar is told. Its own pages would load their scripts from the internet; ours is in docs.py."""
    return OpenAPIConfig(
        title="Counterfoil",
        version=version("counterfoil"),
        description=(_TEXT / "api.md").read_text(encoding="utf-8"),
        path="/openapi.json",
        render_plugins=[_Description(path="/", media_type=MediaType.JSON)],
        components=Components(
            security_schemes={
                "api_key": SecurityScheme(type="http", scheme="bearer", description="cf_test_… or cf_live_…"),
                "client_token": SecurityScheme(
                    type="http", scheme="bearer", description="cst_…, of this one checkout session"
                ),
            }
        ),
        tags=[
            Tag("users", "People's own accounts: by our id, or by the application's own."),
            Tag("customers", "Who buys: by our id, or by the application's own."),
            Tag("entities", "Seats, workspaces, or whatever else a customer has several of."),
            Tag("entitlements", "What customers may use, what they have used, and what is left."),
            Tag("attach", "A customer gets a product, at once or by a checkout."),
            Tag("catalog", "What is sold: pricing models, products, prices and features, as one document."),
            Tag("checkout sessions", "A buyer is asked to pay, once, for one thing."),
            Tag("payments", "What was paid, what went back, and what is disputed."),
            Tag("intake payments", "What is asked of people by e-mail."),
            Tag("purchases", "What was bought, by whom, and whether it is paid."),
            Tag("invoices", "What customers are told that they owe, or have paid."),
            Tag("subscriptions", "What customers have, and had."),
            Tag("events", "What has happened, in the order in which it was stored."),
            Tag("stripe", "What Stripe tells us."),
            Tag("checkout", "Pages for buyers."),
            Tag("health", "For whoever runs the service."),
        ],
        use_handler_docstrings=True,
    )


class _Description(JsonRenderPlugin):
    def render(self, _: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if "headers" not in openapi_schema["components"]:  # Litestar hands out the same one each time
            complete(openapi_schema)
        return msgspec.json.encode(openapi_schema)


def complete(description: dict[str, Any]) -> None:
    """Put into Litestar's description what it does not know."""
    components = description["components"]
    components["headers"] = _HEADERS
    components["parameters"] = {"Named": _NAMED}
    components["schemas"] = _schemas(components["schemas"])
    for path in description["paths"].values():
        for operation in (path[method] for method in _METHODS if method in path):
            _complete(operation)
    _in_json_schema(description)


def _complete(operation: dict[str, Any]) -> None:
    example = _examples()["operations"].get(operation["operationId"], {})
    for parameter in operation.get("parameters", ()):
        _without_null(parameter["schema"])
    named = "`idempotency_key_reused`" in operation["responses"].get("422", {}).get("description", "")
    if named:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/Named"})
    body = operation.get("requestBody")
    if body is not None and "request" in example:
        body["content"]["application/json"]["example"] = example["request"]
    for status, reply in operation["responses"].items():
        reply["headers"] = {"X-Request-Id": _REQUEST_ID, **_OF_STATUS.get(status, {})}
        if named and status < "3":
            reply["headers"][REPLAYED] = {"$ref": "#/components/headers/Replayed"}
        for media_type, content in reply.get("content", {}).items():
            if media_type == PROBLEM_JSON:
                _complete_problem(content, status, re.findall(r"`(\w+)`", reply["description"]))
            elif status in example.get("replies", {}):
                content["example"] = example["replies"][status]


def _complete_problem(content: dict[str, Any], status: str, codes: list[str]) -> None:
    """A problem of this status, with one of these codes."""
    content["schema"] |= {"properties": {"status": {"const": int(status)}, "code": {"enum": codes}}}
    problems = _examples()["problems"]
    given = {code: problems[f"{status} {code}"] for code in codes if f"{status} {code}" in problems}
    if given:
        content["examples"] = {code: {"value": problem} for code, problem in given.items()}


def _without_null(schema: dict[str, Any]) -> None:
    """An address has no null: a parameter that may be left out is one that is not required. And limits are
    whole numbers.
    """
    if "oneOf" in schema:
        schema |= schema.pop("oneOf")[0]
    if "enum" in schema:
        schema |= {"type": "string", "enum": [value for value in schema["enum"] if value is not None]}
    schema |= {limit: int(schema[limit]) for limit in ("minimum", "maximum") if limit in schema}


def _schemas(litestars: dict[str, Any]) -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(_BODIES, ref_template="#/components/schemas/{name}")
    for name, schema in schemas.items():
        for field, of_field in schema.get("properties", {}).items():
            if "date-time" in str(litestars.get(name, {}).get("properties", {}).get(field)):
                # msgspec calls a time a string, as it may be one without a zone; ours are all in UTC.
                of_field.get("anyOf", [of_field])[0]["format"] = "date-time"
    return schemas


def _in_json_schema(node: Any) -> None:  # noqa: ANN401
    """Patterns are Python's, where the whole text is between `\\A` and `\\Z`; JSON Schema has `^` and `$`."""
    match node:
        case dict():
            if isinstance(pattern := node.get("pattern"), str):
                node["pattern"] = pattern.replace(r"\A", "^").replace(r"\Z", "$")
            for value in node.values():
                _in_json_schema(value)
        case list():
            for value in node:
                _in_json_schema(value)


@cache
def _examples() -> dict[str, Any]:
    examples: dict[str, Any] = msgspec.json.decode((_TEXT / "examples.json").read_bytes())
    return examples
