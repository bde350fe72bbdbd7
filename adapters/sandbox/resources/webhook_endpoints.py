"""docs.stripe.com/api/webhook_endpoints: where events are sent, and the secret that signs them."""

from typing import Literal

from msgspec import UNSET

from adapters.sandbox.errors import JsonObject, invalid, not_found
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import (
    ListParameters,
    MetadataGiven,
    Parameters,
    Text,
    assign,
    merged_metadata,
)
from adapters.sandbox.state import Account


class CreateWebhookEndpoint(Parameters):
    """docs.stripe.com/api/webhook_endpoints/create; events are always in the sandbox's own version."""

    enabled_events: list[str]
    url: str
    api_version: Literal["2026-08-26.dahlia"] | None = None
    description: Text = UNSET
    metadata: MetadataGiven = UNSET


class UpdateWebhookEndpoint(Parameters):
    """docs.stripe.com/api/webhook_endpoints/update"""

    description: Text = UNSET
    disabled: bool | None = None
    enabled_events: list[str] | None = None
    metadata: MetadataGiven = UNSET
    url: str | None = None


def create_webhook_endpoint(account: Account, given: CreateWebhookEndpoint) -> JsonObject:
    """The only reply that shows the secret."""
    _check_url(given.url)
    metadata = merged_metadata({}, given.metadata)
    endpoint = register(account, given.url, f"whsec_{account.letters(32)}", given.enabled_events)
    endpoint["metadata"] = metadata
    if isinstance(given.description, str):
        endpoint["description"] = given.description or None
    return {**endpoint, "secret": account.books.webhook_secrets[endpoint["id"]]}


def retrieve_webhook_endpoint(account: Account, _: Parameters, id: str) -> JsonObject:
    """Without its secret."""
    endpoint = account.books.webhook_endpoints.get(id)
    if endpoint is None:
        raise not_found("webhook endpoint", id, "webhook_endpoint")
    return endpoint


def update_webhook_endpoint(account: Account, given: UpdateWebhookEndpoint, id: str) -> JsonObject:
    """Disabled, it hears nothing new."""
    endpoint = retrieve_webhook_endpoint(account, given, id)
    if given.url is not None:
        _check_url(given.url)
    assign(endpoint, given, ("description", "metadata"))
    if given.url is not None:
        endpoint["url"] = given.url
    if given.enabled_events is not None:
        endpoint["enabled_events"] = list(given.enabled_events)
    if given.disabled is not None:
        endpoint["status"] = "disabled" if given.disabled else "enabled"
    return endpoint


def delete_webhook_endpoint(account: Account, given: Parameters, id: str) -> JsonObject:
    """What it has not received, it never will."""
    retrieve_webhook_endpoint(account, given, id)
    del account.books.webhook_endpoints[id]
    del account.books.webhook_secrets[id]
    for event_id, lacking in list(account.books.undelivered.items()):
        if id in lacking:
            mark_delivered(account, event_id, id)
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


def move_endpoints(account: Account, url: str, to: str) -> None:
    """Whoever was reached at `url` is reached at `to`, and still gets what it has not received."""
    endpoints = list(account.books.webhook_endpoints.values())
    there_already = any(endpoint["url"] == to for endpoint in endpoints)
    for endpoint in endpoints:
        if endpoint["url"] == url and there_already:
            delete_webhook_endpoint(account, Parameters(), endpoint["id"])
        elif endpoint["url"] == url:
            endpoint["url"] = to


def list_webhook_endpoints(account: Account, asked: ListParameters) -> JsonObject:
    """docs.stripe.com/api/webhook_endpoints/list"""
    return page("/v1/webhook_endpoints", newest_first(account.books.webhook_endpoints), asked)


def register(account: Account, url: str, secret: str, enabled_events: list[str]) -> JsonObject:
    """Send events to this address from now on."""
    endpoint: JsonObject = {
        "id": account.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": account.now(),
        "description": None,
        "enabled_events": list(enabled_events),
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
    account.books.webhook_endpoints[endpoint["id"]] = endpoint
    account.books.webhook_secrets[endpoint["id"]] = secret
    return endpoint


def mark_delivered(account: Account, event_id: str, endpoint_id: str) -> None:
    """An endpoint needs this event no more; `pending_webhooks` counts those that still do."""
    lacking = [other for other in account.books.undelivered.pop(event_id, []) if other != endpoint_id]
    if lacking:
        account.books.undelivered[event_id] = lacking
    if event_id in account.books.events:
        account.books.events[event_id]["pending_webhooks"] = len(lacking)


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid"
        )
