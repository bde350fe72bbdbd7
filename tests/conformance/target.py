"""Which server is held to Stripe's documentation: our sandbox, or the one that the environment names.

STRIPE_CONFORMANCE_KEY=sk_test_…               Stripe's test mode, or
STRIPE_CONFORMANCE_BASE=http://127.0.0.1:8420  any other server that speaks Stripe's API
STRIPE_CONFORMANCE_PUBLISHABLE_KEY=pk_test_…   also what a browser may do
STRIPE_CONFORMANCE_RAW_CARDS=1                 also card numbers, which an account has to be allowed to send
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.sandbox import Sandbox

STRIPE = "https://api.stripe.com"
_TEST_KEYS = ("sk_test_", "rk_test_")


class NotForConformance(Exception):
    """The environment names no server that may be tested, or not well enough."""


@dataclass(frozen=True)
class Target:
    """A server, and the keys to one account on it. Its secrets are never shown."""

    base: str
    key: str = field(repr=False)
    publishable_key: str | None = field(default=None, repr=False)
    raw_cards: bool = False
    sandbox: Sandbox | None = None
    """Ours, where that is what is tested."""


def named_target(environment: Mapping[str, str] = os.environ) -> Target | None:
    """The server that the environment names; None for our sandbox. Live keys are refused, and never sent."""
    given = {
        name: environment.get(f"STRIPE_CONFORMANCE_{name}", "").strip()
        for name in ("BASE", "KEY", "PUBLISHABLE_KEY", "RAW_CARDS")
    }
    if not given["BASE"] and not given["KEY"]:
        return None
    if not given["KEY"].startswith(_TEST_KEYS):
        raise NotForConformance("STRIPE_CONFORMANCE_KEY has to be a test key: sk_test_… or rk_test_….")
    if given["PUBLISHABLE_KEY"] and not given["PUBLISHABLE_KEY"].startswith("pk_test_"):
        raise NotForConformance("STRIPE_CONFORMANCE_PUBLISHABLE_KEY has to be a test key: pk_test_….")
    return Target(
        base=(given["BASE"] or STRIPE).rstrip("/"),
        key=given["KEY"],
        publishable_key=given["PUBLISHABLE_KEY"] or None,
        raw_cards=given["RAW_CARDS"] == "1",
    )
