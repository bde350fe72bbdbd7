"""/health and /metrics alone, for a process that serves nothing else: the worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from entrypoints.container import Container
from entrypoints.http.app import NoEmitter
from entrypoints.http.health import live, ready
from entrypoints.http.injection import provided
from entrypoints.http.metrics import metrics
from entrypoints.http.problems import answer
from entrypoints.http.requests import Call, RequestLog
from entrypoints.http.server import address_of, answering, listening


@asynccontextmanager
async def watched(container: Container, host: str, port: int) -> AsyncIterator[str]:
    """Answer while the block runs, and give the address. The container is open already."""
    app = Litestar(
        [live, ready, metrics],
        dependencies={"tenants": provided(container.store), "scrape": provided(container.scrape)},
        exception_handlers={Exception: answer},
        request_class=Call,
        openapi_config=None,
        logging_config=None,
        event_emitter_backend=NoEmitter,
    )
    app.asgi_handler = RequestLog(app.asgi_handler, container.ids(), container.metrics())
    with listening(host, port) as listener:
        async with app.lifespan(), answering(app, container.ids(), listener):
            yield address_of(host, listener)
