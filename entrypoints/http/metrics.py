"""/metrics: for Prometheus."""

from litestar import Response, get

from entrypoints.http.injected import Injected
from entrypoints.http.refusals import refusals
from entrypoints.metrics.scrape import CONTENT_TYPE, Scrape


@get(
    "/metrics",
    media_type="text/plain",
    tags=["health"],
    operation_id="read_metrics",
    summary="What the process has done and what waits, for Prometheus",
    response_description="Prometheus' text format",
    responses=refusals(),
)
async def metrics(scrape: Injected[Scrape]) -> Response[bytes]:
    """Served without a key: it names no organization and no person. Keep it from the public at the proxy."""
    return Response(await scrape.text(), media_type=CONTENT_TYPE)
