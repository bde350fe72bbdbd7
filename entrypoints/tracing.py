"""Traces of what happens for a request or a task: through the use case, the database and Stripe
(OpenTelemetry).

Off unless it is said where they go. What is measured already is what is traced: use cases and calls of
Stripe where the composition root wraps them, statements in the database's adapter, requests and tasks where
they come in. Nothing that names a person is in a span: no paths, bodies, addresses or parameters, as in the
logs.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from domain.errors import DomainError

_TRACER = trace.get_tracer("counterfoil")
Attributes = Mapping[str, str | int | bool]

_CONTEXT = frozenset({b"traceparent", b"tracestate"})


class _Switch:
    """Asking OpenTelemetry for each span whether it is on would cost a request several hundredths of its
    time."""

    is_on = False


_OFF: AbstractContextManager[Any] = nullcontext(trace.INVALID_SPAN)


@contextmanager
def traces_sent_to(endpoint: str | None) -> Iterator[None]:
    """While the block runs spans go to this OTLP collector over HTTP; at the end those that are left are
    sent. Without one nothing is made."""
    if endpoint is None:
        yield
        return
    # Slow to import, and rarely asked for: no command has to wait for it.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: "counterfoil", SERVICE_VERSION: version("counterfoil")})
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    begin(provider)
    try:
        yield
    finally:
        provider.shutdown()


def begin(provider: TracerProvider) -> None:
    """From here on this provider makes spans: there is one for each process."""
    trace.set_tracer_provider(provider)
    _Switch.is_on = True


def request_span(method: str, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Span]:
    """Of a request that has come in; of the caller's trace, if it has one (www.w3.org/TR/trace-context)."""
    if not _Switch.is_on:
        return _OFF
    told = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name in _CONTEXT}
    return _span(method, SpanKind.SERVER, context=propagate.extract(told))


def answered(span: Span, method: str, route: str | None, status: int | None, ids: Attributes) -> None:
    """The request's span, named as OpenTelemetry's conventions for HTTP say: by the route, not the path."""
    if not span.is_recording():
        return
    if route is not None:
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
    span.set_attribute("http.request.method", method)
    if status is not None:
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
    for name, value in ids.items():
        span.set_attribute(f"counterfoil.{name}", value)


def task_span(kind: str, ids: Attributes) -> AbstractContextManager[Span]:
    """Of a task that the worker performs: a trace of its own, found by the same correlation id."""
    if not _Switch.is_on:
        return _OFF
    named = {f"counterfoil.{name}": value for name, value in ids.items()}
    return _span(f"task {kind}", SpanKind.CONSUMER, attributes=named)


def step_span(name: str, kind: SpanKind = SpanKind.INTERNAL) -> AbstractContextManager[None]:
    """Of a use case, or a call of Stripe. What it raises is told by its code: its words may quote a row."""
    return _step(name, kind) if _Switch.is_on else _OFF


@contextmanager
def _step(name: str, kind: SpanKind) -> Iterator[None]:
    with _span(name, kind) as span:
        try:
            yield
        except Exception as error:
            code = error.code if isinstance(error, DomainError) else type(error).__name__
            span.set_attribute("error.type", code)
            span.set_status(Status(StatusCode.ERROR))
            raise


def _span(
    name: str, kind: SpanKind, *, context: Context | None = None, attributes: Attributes | None = None
) -> AbstractContextManager[Span]:
    """Without the words of what is raised, which OpenTelemetry would else send."""
    return _TRACER.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )
