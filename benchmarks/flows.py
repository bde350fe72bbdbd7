"""What is measured: each flow over HTTP, and beside it the functions of the database that it calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from adapters.postgres.combining import TOGETHER

Way = Literal["alone", "pair", "together", "http", "one by one"]
"""By pgbench: the function that does the work, for one request; what is read and then that; and one call of
it for many requests. Over HTTP: as the service is, or with calls that do not go together."""

ALL_CONNECTIONS = (1, 8, 32, 128)


@dataclass(frozen=True)
class Flow:
    """A request, and what of it pgbench calls."""

    name: str
    path: str
    function: str
    pgbench: tuple[Way, ...]
    http: tuple[Way, ...] = ("http",)
    only: int | None = None
    """The only number of connections at which it says something."""

    @property
    def creates(self) -> bool:
        """Each request makes a customer."""
        return self.path == "/v1/customers" or self.is_webhook

    @property
    def is_webhook(self) -> bool:
        """Stripe asks: signed, and each time about another session."""
        return self.path == "/v1/stripe/webhooks"

    @property
    def records(self) -> bool:
        """Each request records one unit of usage."""
        return self.path == "/v1/track"

    @property
    def gives(self) -> bool:
        """Whoever is made gets a balance."""
        return self.name == "create-entitled"


FLOWS = {
    flow.name: flow
    for flow in (
        Flow("create", "/v1/customers", "commit_work", ("alone", "pair", "together")),
        Flow("create-entitled", "/v1/customers", "commit_work", ("alone", "pair", "together")),
        Flow("webhook", "/v1/stripe/webhooks", "commit_work", ("alone", "pair")),
        Flow("check", "/v1/check", "feature_context", ("alone",)),
        Flow("track", "/v1/track", "track_usages", ("alone", "together")),
        Flow("hot-track", "/v1/track", "track_usages", ("alone", "together"), ("http", "one by one"), 128),
    )
}


@dataclass(frozen=True)
class Case:
    """A flow in one way, with so many connections."""

    flow: Flow
    way: Way
    connections: int

    @property
    def is_http(self) -> bool:
        """Through the service."""
        return self.way in ("http", "one by one")

    @property
    def name(self) -> str:
        """For the tables."""
        what = {
            "alone": f"pgbench, {self.flow.function}",
            "pair": f"pgbench, read + {self.flow.function}",
            "together": f"pgbench, {self.flow.function} of {TOGETHER}",
            "http": "HTTP",
            "one by one": "HTTP, calls one by one",
        }
        return f"{self.flow.name}: {what[self.way]}, {self.connections}"


def cases(flows: Sequence[Flow], connections: Sequence[int]) -> list[Case]:
    """In the order in which each repeat takes them."""
    found: list[Case] = []
    for flow in flows:
        found += [Case(flow, way, 4 if way == "together" else 32) for way in flow.pgbench]
        numbers = connections if flow.only is None else (flow.only,)
        found += [Case(flow, way, number) for way in flow.http for number in numbers]
    return found
