"""What Prometheus is shown: what the process counts, and how far behind the service is, from the books."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import get_args

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from structlog.typing import FilteringBoundLogger

from application.operator_ports import Backlog, Backlogs
from application.ports import Clock
from domain.effects import Effect
from entrypoints.logs import code_of
from entrypoints.metrics.counted import Metrics

CONTENT_TYPE = CONTENT_TYPE_LATEST
COUNTED = 10_000
"""As far as things that wait are counted: a scrape stays cheap, and more than that is bad enough."""

_KEPT_SECONDS = 5.0
_PATIENCE_SECONDS = 2.0
_KINDS = tuple(str(effect.__struct_config__.tag) for effect in get_args(Effect))

log: FilteringBoundLogger = structlog.get_logger()


class Scrape:
    """Answers scrapes. The books are read at most every five seconds, however many ask; where they cannot be
    read, the rest is shown all the same."""

    def __init__(
        self,
        metrics: Metrics,
        backlogs: Backlogs,
        clock: Clock,
        seconds: Callable[[], float],
    ) -> None:
        self._registry = metrics.registry
        self._backlogs = backlogs
        self._seconds = seconds
        self._reading = asyncio.Lock()
        self._read_until = float("-inf")
        self._shown = _BacklogShown(clock)
        self._registry.register(self._shown)

    async def text(self) -> bytes:
        """In Prometheus' text format, as CONTENT_TYPE says."""
        async with self._reading:
            asked_at = self._seconds()
            if asked_at >= self._read_until:
                self._shown.backlog = await self._read()
                self._read_until = asked_at + _KEPT_SECONDS
        return generate_latest(self._registry)

    async def _read(self) -> Backlog | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._backlogs.backlog(self._shown.clock.now(), COUNTED)
        except Exception as error:
            log.warning("backlog_not_read", code=code_of(error))
            return None


class _BacklogShown(Collector):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.backlog: Backlog | None = None

    def collect(self) -> Iterator[Metric]:
        seen = self.backlog
        yield _gauge("books_read", "Whether the database let us read what follows.", seen is not None)
        if seen is None:
            return
        now = self.clock.now()

        def age(since: datetime | None) -> float:
            return max((now - since).total_seconds(), 0.0) if since else 0.0

        yield _gauge("outbox_events", "Events not numbered yet.", seen.events_to_number)
        yield _gauge("outbox_age_seconds", "Age of the oldest of them.", age(seen.oldest_event_at))
        yield _by("tasks_due", "Tasks to be performed now.", "kind", _all_kinds(seen.tasks_due))
        yield _gauge("tasks_due_age_seconds", "How long the oldest of them is due.", age(seen.oldest_task_at))
        yield _gauge("tasks_later", "Tasks leased, or waiting for their time.", seen.tasks_later)
        yield _by("tasks_parked", "Tasks given up: look at them.", "kind", _all_kinds(seen.tasks_parked))
        yield _gauge("inbox_unhandled", "Stripe's events that did not fit.", sum(seen.unhandled.values()))
        yield _by("inbox_unhandled_by_code", "The same, by why not.", "code", seen.unhandled)
        yield _gauge("inbox_given_up", "Those that are not tried again by themselves.", seen.given_up)
        yield _gauge("deliveries_due", "Deliveries to be tried now.", seen.deliveries_due)
        yield _gauge(
            "deliveries_due_age_seconds", "How long the oldest of them is due.", age(seen.oldest_delivery_at)
        )
        yield _gauge("deliveries_failed", "Deliveries given up.", seen.deliveries_failed)
        yield _gauge("endpoints_failing", "Endpoints at which nothing arrives.", seen.endpoints_failing)
        yield _gauge(
            "customers_without_pricing_model",
            "Must be 0; the database refuses such a customer.",
            seen.customers_without_pricing_model,
        )


def _all_kinds(counted: dict[str, int]) -> dict[str, int]:
    return {**dict.fromkeys(_KINDS, 0), **counted}


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"counterfoil_{name}", told, value=value)


def _by(name: str, told: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"counterfoil_{name}", told, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
