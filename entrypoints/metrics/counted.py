"""What one process counts and times, in a registry of its own: two processes never add up by accident."""

import platform
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from application.unit_of_work import conflicts_retried

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_FAR: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_VERSION: Final = version("counterfoil")
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began: twice the lines, of no use here


class Timings:
    """A histogram that keeps its children at hand: finding one by its labels takes longer than the rest.

    Whoever notes something sees to it that the labels' values are few.
    """

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._children: dict[tuple[object, ...], Histogram] = {}

    def note(self, labels: tuple[object, ...], seconds: float) -> None:
        """One more, which took this long."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._histogram.labels(*labels)
        child.observe(seconds)


class Tries:
    """How often what Stripe told was tried again, by what came of it: handled, or the code of why not."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._counter = Counter(
            "counterfoil_inbox_tries",
            "Stripe's events that did not fit, tried again: handled, or the code of why not.",
            ("outcome",),
            registry=registry,
        )

    def note(self, outcome: str) -> None:
        """One more."""
        self._counter.labels(outcome).inc()


class Reconciled:
    """What came of holding the books against Stripe, round by round."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._findings = Counter(
            "counterfoil_reconcile_findings",
            "What the books missed of Stripe or had otherwise: which kind, and whether it was applied.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._rounds = Counter(
            "counterfoil_reconcile_rounds",
            "How often the books were held against Stripe: ok, or the code of why it was not done.",
            ("outcome",),
            registry=registry,
        )

    def found(self, kind: str, outcome: str) -> None:
        """One more difference."""
        self._findings.labels(kind, outcome).inc()

    def ended(self, outcome: str) -> None:
        """One more round."""
        self._rounds.labels(outcome).inc()


class Metrics:
    """What this process has done. Each histogram's `_count` says how often, by how it ended."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._timings(
            "counterfoil_http_request_duration_seconds",
            "Requests answered, by method, route as it is written down, and status.",
            ("method", "route", "status"),
            _FAST,
        )
        self.use_cases = self._timings(
            "counterfoil_use_case_duration_seconds",
            "Use cases run, by how they ended: ok, or the code of the error.",
            ("use_case", "outcome"),
            _FAST,
        )
        self.stripe_calls = self._timings(
            "counterfoil_stripe_call_duration_seconds",
            "Calls of Stripe with the SDK's own retries, by what came of them: ok, or the code of the error.",
            ("operation", "result"),
            _FAR,
        )
        self.deliveries = self._timings(
            "counterfoil_delivery_attempt_duration_seconds",
            "Events sent to endpoints, by what came of it: succeeded, or the code of why not.",
            ("outcome",),
            _FAR,
        )
        self._running = Gauge(
            "counterfoil_worker_tasks_running",
            "Tasks that this process has leased and is performing.",
            registry=self.registry,
        )
        self.inbox_tries = Tries(self.registry)
        self.reconciled = Reconciled(self.registry)
        self._round_trips: dict[str, Callable[[], int]] = {}
        about = {"version": _VERSION, "python": platform.python_version()}
        build = Gauge("counterfoil_build_info", "What is running.", tuple(about), registry=self.registry)
        build.labels(**about).set(1)
        self.registry.register(_Read(self._round_trips))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def request(self, method: str, route: str | None, status: int | None, seconds: float) -> None:
        """A request was answered, or was not: then the status is 0. What nobody serves is one route."""
        key = (method if method in _METHODS else "other", route or "none", status or 0)
        self._requests.note(key, seconds)

    def read_round_trips(self, role: str, read: Callable[[], int]) -> None:
        """Where to read, at each scrape, how often the database was asked in this role."""
        self._round_trips[role] = read

    def read_tasks_running(self, read: Callable[[], int]) -> None:
        """Where to read, at each scrape, how many tasks the worker of this process has in hand."""
        self._running.set_function(read)

    def _timings(self, name: str, told: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Timings:
        return Timings(Histogram(name, told, labels, registry=self.registry, buckets=buckets))


class _Read(Collector):
    """Counts that are kept elsewhere anyway."""

    def __init__(self, round_trips: Mapping[str, Callable[[], int]]) -> None:
        self._round_trips = round_trips

    def collect(self) -> Iterator[Metric]:
        trips = CounterMetricFamily(
            "counterfoil_database_round_trips", "Questions asked of the database.", labels=["role"]
        )
        for role, read in self._round_trips.items():
            trips.add_metric([role], read())
        yield trips
        retried = CounterMetricFamily(
            "counterfoil_conflicts_retried",
            "How often a use case decided again, as somebody else was first.",
            labels=["use_case"],
        )
        for use_case, times in conflicts_retried.items():
            retried.add_metric([use_case], times)
        yield retried
