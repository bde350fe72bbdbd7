"""A stateful Stripe double over HTTP, for the demo and for tests; `Sandbox` is its face."""

from adapters.sandbox.deliveries import SignedEvent
from adapters.sandbox.faults import Hold
from adapters.sandbox.resources.confirmation import Outcome
from adapters.sandbox.sandbox import Sandbox
from adapters.sandbox.server import Exchange, NotLoopback, OnExchange
from adapters.sandbox.signing import sign

__all__ = ["Exchange", "Hold", "NotLoopback", "OnExchange", "Outcome", "Sandbox", "SignedEvent", "sign"]
