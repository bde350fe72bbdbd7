"""Everything one Stripe test account holds, in memory. No I/O: time and letters are handed in."""

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from adapters.sandbox.errors import JsonObject
from adapters.sandbox.search_index import Searchable, SearchIndex

API_VERSION = "2026-08-26.dahlia"
"""The version whose shapes the sandbox speaks, whatever version a client asks for."""

Clock = Callable[[], float]
Letters = Callable[[int], str]
"""Gives that many base62 letters, never the same ones twice."""


class Caller(msgspec.Struct, frozen=True):
    """Which request caused what happens now; events name it. Empty when a bank or a buyer acts."""

    id: str | None = None
    idempotency_key: str | None = None


class KeptReply(msgspec.Struct):
    """The first answer to an idempotency key, replayed until it is a day old."""

    fingerprint: str
    status: int
    body: str
    request_id: str
    kept_at: float


class Books(msgspec.Struct, kw_only=True):
    """What is stored, which is what a snapshot holds. Dictionaries keep the order of creation."""

    secret_key: str
    publishable_key: str
    webhook_secret: str
    customers: dict[str, JsonObject] = {}
    payment_methods: dict[str, JsonObject] = {}
    payment_intents: dict[str, JsonObject] = {}
    setup_intents: dict[str, JsonObject] = {}
    setup_attempts: dict[str, JsonObject] = {}
    charges: dict[str, JsonObject] = {}
    refunds: dict[str, JsonObject] = {}
    disputes: dict[str, JsonObject] = {}
    events: dict[str, JsonObject] = {}
    webhook_endpoints: dict[str, JsonObject] = {}
    webhook_secrets: dict[str, str] = {}
    instruments: dict[str, str] = {}
    """Payment method → the test number behind it, which decides how it behaves and is never shown."""
    set_up: set[str] = set()
    """Payment methods whose buyer has agreed to later payments, and authenticated if the bank asked."""
    used_up: set[str] = set()
    """Payment methods of no more use: taken from their customer, or charged once and kept with nobody."""
    undelivered: dict[str, list[str]] = {}
    """Event → the endpoints that have not yet answered 2xx."""
    kept_replies: dict[str, KeptReply] = {}
    served_webhooks: str | None = None
    """Where the service that the sandbox stands in for receives its webhooks."""


class Account:
    """The stored books together with a clock and a source of ids, and the one way to announce an event."""

    def __init__(self, books: Books, clock: Clock, letters: Letters) -> None:
        self.books = books
        self.clock = clock
        self.letters = letters
        self.address = ""
        """Where the sandbox is served; pages it sends buyers to start with this."""
        self.caller = Caller()
        self.index = SearchIndex({"customers": books.customers, "payment_intents": books.payment_intents})
        self._unseen: list[JsonObject] = []

    def now(self) -> int:
        """Whole seconds, as every `created` on Stripe: two events of one payment often tie."""
        return int(self.clock())

    def new_id(self, prefix: str, length: int = 24) -> str:
        """An id in Stripe's own form, such as `pi_3Q…`; never to be confused with Counterfoil's TypeIDs."""
        return f"{prefix}_{self.letters(length)}"

    def searchable(self, kind: Searchable) -> dict[str, JsonObject]:
        """What a search sees of the objects of a kind."""
        return self.index.visible(kind, self.clock())

    def announce(self, type: str, object: JsonObject, previous: JsonObject | None = None) -> None:
        """Write an event with a snapshot of the object as it is now (docs.stripe.com/api/events/object)."""
        data: JsonObject = {"object": copy.deepcopy(object)}
        if previous is not None:
            data["previous_attributes"] = copy.deepcopy(previous)
        event: JsonObject = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.caller.id, "idempotency_key": self.caller.idempotency_key},
            "type": type,
        }
        listening = [name for name, endpoint in self.books.webhook_endpoints.items() if hears(endpoint, type)]
        self.books.events[event["id"]] = event
        if listening:
            self.books.undelivered[event["id"]] = listening
            event["pending_webhooks"] = len(listening)
        self._unseen.append(event)

    def take_unseen(self) -> list[JsonObject]:
        """The events announced since this was last asked, oldest first."""
        unseen, self._unseen = self._unseen, []
        return unseen


def hears(endpoint: JsonObject, type: str) -> bool:
    """Whether an endpoint asked for events of this type, and is not disabled; `*` asks for all."""
    enabled: list[Any] = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or type in enabled)


def named(type: str, pattern: str) -> bool:
    """Whether an event's type is the one named, or, where the name ends in `*`, starts like it."""
    return type.startswith(pattern[:-1]) if pattern.endswith("*") else type == pattern
