"""A stateful Stripe double over HTTP, for the demo and for tests; `Sandbox` is its face."""

from adapters.sandbox.deliveries import SignedEvent
from adapters.sandbox.faults import (
    Delay,
    Disconnect,
    Drop,
    Duplicate,
    Fail,
    Fault,
    Hang,
    RateLimit,
    Reorder,
    SearchLag,
)
from adapters.sandbox.resources.attempts import Outcome
from adapters.sandbox.sandbox import Sandbox
from adapters.sandbox.server import Exchange, NotLoopback, OnExchange
from adapters.sandbox.signing import sign

__all__ = [
    "Delay",
    "Disconnect",
    "Drop",
    "Duplicate",
    "Exchange",
    "Fail",
    "Fault",
    "Hang",
    "NotLoopback",
    "OnExchange",
    "Outcome",
    "RateLimit",
    "Reorder",
    "Sandbox",
    "SearchLag",
    "SignedEvent",
    "sign",
]
