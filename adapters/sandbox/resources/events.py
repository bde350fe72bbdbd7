"""docs.stripe.com/api/events: what happened, kept for 30 days."""

from adapters.sandbox.errors import JsonObject, invalid, not_found
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import ListParameters, Parameters
from adapters.sandbox.state import Account, Books, named

KEPT_SECONDS = 30 * 24 * 3600


class ListEvents(ListParameters):
    """docs.stripe.com/api/events/list"""

    delivery_success: bool | None = None
    type: str | None = None
    types: list[str] | None = None


def retrieve_event(account: Account, _: Parameters, id: str) -> JsonObject:
    """docs.stripe.com/api/events/retrieve"""
    event = account.books.events.get(id)
    if event is None:
        raise not_found("event", id)
    return event


def list_events(account: Account, asked: ListEvents) -> JsonObject:
    """`type` may end in `*`; `delivery_success` tells events that an endpoint still lacks."""
    if asked.type is not None and asked.types is not None:
        raise invalid(
            "You may only specify one of these parameters: type, types.", None, "parameters_exclusive"
        )
    since = account.now() - KEPT_SECONDS
    found = (
        event
        for event in newest_first(account.books.events)
        if event["created"] >= since
        and (asked.types is None or event["type"] in asked.types)
        and (asked.type is None or named(event["type"], asked.type))
        and asked.delivery_success in (None, event["pending_webhooks"] == 0)
    )
    return page("/v1/events", found, asked)


def forget_old_events(books: Books, now: int) -> None:
    """Drop what can no longer be listed, so that a sandbox kept for long does not grow without end."""
    while books.events and next(iter(books.events.values()))["created"] < now - KEPT_SECONDS:
        oldest = next(iter(books.events))
        del books.events[oldest]
        books.undelivered.pop(oldest, None)
