"""What a trace shows of a request: the use case, each statement, each call of Stripe; and nobody's name."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from adapters.postgres.database import Database as CalledDatabase
from entrypoints.tracing import begin, request_span, step_span, task_span
from tests.databases import Database
from tests.system.service import running_service

EXPORTER = InMemorySpanExporter()


@pytest.fixture(scope="module")
def tracing() -> None:
    """On for the rest of this process: there is one provider for each."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
    begin(provider)


@pytest.fixture
def spans(tracing: None) -> Iterator[InMemorySpanExporter]:
    EXPORTER.clear()
    yield EXPORTER
    EXPORTER.clear()


def below(spans: tuple[ReadableSpan, ...], parent: ReadableSpan) -> list[ReadableSpan]:
    """Its children, in the order in which they began."""
    assert parent.context is not None
    own = [span for span in spans if span.parent and span.parent.span_id == parent.context.span_id]
    return sorted(own, key=lambda span: span.start_time or 0)


async def test_a_request_is_one_trace_through_use_case_database_and_stripe(
    fresh_database: Database, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    async with running_service(fresh_database, tmp_path) as service:
        spans.clear()
        caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        reply = await service.api.post(
            "/v1/checkout-sessions",
            json={
                "type": "product",
                "price": "course",
                "anonymous": True,
                "customer_email": "ada@example.com",
            },
            headers={"traceparent": caller},
        )
        assert reply.status_code == 201
        told = spans.get_finished_spans()
        (request,) = [span for span in told if span.kind is SpanKind.SERVER]
        assert request.name == "POST /v1/checkout-sessions"
        assert request.context is not None
        assert f"{request.context.trace_id:032x}" == caller.split("-")[1]
        assert request.attributes is not None
        assert request.attributes["http.response.status_code"] == 201
        assert request.attributes["counterfoil.request_id"] == reply.headers["x-request-id"]
        (use_case,) = [span for span in below(told, request) if not span.name.startswith("SELECT")]
        assert use_case.name == "OpenCheckoutSession"
        assert [span.name for span in below(told, use_case)] == [
            "SELECT opening_context",
            "SELECT commit_work",
            "Stripe create_intent",
            "SELECT commit_work",
        ]
        assert "ada" not in "".join(span.to_json() for span in told)


async def test_what_fails_is_told_by_its_code_and_a_task_is_a_trace_of_its_own(
    fresh_database: Database, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    async with running_service(fresh_database, tmp_path) as service:
        spans.clear()
        await service.api.post(
            "/v1/checkout-sessions", json={"type": "product", "price": "x", "anonymous": True}
        )
        (failed,) = [span for span in spans.get_finished_spans() if span.name == "OpenCheckoutSession"]
        assert failed.attributes is not None
        assert failed.attributes["error.type"] == "price_not_found"
        assert failed.status.status_code is StatusCode.ERROR
        assert failed.events == ()
        made = await service.api.post("/v1/users", json={"email": "ada@example.com"})
        spans.clear()
        await service.worker.drain()
        told = spans.get_finished_spans()
        (task,) = [span for span in told if span.name == "task create_stripe_user"]
        assert task.attributes is not None
        assert task.attributes["counterfoil.correlation_id"] == made.headers["x-request-id"]
        (use_case,) = below(told, task)
        assert {"Stripe create_user_customer"} < {span.name for span in below(told, use_case)}


async def test_what_the_database_says_of_a_row_is_in_no_span(
    fresh_database: Database, spans: InMemorySpanExporter
) -> None:
    async with asyncpg.create_pool(fresh_database.admin_dsn, min_size=1, max_size=1) as pool:
        with (
            pytest.raises(asyncpg.InvalidParameterValueError, match=r"ada@example\.com"),
            step_span("Caller"),
        ):
            await CalledDatabase(pool).call("parse_ident", "ada@example.com")
    told = spans.get_finished_spans()
    (statement,) = [span for span in told if span.name == "SELECT parse_ident"]
    assert statement.attributes is not None
    assert statement.attributes["error.type"] == "22023"
    assert statement.status.status_code is StatusCode.ERROR
    assert "ada" not in "".join(span.to_json() for span in told)


def test_what_nobody_expected_takes_no_words_into_a_span(spans: InMemorySpanExporter) -> None:
    for span in (request_span("GET", ()), task_span("send_receipt", {})):
        with pytest.raises(ValueError, match="ada"), span:
            raise ValueError("ada@example.com")
    told = spans.get_finished_spans()
    assert len(told) == 2
    assert "ada" not in "".join(span.to_json() for span in told)


async def test_a_worker_that_looks_whether_there_is_something_to_do_makes_no_traces(
    fresh_database: Database, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    async with running_service(fresh_database, tmp_path) as service:
        await service.worker.drain()
        spans.clear()
        await service.worker.drain()
        assert spans.get_finished_spans() == ()
