"""/metrics, as Prometheus reads it."""

import asyncio
from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from domain.errors import Conflict
from tests.entrypoints.http.conftest import Service

ALL = {
    "counterfoil_http_request_duration_seconds",
    "counterfoil_use_case_duration_seconds",
    "counterfoil_stripe_call_duration_seconds",
    "counterfoil_conflicts_retried",
    "counterfoil_database_round_trips",
    "counterfoil_outbox_events",
    "counterfoil_outbox_age_seconds",
    "counterfoil_tasks_due",
    "counterfoil_tasks_due_age_seconds",
    "counterfoil_tasks_later",
    "counterfoil_tasks_parked",
    "counterfoil_inbox_unhandled",
    "counterfoil_inbox_unhandled_by_code",
    "counterfoil_customers_without_pricing_model",
    "counterfoil_books_read",
    "counterfoil_worker_tasks_running",
    "counterfoil_build_info",
    "process_cpu_seconds",
    "process_resident_memory_bytes",
    "python_gc_collections",
}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    """Every sample, by its name and labels."""
    return {
        (sample.name.removeprefix("counterfoil_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(service: Service) -> Samples:
    """Without a key, and later than what is kept of the last scrape."""
    service.seconds.now += 10
    reply = await service.client.get("/metrics", headers={"authorization": ""})
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/plain; version=")
    return read(reply.text)


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


async def test_everything_is_there_and_named_in_the_way_of_prometheus(service: Service) -> None:
    text = (await service.client.get("/metrics")).text
    assert {family.name for family in text_string_to_metric_families(text)} >= ALL
    assert of(read(text), "customers_without_pricing_model") == 0
    assert ("tasks_parked", frozenset({("kind", "create_stripe_customer")})) in read(text)


async def test_requests_are_counted_by_route_and_status_and_never_by_what_somebody_asked_for(
    service: Service,
) -> None:
    await service.with_catalog()
    for external_id in ("ada", "grace", "ada"):
        await service.client.post("/v1/customers", json={"external_id": external_id})
    await service.client.get("/v1/customers/ada")
    for number in range(3):
        await service.client.request(f"ODD{number}", f"/nowhere/{number}")
    samples = await scraped(service)
    count = "http_request_duration_seconds_count"
    assert of(samples, count, method="POST", route="/v1/customers", status="201") == 2
    assert of(samples, count, method="POST", route="/v1/customers", status="200") == 1
    assert of(samples, count, method="GET", route="/v1/customers/{reference}", status="200") == 1
    assert of(samples, count, method="other", route="none", status="404") == 3
    values = {value for _, labels in samples for _, value in labels}
    assert not [value for value in values if "ada" in value or "nowhere" in value or "ODD" in value]


async def test_use_cases_are_counted_by_how_they_ended(service: Service) -> None:
    refused = await service.client.post("/v1/customers", json={"external_id": "ada"})
    assert refused.json()["code"] == "no_default_pricing_model"
    await service.with_catalog()
    await service.client.post("/v1/customers", json={"external_id": "ada"})
    samples = await scraped(service)
    count, create = "use_case_duration_seconds_count", "CreateCustomer"
    assert of(samples, count, use_case=create, outcome="no_default_pricing_model") == 1
    assert of(samples, count, use_case=create, outcome="ok") == 1
    assert of(samples, count, use_case="ApplyCatalog", outcome="ok") == 1


async def test_a_conflict_that_was_decided_again_is_counted(service: Service) -> None:
    await service.with_catalog()
    before = of(await scraped(service), "conflicts_retried_total", use_case="CreateCustomer")
    conflicts = 2

    async def taken() -> None:
        nonlocal conflicts
        if conflicts:
            conflicts -= 1
            raise Conflict("conflict", "taken")

    service.store.first["commit"] = taken
    assert (await service.client.post("/v1/customers", json={"external_id": "ada"})).status_code == 201
    after = of(await scraped(service), "conflicts_retried_total", use_case="CreateCustomer")
    assert after - before == 2


async def test_what_waits_is_shown_with_its_age(service: Service) -> None:
    await service.with_catalog()
    await service.client.post("/v1/customers", json={"external_id": "ada"})
    service.clock.advance(timedelta(seconds=90))
    samples = await scraped(service)
    assert of(samples, "outbox_events") == len(service.store.events)
    assert of(samples, "outbox_age_seconds") == 90
    assert of(samples, "tasks_due", kind="create_stripe_customer") == 1
    assert of(samples, "tasks_due_age_seconds") == 90
    while await service.store.sequence(100):
        pass
    (task,) = await service.store.lease(1, service.clock.now(), timedelta(minutes=1))
    await service.store.park(task, "refused", service.clock.now())
    samples = await scraped(service)
    assert (of(samples, "outbox_events"), of(samples, "outbox_age_seconds")) == (0, 0)
    assert of(samples, "tasks_parked", kind="create_stripe_customer") == 1


async def test_the_books_are_read_once_in_five_seconds_however_many_ask(service: Service) -> None:
    times = 0

    async def counted() -> None:
        nonlocal times
        times += 1

    service.store.first["backlog"] = counted
    await scraped(service)
    await asyncio.gather(*(service.client.get("/metrics") for _ in range(20)))
    assert times == 1
    await scraped(service)
    assert times == 2


async def test_without_the_database_the_rest_is_still_shown(service: Service) -> None:
    async def away() -> None:
        raise ConnectionError("ada@example.com")

    service.store.first["backlog"] = away
    samples = await scraped(service)
    assert of(samples, "books_read") == 0
    assert ("outbox_events", frozenset[tuple[str, str]]()) not in samples
    assert of(samples, "use_case_duration_seconds_count", use_case="CreateOrganization", outcome="ok") == 1
